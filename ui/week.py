"""A week of hours as a calm picture: a line for each weekday, with the same in words beside it."""

from collections.abc import Mapping, Sequence
from html import escape

import streamlit as st

from core.availability.commands import Window
from core.programmes.rules import DAYS, hours_words

_LINE = "display:flex;flex-wrap:wrap;align-items:center;gap:.15rem .75rem;padding:.3rem 0"
_NAME = "flex:0 0 6rem;font-weight:600"
_TRACK = ("position:relative;flex:1 1 12rem;height:16px;border-radius:4px;overflow:hidden;"
          "background:rgba(128,128,128,.14)")
_SAID = "flex:1 0 13rem;font-variant-numeric:tabular-nums"
_GENERAL = "background:#3d7fb5"
_OWN = "background:repeating-linear-gradient(45deg,#8a62b8 0 5px,#a98bce 5px 10px)"
_SCALE = 60 * 7, 60 * 20
"""Minutes of the day that are always in the picture."""


def draw(general: Sequence[Window], own: Mapping[str, Sequence[Window]]) -> None:
    """General hours in one colour, those reserved for timetables of one's own (by name) hatched over them."""
    listed = [*general, *(each for windows in own.values() for each in windows)]
    first = min([_SCALE[0], *(each.from_minute // 60 * 60 for each in listed)])
    last = max([_SCALE[1], *(-(-each.until_minute // 60) * 60 for each in listed)])
    st.html("".join(_day(number, name, general, own, first, last) for number, name in enumerate(DAYS))
            + _axis(first, last))


def _day(
    number: int, name: str, general: Sequence[Window], own: Mapping[str, Sequence[Window]], first: int, last: int
) -> str:
    """A weekday; the bars say no more than the words, so they are hidden from screen readers."""
    blocks, said = "", []
    for title, look, windows in (("", _GENERAL, general), *((each, _OWN, windows) for each, windows in own.items())):
        today = [each for each in windows if each.weekday == number]
        for each in today:
            left, width = (100 * part / (last - first) for part in (
                each.from_minute - first, each.until_minute - each.from_minute))
            blocks += (f'<div style="position:absolute;top:0;bottom:0;left:{left:.2f}%;width:{width:.2f}%;{look}">'
                       "</div>")
        if today:
            hours = ", ".join(hours_words((each.from_minute, each.until_minute)) for each in today)
            said.append(f"{hours} {escape(title)}".strip())
    return (f'<div style="{_LINE}"><div style="{_NAME}">{name}</div>'
            f'<div aria-hidden="true" style="{_TRACK}">{blocks}</div>'
            f'<div style="{_SAID}">{" · ".join(said) or "–"}</div></div>')


def _axis(first: int, last: int) -> str:
    step = 60 * (2 if last - first <= 14 * 60 else 4)
    ticks = "".join(
        f'<span style="position:absolute;left:{100 * (at - first) / (last - first):.2f}%;font-size:.75rem">'
        f"{at // 60:02}:00</span>" for at in range(first, last - step + 1, step))
    return (f'<div aria-hidden="true" style="{_LINE};padding-top:0"><div style="{_NAME}"></div>'
            f'<div style="{_TRACK};background:none;border-radius:0">{ticks}</div><div style="{_SAID}"></div></div>')
