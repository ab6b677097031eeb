"""The choices of the page: which view is drawn, and how."""

from __future__ import annotations

import streamlit as st

from dashboard import selection, state
from imrnns_core.data.dataset import Dataset

COLOURS = ["relevance", "movement", "cluster", "subject"]
VIEWS = {
    "target": "Target (exact)",
    "neighbourhood": "Neighbourhood (UMAP)",
    "linear": "Linear (PCA)",
    "effective": "Effective query (exact)",
}
VIEW_HELP = (
    "Target: true angles to the query. Neighbourhood: UMAP keeps similar documents together. "
    "Linear: PCA draws the two or three directions in which the corpus varies most."
)
EFFECTIVE_HELP = " Effective query: the documents stay, and the query moves."
FLAT = ("target", "effective")
"""The views that need no map, and have two dimensions."""
DRAGGING = {"move": "Move the view", "lasso": "Select documents"}
DRAG_HELP = (
    "With “Select documents”, draw around marks to list their documents. Double-click to clear "
    "the selection."
)


def is_three() -> bool:
    """Return whether the view has three dimensions."""
    return state.current().view not in FLAT and state.current().axes == "3-D"


def needs_map() -> bool:
    """Return whether the view needs the map of the corpus."""
    return state.current().view not in FLAT or state.current().colour == "cluster"


def show(dataset: Dataset) -> None:
    """Draw the choices that the selected view has."""
    # many data sets have no subjects
    views = selection.options("view")
    colours = [c for c in COLOURS if c != "subject" or any(d.subject for d in dataset.documents)]
    if not state.has_adapter():  # nothing moves
        colours.remove("movement")
        views.remove("effective")
    with st.container(horizontal=True, gap="medium"):
        st.segmented_control(
            "View",
            views,
            format_func=lambda view: VIEWS[view],
            required=True,
            wrap=True,
            help=VIEW_HELP + (EFFECTIVE_HELP if state.has_adapter() else ""),
            **state.bound("view", views),
        )
        st.segmented_control(
            "Colour by",
            colours,
            format_func=str.capitalize,
            required=True,
            wrap=True,
            **state.bound("colour", colours),
        )
        if state.current().view not in FLAT:
            st.segmented_control(
                "Dimensions", selection.options("axes"), required=True, **state.bound("axes")
            )
        # in three dimensions, dragging turns the map
        if not is_three():
            st.segmented_control(
                "Drag the mouse to",
                selection.options("drag"),
                format_func=lambda drag: DRAGGING[drag],
                required=True,
                help=DRAG_HELP,
                **state.bound("drag"),
            )
