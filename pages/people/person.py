"""One person: facts, roles, who they are tied to, their sessions, and what can be done."""

from core.errors import NotFound
from core.people.queries import profile
from ui import engagements, here, learning, navigation, person, runtime

try:
    with runtime.reading() as work:
        shown = profile(work, navigation.asked_id("person") or work.me)
        programmes = {programme.id: programme for programme in here.listed(work)}
except NotFound:
    person.nobody()
else:
    person.head(shown, programmes)
    person.facts(shown, programmes)
    person.ties(shown, programmes)
    learning.of_person(shown, programmes)
    engagements.of_person(shown.id, programmes)
    person.sessions(shown, programmes)
    person.panels(shown)
