"""A Plotly figure on the page, and what was clicked in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import streamlit as st

_CONFIG = {
    "displaylogo": False,
    "toImageButtonOptions": {"format": "svg"},
    "modeBarButtonsToRemove": ["zoomIn2d", "zoomOut2d", "autoScale2d"],
}


def show(figure: go.Figure, key: str) -> None:
    """Draw a figure that answers no clicks."""
    st.plotly_chart(figure, key=key, config=_CONFIG)


@dataclass(frozen=True)
class Picked:
    """The `customdata` of the marks that are selected, and of those that became so since the last run."""

    all: list[list[Any]]
    new: list[list[Any]]


def clicks(figure: go.Figure, key: str, lasso: bool = False) -> Picked:
    """Draw a figure; return the marks that were picked in it, by a click or (with `lasso`) by drawing around them."""
    modes = ("points", "box", "lasso") if lasso else ("points",)
    event: Any = st.plotly_chart(figure, key=key, on_select="rerun", selection_mode=modes, config=_CONFIG)
    picked = [list(p["customdata"]) for p in event.selection.points if isinstance(p.get("customdata"), (list, tuple))]
    last, st.session_state[f"{key}_last"] = st.session_state.get(f"{key}_last"), picked
    return Picked(picked, picked if picked != last else [])
