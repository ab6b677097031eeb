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
from dashboard.views.modulation.document_rows import DocumentRows, Heatmap
from dashboard.widgets import adapter_hint, document_panel, notices

SECTIONS = {
    "documents moved": document_shifts.show,
    "query refined": query_refinement.show,
    "score accounting": score_accounting.show,
}

NO_ADAPTER = (
    "Without an adapter, nothing is modulated",
    "The base ranking compares the embeddings of query and documents as they are. Choose an "
    "adapter in the sidebar, or train one.",
)


def show() -> None:
    """Draw the page."""
    notices.heading(
        "How do the query and the documents act on each other?",
        "An adapter computes a scale and a bias from the query and applies both to every "
        "candidate. In return, the candidates together refine the query.",
    )
    if adapter_hint.needs_vectors("Modulation"):
        return
    if not state.has_adapter():
        notices.show("info", *NO_ADAPTER)
        adapter_hint.show("this page: how far each document moves, and what refines the query")
        return
    dataset = catalog.dataset(state.current().data)
    comparison = comparisons.selected(state.current())
    document_panel.query(comparison)
    controls.show()
    rows = DocumentRows.from_comparison(comparison, dataset)
    section = SECTIONS[state.current().part](rows)
    if section.clicked:
        st.rerun()  # charts above the clicked one show the selected document, too
    _details(rows, section.heatmap)


def _details(rows: DocumentRows, heatmap: Heatmap | None) -> None:
    """Draw the selected document, and the words of the selected dimension."""
    if state.current().dimension < 0:
        document_panel.show(rows.comparison, rows.dataset, key="modulation_document")
        return
    left, right = st.columns(2)
    with left:
        document_panel.show(rows.comparison, rows.dataset, key="modulation_document")
    with right:
        dimension_words.show(rows, heatmap)
