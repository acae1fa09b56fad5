"""One's own name, zone and password, and where one is signed in."""

from core.access.queries import my_sign_ins
from core.people.queries import profile
from ui import account, runtime

with runtime.reading() as work:
    me = profile(work, work.me)
    browsers = my_sign_ins(work)
    now = work.now
account.own_profile(me)
account.password()
account.signed_in(browsers, now)
