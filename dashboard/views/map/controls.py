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
COLOUR_HELP = (
    "Cluster: groups of similar documents of the whole corpus (k-means on its embeddings); the "
    "legend names them. The other colours have a legend, too."
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


def _views() -> list[str]:
    """Return the views; without an adapter, no query moves."""
    return [v for v in selection.options("view") if v != "effective" or state.has_adapter()]


def _colours(dataset: Dataset) -> list[str]:
    """Return what can be coloured; many data sets have no subjects."""
    has = {
        "subject": any(document.subject for document in dataset.documents),
        "movement": state.has_adapter(),
    }
    return [colour for colour in COLOURS if has.get(colour, True)]


def show(dataset: Dataset) -> None:
    """Draw the choices that the selected view has."""
    views, colours = _views(), _colours(dataset)
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
            help=COLOUR_HELP,
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
