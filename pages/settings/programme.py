"""How a programme works, what it calls things, who runs it; and new programmes."""

import streamlit as st

from core.permissions import Action
from ui import closures, here, navigation, policy_form, programme_form, roles, runtime

if st.query_params.get("tab") == "Lists":  # an address kept from when they stood here
    navigation.go("courses")

with runtime.reading() as work:
    programme = here.programme(work)
    tabs = {"Policy": policy_form.policy, "Words": policy_form.words, "Closures": closures.show}
    if here.can(work, Action.ROLES_GRANT):
        tabs["Roles"] = roles.show
    tabs |= {"Programme": programme_form.edit, "New programme": programme_form.new}

st.title("Programme settings")
retired = ". It is retired: nothing new is booked in it." if programme.retired else ""
st.caption(f"For {programme_form.name_of(programme)}{retired}")
for tab, show in zip(st.tabs(list(tabs), key="tab", bind="query-params"), tabs.values(), strict=True):
    with tab:
        show(programme)
closures.panels(programme)
roles.panels(programme)
programme_form.panels(programme)
