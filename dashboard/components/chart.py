"""A Plotly figure on the page, and what was clicked in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard import state

_BUTTONS = ["zoomIn2d", "zoomOut2d", "autoScale2d"]


def _config() -> dict[str, Any]:
    """Return the toolbar: its camera saves the chart in the chosen format."""
    picture = {"format": state.current().picture, "scale": 2 if state.current().picture == "png" else 1}
    # Without a graphics card each GL pixel costs processor time; Plotly draws four for one by default
    return {"displaylogo": False, "toImageButtonOptions": picture, "modeBarButtonsToRemove": _BUTTONS, "plotGlPixelRatio": 1}


def show(figure: go.Figure, key: str, alt: str = "") -> None:
    """Draw a figure that answers no clicks; `alt` says what it shows to those who cannot see it."""
    st.plotly_chart(figure, key=key, config=_config(), alt=alt or None)


@dataclass(frozen=True)
class Mark:
    """A selected mark: its trace and its number in the trace, and its `customdata`, empty where it has none."""

    trace: int
    index: int
    custom: list[Any]


@dataclass(frozen=True)
class Picked:
    """The marks that are selected, and the `customdata` of those that became so since the last run."""

    marks: list[Mark]
    new: list[list[Any]]
    changed: bool

    @property
    def all(self) -> list[list[Any]]:
        """The `customdata` of all selected marks that have one."""
        return [mark.custom for mark in self.marks if mark.custom]


def clicks(figure: go.Figure, key: str, alt: str = "", lasso: bool = False, context: str = "") -> Picked:
    """Draw a figure; return the marks that were picked in it, by a click or (with `lasso`) by drawing around them.

    Args:
        figure: The figure.
        key: Its key.
        alt: What it shows, for those who cannot see it.
        lasso: Whether several marks can be drawn around.
        context: What the figure is about, such as a query. A selection made in another context does not count:
            it names marks of another figure.
    """
    modes = ("points", "box", "lasso") if lasso else ("points",)
    figure.layout.selectionrevision = context
    event: Any = st.plotly_chart(figure, key=key, on_select="rerun", selection_mode=modes, config=_config(), alt=alt or None)
    marks = [
        Mark(int(p.get("curve_number", 0)), int(p.get("point_index", 0)), list(p["customdata"]) if isinstance(p.get("customdata"), (list, tuple)) else [])
        for p in event.selection.points
    ]  # fmt: skip
    last, made_in = st.session_state.get(f"{key}_last", ([], context))
    changed = marks != last
    made_in = context if changed else made_in
    st.session_state[f"{key}_last"] = (marks, made_in)
    if made_in != context:
        return Picked([], [], False)
    return Picked(marks, [m.custom for m in marks if m.custom] if changed else [], changed)
