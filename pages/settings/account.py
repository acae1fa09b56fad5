"""One's own name, zone, calendar address and password, and where one is signed in."""

from core.access.queries import my_sign_ins
from core.feeds.queries import my_addresses, my_timetables
from core.people.queries import profile
from ui import account, addresses, runtime

with runtime.reading() as work:
    me = profile(work, work.me)
    browsers = my_sign_ins(work)
    mine, timetables = my_addresses(work), my_timetables(work)
    now = work.now
account.own_profile(me)
addresses.own(mine, timetables, now)
account.password()
account.signed_in(browsers, now)
