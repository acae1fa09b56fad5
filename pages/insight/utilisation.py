"""How much of the time in which practitioners can be booked is booked, and what of it was delivered."""

from ui import here, runtime, utilisation

with runtime.reading() as work:
    utilisation.screen(work, here.programme(work))
