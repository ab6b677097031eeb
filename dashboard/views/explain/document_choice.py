"""Which document is explained, and what its words carry."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, selection, state
from dashboard.services import catalog
from dashboard.widgets import notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison


def warn_outside(comparison: Comparison) -> None:
    """Say that no candidate is relevant, before the page explains one that is not.

    Show where the relevant one stands.
    """
    missing = comparison.relevant_not_retrieved
    if not missing or any(comparison.relevance > 0):
        return
    ranker = catalog.ranker(state.current().data, state.current().adapter)
    places = ranker.corpus_ranks(comparison, missing[0])
    notices.show(
        "warning",
        "No relevant document is among the candidates: what follows explains another one",
        f"{missing[0]} is relevant. Were every document of the corpus scored, its base rank "
        f"would be {places['base']}, its modulated rank {places['modulated']}. Type the question "
        "anew on the left to see which wording reaches it.",
    )


def show(comparison: Comparison, dataset: Dataset) -> str:
    """Let the user choose a candidate.

    The Selection's, else the best-ranked relevant one, else the first.
    """
    order = comparison.order("modulated")
    _complete(comparison)
    left, right = st.columns([4, 2], vertical_alignment="bottom")
    ids = [comparison.document_ids[int(i)] for i in order]
    left.selectbox(
        "Document, by modulated rank",
        ids,
        format_func=lambda document_id: _label(comparison, dataset, document_id),
        **state.bound("document", ids),
    )
    right.segmented_control(
        "Words that carry the",
        selection.options("carry"),
        required=True,
        help="The change is modulated − base; the score is the modulated one.",
        **state.bound("carry"),
    )
    return state.current().document


def _complete(comparison: Comparison) -> None:
    """Select a candidate where none is."""
    document = state.current().document
    if document in comparison.position:
        return
    if document:
        notices.show(
            "warning",
            f"{document} is not among the candidates of this query",
            "Only candidates are scored.",
        )
    order = comparison.order("modulated")
    relevant = [i for i in order if comparison.relevance[i] > 0]
    state.update(document=comparison.document_ids[int(relevant[0] if relevant else order[0])])


def _label(comparison: Comparison, dataset: Dataset, document_id: str) -> str:
    at = comparison.position[document_id]
    sign = formatting.RELEVANCE_SIGNS[formatting.relevance_name(int(comparison.relevance[at]))]
    base, modulated = comparison.rank("base")[at], comparison.rank("modulated")[at]
    return f"{modulated} (base {base}) {sign}{dataset.document[document_id].title or document_id}"
