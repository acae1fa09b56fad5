"""Find people, add them, invite them."""

import streamlit as st

from core.people.queries import people_list
from ui import here, people, runtime

with runtime.reading() as work:
    programme = here.programme(work)
    may_do = people.rights(work, programme)
    people.head(programme, may_do)
    asked = people.filters(work, programme, may_do)
    page = people_list(work, programme.id, **asked, **people.order(), page=people.page_number())
above = st.container()
picked = people.table(page, programme, may_do)
with above:
    people.ticked(picked, programme, may_do)
people.below(page, may_do)
people.panels(programme)
