"""Modulation: how do the query and the documents act on each other?"""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog, comparisons
from dashboard.views.modulation import (
    controls,
    dimension_words,
    document_shifts,
    query_refinement,
    score_accounting,
)
from dashboard.views.modulation.rows import Rows
from dashboard.widgets import document_panel, notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison

SECTIONS = {
    "documents moved": document_shifts.show,
    "query refined": query_refinement.show,
    "score accounting": score_accounting.show,
}


def show() -> None:
    """Draw the page."""
    notices.heading(
        "How do the query and the documents act on each other?",
        "The query moves every document by one scale and one bias; the documents together "
        "refine the query.",
    )
    dataset = catalog.dataset(state.current().data)
    comparison = comparisons.selected(state.current())
    document_panel.query(comparison)
    controls.show()
    if SECTIONS[state.current().part](Rows.of(comparison, dataset)):
        st.rerun()  # what was picked is drawn by what stands above it, too
    _detail(comparison, dataset)


def _detail(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the picked document, and the words that drive the picked dimension."""
    if state.current().dimension < 0:
        document_panel.show(comparison, dataset, key="modulation_document")
        return
    left, right = st.columns(2)
    with left:
        document_panel.show(comparison, dataset, key="modulation_document")
    with right:
        dimension_words.show(comparison)
