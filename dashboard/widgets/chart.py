"""A Plotly figure on the page, and the marks that the reader clicked in it."""

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
    """Return the settings of the toolbar, with the chart format of the sidebar."""
    picture = {
        "format": state.current().picture,
        "scale": 2 if state.current().picture == "png" else 1,
    }
    removed = _BUTTONS if lasso else _BUTTONS + _DRAWN_AROUND
    # Without a graphics card the processor draws each GL pixel; Plotly draws four per screen pixel
    # by default
    return {
        "displaylogo": False,
        "displayModeBar": "hover",
        "toImageButtonOptions": picture,
        "modeBarButtonsToRemove": removed,
        "plotGlPixelRatio": 1,
    }


def show(figure: go.Figure, key: str, alt: str = "") -> None:
    """Draw a figure that does not react to clicks. `alt` describes it for screen readers."""
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
    """A selected mark: its trace, its index in the trace, and its `customdata` (may be empty)."""

    trace: int
    index: int
    custom: list[Any]


@dataclass(frozen=True)
class Picked:
    """The selected marks. `new` has the `customdata` of those selected since the last run."""

    marks: list[Mark]
    new: list[list[Any]]
    changed: bool

    @property
    def all(self) -> list[list[Any]]:
        """The `customdata` of all selected marks that have some."""
        return [mark.custom for mark in self.marks if mark.custom]


def clicks(
    figure: go.Figure, key: str, alt: str = "", lasso: bool = False, context: str = ""
) -> Picked:
    """Draw a figure and return the marks that the reader selected in it.

    Args:
        figure: The figure.
        key: Its key.
        alt: A description for screen readers.
        lasso: Whether the reader can draw around several marks; otherwise a click selects one.
        context: What the figure is about, such as a query. A selection made in another context is
            ignored, because it names marks of another figure.
    """
    drag = figure.layout.dragmode or "pan"
    figure.layout.update(
        dragmode=drag, hovermode="closest", clickmode="event" if drag == "lasso" else "event+select"
    )
    marks = [
        Mark(m["trace"], m["index"], m["custom"])
        for m in _draw(figure, key, _config(lasso), alt, clicks=True)
    ]
    last, last_context = st.session_state.get(f"{key}_last", ([], context))
    # the component returns its selection in every run: only another one is a new click
    changed = marks != last
    selected_in = context if changed else last_context
    st.session_state[f"{key}_last"] = (marks, selected_in)
    if selected_in != context:
        return Picked([], [], False)
    return Picked(marks, [m.custom for m in marks if m.custom] if changed else [], changed)
