"""A Plotly figure on the page, and what was clicked in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st
from plotly.io.json import to_json_plotly

from dashboard import state, theme
from dashboard.widgets.plotly_chart import component as plotly_chart

_BUTTONS = ["zoomIn2d", "zoomOut2d", "autoScale2d"]
_DRAWN_AROUND = ["lasso2d", "select2d"]


def _config(lasso: bool = False) -> dict[str, Any]:
    """Return the toolbar: its camera saves the chart in the chosen format."""
    picture = {
        "format": state.current().picture,
        "scale": 2 if state.current().picture == "png" else 1,
    }
    removed = _BUTTONS if lasso else _BUTTONS + _DRAWN_AROUND
    # Without a graphics card each GL pixel costs processor time; Plotly draws four for one by
    # default
    return {
        "displaylogo": False,
        "toImageButtonOptions": picture,
        "modeBarButtonsToRemove": removed,
        "plotGlPixelRatio": 1,
    }


def show(figure: go.Figure, key: str, alt: str = "") -> None:
    """Draw a figure that answers no clicks; `alt` says what it shows to those who cannot see it."""
    _draw(figure, key, _config(), alt)


def _draw(
    figure: go.Figure, key: str, config: dict[str, Any], alt: str, clicks: bool = False
) -> list[dict[str, Any]]:
    drawn = figure.to_dict()
    drawn["layout"]["template"] = theme.template(state.dark())
    return plotly_chart.show(
        to_json_plotly(drawn), int(drawn["layout"]["height"]), key, config, alt, clicks
    )


@dataclass(frozen=True)
class Mark:
    """A selected mark.

    Its trace and its number in the trace, and its `customdata`, empty where it has none.
    """

    trace: int
    index: int
    custom: list[Any]


@dataclass(frozen=True)
class Picked:
    """The marks that are selected; `new` has the `customdata` of those since the last run."""

    marks: list[Mark]
    new: list[list[Any]]
    changed: bool

    @property
    def all(self) -> list[list[Any]]:
        """The `customdata` of all selected marks that have one."""
        return [mark.custom for mark in self.marks if mark.custom]


def clicks(
    figure: go.Figure, key: str, alt: str = "", lasso: bool = False, context: str = ""
) -> Picked:
    """Draw a figure.

    Return the marks that were picked in it, by a click or (with `lasso`) by drawing around them.

    Args:
        figure: The figure.
        key: Its key.
        alt: What it shows, for those who cannot see it.
        lasso: Whether several marks can be drawn around.
        context: What the figure is about, such as a query. A selection made in another context does
            not count: it names marks of another figure.
    """
    drag = figure.layout.dragmode or "pan"
    figure.layout.update(
        dragmode=drag, hovermode="closest", clickmode="event" if drag == "lasso" else "event+select"
    )
    marks = [
        Mark(m["trace"], m["index"], m["custom"])
        for m in _draw(figure, key, _config(lasso), alt, clicks=True)
    ]
    last, made_in = st.session_state.get(f"{key}_last", ([], context))
    changed = marks != last
    made_in = context if changed else made_in
    st.session_state[f"{key}_last"] = (marks, made_in)
    if made_in != context:
        return Picked([], [], False)
    return Picked(marks, [m.custom for m in marks if m.custom] if changed else [], changed)
