"""The screen of utilisation put together: filters, figures with what they mean, charts, the same as a table."""

from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from core.insight.export import behind
from core.insight.queries import Line, Utilisation, asked_for, utilisation
from core.insight.rules import MEANS, MOST_WEEKS, NO_HOURS, Figure, Minutes, Week, total
from core.programmes.queries import ProgrammeView
from core.sessions.address import Listing, person_words
from core.structure.queries import Options, options
from core.work import Work
from ui import charts, exporting, filters, navigation
from ui.format import capital, zone_words

LINES = 25
"""Practitioners on a page."""
ORDERS = {"name": "Name", "most": "Most used first", "least": "Least used first"}
_KEPT, _ORDER, _PAGE = "utilisation:kept", "utilisation:order", "utilisation:page"
_BARS = (Figure.AVAILABLE, Figure.BOOKED, Figure.DELIVERED)


def screen(work: Work, programme: ProgrammeView) -> None:
    """The whole screen."""
    _arrive(programme)
    words = programme.policy.words
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title("Utilisation", width="content")
        exporting.offer("utilisation", filters.address(programme),
                        f"Exactly what is filtered, every {words.practitioner} and week.")
    offered = options(work, programme.id)
    asked = asked_for(work, programme.id, filters.said(), offered)
    filters.for_figures(work, programme, offered, asked, _order)
    st.session_state[_KEPT] = (programme.id, filters.said())
    with st.spinner("Adding up hours…"):  # seconds where thousands lead sessions
        found = utilisation(work, programme.id, asked.filters)
    _weeks(work, programme, found, asked)
    if not any(any(week) for week in found.by_week):
        with st.container(border=True):
            st.markdown(
                f"Nobody has hours or {words.many('session')} in these weeks. Choose other weeks"
                + (", or clear the filters." if set(filters.said()) - {"from", "to", "sort"} else "."))
        return
    _Drawn(work, programme, found, asked, offered).show()


def _arrive(programme: ProgrammeView) -> None:
    """Coming back finds the screen as it was left; another programme starts afresh, a link says itself what it is."""
    left_in, kept = st.session_state.get(_KEPT, (programme.id, {}))
    if left_in != programme.id:
        filters.clear()
    elif _ORDER not in st.session_state and not filters.said():
        filters.write(**kept)


def _order() -> None:
    said = st.query_params.get("sort", "")
    if st.session_state.get(_ORDER) != (wanted := said if said in ORDERS else "name"):
        st.session_state[_ORDER] = wanted

    def changed() -> None:
        chosen = st.session_state[_ORDER]
        filters.write(sort=None if chosen == "name" else chosen)

    st.selectbox("Order", list(ORDERS), format_func=ORDERS.__getitem__, key=_ORDER, on_change=changed,
                 width=filters.WIDE)


def _weeks(work: Work, programme: ProgrammeView, found: Utilisation, asked: Listing) -> None:
    first, last = found.weeks[0], found.weeks[-1]
    said = f"{_day(first)} to {last.sunday:%a} {last.sunday.day} {last.sunday:%b %Y}"
    st.caption(f"Weeks from {said} · {zone_words(programme.zone, work.now)}")
    until = asked.filters.until
    if len(found.weeks) == MOST_WEEKS and until and until > last.sunday:
        st.info(f"At most {MOST_WEEKS} weeks are shown at once; later ones are left out.", icon=":material/info:")


