"""Which picture is drawn, and how."""

from __future__ import annotations

import streamlit as st

from dashboard import selection, state
from imrnns_core.data.dataset import Dataset

COLOURS = ["relevance", "movement", "cluster", "subject"]
DRAG_HELP = (
    "With the lasso, draw around marks to list their documents. Two clicks take the selection back."
)


def is_three() -> bool:
    """Say whether the picture has three dimensions."""
    return state.current().view != "target" and state.current().axes == "3-D"


def needs_map() -> bool:
    """Say whether the picture needs the map of the corpus."""
    return state.current().view != "target" or state.current().colour == "cluster"


def show(dataset: Dataset) -> None:
    """Draw the choices that the chosen view has."""
    colours = [c for c in COLOURS if c != "subject" or any(d.subject for d in dataset.documents)]
    with st.container(horizontal=True, gap="medium"):
        st.segmented_control(
            "View", selection.options("view"), required=True, wrap=True, **state.bound("view")
        )
        st.segmented_control(
            "Colour", colours, required=True, wrap=True, **state.bound("colour", colours)
        )
        if state.current().view != "target":
            st.segmented_control(
                "Axes", selection.options("axes"), required=True, **state.bound("axes")
            )
        if not is_three():
            st.segmented_control(
                "Drag to",
                selection.options("drag"),
                required=True,
                help=DRAG_HELP,
                **state.bound("drag"),
            )
