"""What comes next, what waits for the viewer, and what the portal has told them."""

from ui import here, home, runtime, session_panels

with runtime.reading() as work:
    programmes = here.listed(work)
    if not programmes:
        home.nowhere(work)
    else:
        programme = here.programme(work)
        home.head(work, programme)
        home.first_steps(work, programme)
        home.without_hours(work, programme)
        home.needs(work, programme)
        home.sessions_and_notices(work, programme)
session_panels.show()