class _Drawn:
    """The figures as they are drawn, with a way to what is behind each."""

    def __init__(
        self, work: Work, programme: ProgrammeView, found: Utilisation, asked: Listing, offered: Options
    ) -> None:
        self.programme, self.found, self.words = programme, found, programme.policy.words
        lines = _in_order(found.lines)
        self.pages = -(-len(lines) // LINES)
        said = st.query_params.get("page", "1")
        self.page = min(int(said), self.pages) if said.isdecimal() and len(said) < 9 and int(said) else 1
        self.lines = lines[(self.page - 1) * LINES:self.page * LINES]
        self.called = person_words(work, programme.id, [line.person_id for line in self.lines])
        self.narrowed = {name: values for name, values in filters.said().items()
                         if name in ("timetable", "course", "type")}
        self.alone = len(found.lines) == 1
        self.chosen = list(self.called.values()) if self.alone else filters.said().get("practitioner", [])
        self.days = [f"{week.monday.day} {week.monday:%b}" for week in found.weeks]

    def show(self) -> None:
        """Figures, charts, table."""
        self._totals()
        st.header(f"By {self.words.practitioner} and week", help=MEANS[Figure.UTILISATION])
        st.caption("Booked hours as a share of available hours, in per cent. Click a cell for what is behind it.")
        charts.show(self._heatmap(), "utilisation-heatmap", self._cell_clicked)
        self._turn()
        st.header("Hours a week", help=" ".join(f"{capital(each)}: {MEANS[each]}" for each in _BARS))
        whose = "" if self.alone else "All those chosen together. " if self.chosen else "Everybody together. "
        st.caption(f"{whose}Click what is booked or delivered for the {self.words.many('session')} behind it.")
        charts.show(self._bars(), "utilisation-bars", self._bar_clicked)
        st.header("The same as a table")
        st.caption(f"Each figure leads to the {self.words.many('session')} that begin in its week.")
        st.html(self._table())

    def _totals(self) -> None:
        whole = total(self.found.by_week)
        with st.container(horizontal=True, gap="medium", key="figures"):
            for figure in Figure:
                said = _percent(whole) if figure is Figure.UTILISATION else _hours(getattr(whole, figure))
                st.metric(capital(figure), said, help=MEANS[figure], width="content")

    def _heatmap(self) -> Any:
        found = self.found
        return charts.heatmap(
            [line.name for line in self.lines], self.days,
            [[None if week.utilisation is None else week.utilisation for week in line.weeks] for line in self.lines],
            [[_in_cell(week).removesuffix("%") for week in line.weeks] for line in self.lines],
            [[f"{charts.plain(line.name)}, week of {_day(week)}<br>{_told(figures)}"
              for week, figures in zip(found.weeks, line.weeks, strict=True)] for line in self.lines],
        )

    def _bars(self) -> Any:
        return charts.bars(self.days, {
            capital(figure): [getattr(week, figure) / 60 for week in self.found.by_week] for figure in _BARS}, "h")

    def _cell_clicked(self, line: int, week: int) -> None:
        if line >= len(self.lines) or week >= len(self.found.weeks) or not self.lines[line].weeks[week].booked:
            return  # it is no longer there, or there is nothing behind it
        if (called := self._only(self.lines[line])) is not None:
            navigation.go("sessions", **behind(Figure.BOOKED, [self.found.weeks[week]], called, self.narrowed))

    def _bar_clicked(self, series: int, week: int) -> None:
        if _BARS[series] is not Figure.AVAILABLE and week < len(self.found.weeks):
            navigation.go("sessions", **behind(_BARS[series], [self.found.weeks[week]], self.chosen, self.narrowed))

    def _turn(self) -> None:
        if self.pages == 1:
            return

        def turned() -> None:
            filters.write(page=str(st.session_state[_PAGE]))

        if st.session_state.get(_PAGE) != self.page:
            st.session_state[_PAGE] = self.page
        st.pagination(self.pages, key=_PAGE, on_change=turned, width=400)

    def _table(self) -> str:
        """A table of links, for keyboards and for those who have figures read out."""
        weeks = self.found.weeks
        heads = "".join(f'<th scope="col">{escape(day)}</th>' for day in self.days)
        sums = "".join(f'<th scope="col">{capital(figure)}</th>' for figure in Figure)
        lines = [self._table_line(line.name, line.weeks, self._only(line)) for line in self.lines]
        if not self.alone:
            lines.append(self._table_line("Together", self.found.by_week, self.chosen))
        return (
            f'<div class="figures-scroll"><table class="figures"><caption>Utilisation by '
            f'{escape(self.words.practitioner)} and week, {escape(_day(weeks[0]))} to {escape(_day(weeks[-1]))}'
            f'</caption><thead><tr><th scope="col">{escape(capital(self.words.practitioner))}</th>{heads}{sums}</tr>'
            f'</thead><tbody>{"".join(lines)}</tbody></table></div>'
        )

    def _only(self, line: Line) -> list[str] | None:
        """A line's practitioner as the address names them; nothing where the viewer cannot ask for them by name."""
        called = self.called.get(line.person_id)
        return None if called is None else [called]

    def _table_line(self, name: str, figures: Sequence[Minutes], called: list[str] | None) -> str:
        whole, weeks = total(figures), self.found.weeks

        def cell(said: str, told: str, figure: Figure, at: Sequence[Week], minutes: int) -> str:
            """A figure that leads to its sessions, where there are any."""
            title = f'title="{escape(f"{name}, {told}")}"'
            if not minutes or called is None:
                return f"<td><span {title}>{escape(said)}</span></td>"
            query = {"programme": self.programme.name, **behind(figure, at, called, self.narrowed)}
            where = escape(f"/sessions?{urlencode(query, doseq=True)}")
            return f'<td><a href="{where}" {title}>{escape(said)}</a></td>'

        cells = [
            cell(_in_cell(week), f"week of {_day(at)}: {_told(week)}", Figure.BOOKED, [at], week.booked)
            for at, week in zip(weeks, figures, strict=True)
        ]
        cells.append(f"<td>{_hours(whole.available)}</td>")
        for each, minutes in ((Figure.BOOKED, whole.booked), (Figure.DELIVERED, whole.delivered)):
            cells.append(cell(_hours(minutes), f"{each} in all weeks", each, weeks, minutes))
        cells.append(f"<td>{_percent(whole)}</td>")
        return f'<tr><th scope="row">{escape(name)}</th>{"".join(cells)}</tr>'


def _in_order(lines: Sequence[Line]) -> list[Line]:
    """By name, or by use; those without hours come last."""
    order = st.session_state[_ORDER]
    if order == "name":
        return list(lines)
    sign = -1 if order == "most" else 1
    return sorted(lines, key=lambda line: (
        line.total.utilisation is None, sign * (line.total.utilisation or 0)))


def _in_cell(figures: Minutes) -> str:
    """'83%'; without hours a dash, or what is booked all the same."""
    if figures.percent is not None:
        return f"{figures.percent}%"
    return _hours(figures.booked) if figures.booked else "–"


def _told(figures: Minutes) -> str:
    """'83%: 10 h booked of 12 h available, 8 h delivered'."""
    return (f"{_percent(figures)}: {_hours(figures.booked)} booked of {_hours(figures.available)} available,"
            f" {_hours(figures.delivered)} delivered")


def _percent(figures: Minutes) -> str:
    return NO_HOURS if figures.percent is None else f"{figures.percent}%"


def _hours(minutes: int) -> str:
    """'1,234 h', '7.5 h'."""
    return f"{minutes / 60:,.1f}".removesuffix(".0") + " h"


def _day(week: Week) -> str:
    return f"{week.monday:%a} {week.monday.day} {week.monday:%b %Y}"
