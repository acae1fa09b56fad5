"""When people can be booked: the week, other days, time off, and limits of one's own."""

from core.availability.hours import bookable
from ui import availability, here, hours_forms, runtime

with runtime.reading() as work:
    programme = here.programme(work)
    people = bookable(work, programme.id)
    person = availability.head(work, programme, people)
    if person is None:
        availability.everybody(programme, people)
    else:
        availability.one(work, programme, person)
hours_forms.panels()
