"""Charts in the portal's colours, in the light and in the dark: readable without colour, quiet, nothing to set."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
import streamlit as st

ROW, AROUND = 27, 48
"""Pixels of a heatmap: a line, and what stands around all of them."""
MOST_NAMES = 13
"""Columns that are named, so that the names fit a telephone."""
LONGEST_NAME = 18
"""Letters of a name beside a chart; whole where it is pointed at."""
_QUIET = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False}
_STYLES: dict[str, dict[str, str]] = {
    "light": {"low": "#eaf1f6", "high": "#1f5f8b", "text": "#0f1822", "lines": "#d5dbe1", "pale": "#b9c6d1",
              "second": "#2e7d5b"},
    "dark": {"low": "#1f2d39", "high": "#5aa3d4", "text": "#e6eaee", "lines": "#38434e", "pale": "#56646f",
             "second": "#6fc29b"},
}


def heatmap(
    rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]],
    words: Sequence[Sequence[str]], told: Sequence[Sequence[str]],
) -> go.Figure:
    """Shares from 0 to 1, with `words` in the cells; `told` is what a cell says where it is pointed at.

    A cell without a value is left blank under its words. Rows stand from top to bottom.
    """
    style = _style()
    cells = [(n, m) for n in range(len(rows)) for m in range(len(columns))]
    return go.Figure([
        {
            "type": "heatmap", "z": [list(line) for line in values],
            "text": [["" if value is None else said for value, said in zip(*pair, strict=True)]
                     for pair in zip(values, words, strict=True)],
            "texttemplate": "%{text}", "zmin": 0, "zmax": 1, "colorscale": [(0, style["low"]), (1, style["high"])],
            "showscale": False, "xgap": 2, "ygap": 2, "hoverinfo": "skip",
        },
        {  # cells of a heatmap cannot be chosen by a click; markers that nobody sees can
            "type": "scatter", "mode": "markers+text", "customdata": cells,
            "x": [m for _, m in cells], "y": [n for n, _ in cells],
            "text": ["" if values[n][m] is not None else words[n][m] for n, m in cells],
            "textfont": {"color": style["text"], "size": 11},
            "hovertext": [told[n][m] for n, m in cells], "hoverinfo": "text",
            "marker": {"opacity": 0, "size": ROW - 4, "symbol": "square"}, "selected": {"marker": {"opacity": 0}},
            "unselected": {"marker": {"opacity": 0}, "textfont": {"color": style["text"]}}, "showlegend": False,
        },
    ], {
        **_layout(
            AROUND + ROW * len(rows),
            {**_named(columns), "side": "top", "range": [-0.5, len(columns) - 0.5]},
            {"tickvals": list(range(len(rows))), "ticktext": [plain(_short(row)) for row in rows], "showgrid": False,
             "range": [len(rows) - 0.5, -0.5]},
        ),
        "hoverdistance": -1,  # wherever in a cell
    })


def bars(columns: Sequence[str], series: Mapping[str, Sequence[float]], unit: str) -> go.Figure:
    """Groups of bars side by side, three at most; they differ by pattern as well as by colour."""
    style = _style()
    looks = [(style["pale"], ""), (style["high"], ""), (style["second"], "/")]
    return go.Figure([
        {
            "type": "bar", "name": name, "x": list(range(len(columns))), "y": list(values),
            "customdata": [[number, m] for m in range(len(columns))],
            "marker": {"color": colour, "pattern": {
                "shape": pattern, "fgcolor": colour, "bgcolor": style["low"], "size": 5}},
            "hovertemplate": f"%{{y:.1f}} {unit} {name.lower()}<extra></extra>",
            "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}},
        } for number, ((name, values), (colour, pattern)) in enumerate(zip(series.items(), looks, strict=False))
    ], {
        **_layout(300, _named(columns),
                  {"gridcolor": style["lines"], "rangemode": "tozero", "ticksuffix": f" {unit}"}),
        "barmode": "group", "bargap": 0.25,
        "legend": _legend(),
    })


def columns_and_line(
    columns: Sequence[str], series: Mapping[str, Sequence[float]], line: tuple[str, Sequence[float]],
    told: Sequence[Sequence[str]], sign: str,
) -> go.Figure:
    """Two groups of bars with a line over them; `told` is what each bar (and the line, last) says when pointed at."""
    style = _style()
    name, values = line
    drawn = _groups(series, told, upright=True)
    drawn.append({
        "type": "scatter", "mode": "lines+markers", "name": name, "x": list(range(len(columns))), "y": list(values),
        "line": {"color": style["second"], "width": 2}, "marker": {"color": style["second"], "size": 6},
        "hovertext": list(told[-1]), "hoverinfo": "text", "selected": {"marker": {"opacity": 1}},
        "unselected": {"marker": {"opacity": 1}},
    })
    return go.Figure(drawn, {
        **_layout(300, _named(columns), {"gridcolor": style["lines"], "tickprefix": sign, "tickformat": ",.0f"}),
        "barmode": "group", "bargap": 0.25, "legend": _legend(),
    })


def rows(
    names: Sequence[str], series: Mapping[str, Sequence[float]], told: Sequence[Sequence[str]], sign: str
) -> go.Figure:
    """Bars that lie, one below the other, each name with one or two of them; from top to bottom."""
    style = _style()
    thick = ROW if len(series) == 1 else ROW + 8
    height = AROUND + thick * len(names) + (34 if len(series) > 1 else 10)
    return go.Figure(_groups(series, told, upright=False), {
        **_layout(
            height,
            {"gridcolor": style["lines"], "tickprefix": sign, "tickformat": ",.0f", "nticks": 4, "tickangle": 0},
            {"tickvals": list(range(len(names))), "ticktext": [plain(_short(name)) for name in names],
             "showgrid": False, "range": [len(names) - 0.5, -0.5]}),
        "barmode": "group", "bargap": 0.3, "legend": _legend(), "showlegend": len(series) > 1,
        "margin": {"l": 0, "r": 16, "t": 8, "b": 28},
    })


def _groups(series: Mapping[str, Sequence[float]], told: Sequence[Sequence[str]], *, upright: bool) -> list[Any]:
    style = _style()
    looks = [(style["high"], ""), (style["pale"], "/")]
    drawn: list[Any] = []
    for number, ((name, values), (colour, pattern)) in enumerate(zip(series.items(), looks, strict=False)):
        places, amounts = list(range(len(values))), list(values)
        drawn.append({
            "type": "bar", "name": name, "orientation": "v" if upright else "h",
            "x": places if upright else amounts, "y": amounts if upright else places,
            "customdata": [[number, m] for m in places], "hovertext": list(told[number]), "hoverinfo": "text",
            "textposition": "none", "marker": {"color": colour, "pattern": {
                "shape": pattern, "fgcolor": style["text"], "fgopacity": 0.35, "bgcolor": colour, "size": 6}},
            "selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}},
        })
    return drawn


def _legend() -> dict[str, Any]:
    return {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"color": _style()["text"]}}


def show(figure: go.Figure, key: str, clicked: Callable[[int, int], None]) -> None:
    """Draw it; a click on a cell or a bar tells its line (or series) and column."""
    chosen: Any = st.plotly_chart(figure, key=key, on_select="rerun", selection_mode="points", config=_QUIET)
    for point in chosen["selection"]["points"]:
        if "customdata" in point:  # a line over the bars leads nowhere
            clicked(*point["customdata"])


def _layout(height: int, across: dict[str, Any], up: dict[str, Any]) -> dict[str, Any]:
    """Nothing to zoom or drag, on the ground of the page; plotly takes long for what is changed afterwards."""
    style = _style()
    colour = style["text"]
    axis = {"fixedrange": True, "automargin": True, "zeroline": False, "ticks": "", "tickfont": {"color": colour}}
    return {
        "height": height, "margin": {"l": 0, "r": 4, "t": 8, "b": 4}, "dragmode": False, "hovermode": "closest",
        "paper_bgcolor": "rgba(0,0,0,0)", "plot_bgcolor": "rgba(0,0,0,0)", "font": {"color": colour, "size": 12},
        "hoverlabel": {"bgcolor": style["low"], "bordercolor": style["lines"], "font": {"color": colour}},
        "xaxis": {**axis, **across}, "yaxis": {**axis, **up},
    }


def _named(columns: Sequence[str]) -> dict[str, Any]:
    """An axis that names the columns ('2 Mar'), or every second, third … of many; a month only where it begins."""
    shown = range(0, len(columns), -(-len(columns) // MOST_NAMES))
    names, before = [], ""
    for n in shown:
        day, _, month = columns[n].partition(" ")
        names.append(day if month == before else f"{day}<br>{month}")
        before = month
    return {"tickvals": list(shown), "ticktext": names, "tickangle": 0, "showgrid": False}


def _style() -> dict[str, str]:
    return _STYLES["dark" if st.context.theme.type == "dark" else "light"]


def plain(text: str) -> str:
    """Text of people, made safe to stand in a chart, which takes some of it for HTML."""
    return escape(text, quote=False)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME - 1].rstrip()}…"
