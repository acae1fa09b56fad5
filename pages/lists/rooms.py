"""The room list of a programme: look, add, edit, retire, bring back."""

from core.structure.rules import Which
from ui import here, lists, runtime

with runtime.reading() as work:
    programme = here.programme(work)

lists.screen(programme, Which.ROOM)
