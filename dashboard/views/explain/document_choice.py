"""Which document is explained, and whether its score or its score change is."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, selection, state
from dashboard.services import catalog, explanations
from dashboard.widgets import notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison

TARGETS = {"change": "Score change", "score": "Modulated score"}
NOT_RETRIEVED = (
    "It is not among the {} candidates, so re-ranking cannot help. If every document were scored: "
    "{} Rephrase the question in the sidebar to see which wording retrieves it. "
    "The rest of this page explains a document that was retrieved."
)
NOT_FOUND = (
    "It is not among the {} documents that the base or the adapter ranks highest. If every "
    "document were scored: {} Rephrase the question in the sidebar to see which wording finds it. "
    "The rest of this page explains a document that was found."
)
OWN = "This document is the query itself"
OWN_READING = "It is left out of the rankings of its query, so another document is explained."
MOST_NAMED = 3
"""Relevant documents that were not retrieved and are named with their ranks."""


def warn_not_retrieved(comparison: Comparison, dataset: Dataset) -> None:
    """Name the documents that the reader looks for, but that were not retrieved.

    These are the selected document, and the relevant ones if none of them was retrieved. The
    warning gives their ranks if every document of the corpus were scored.
    """
    selected = state.current().document
    missing = comparison.relevant_not_retrieved
    if dataset.leaves_out(comparison.query.id, selected):
        notices.show("info", OWN, OWN_READING)
        selected = ""
    # with a relevant candidate, the page explains that one and needs no warning
    named = [] if comparison.relevant.any() else missing[:MOST_NAMED]
    # the card of a document links here even if it was not retrieved
    if selected in dataset.document and selected not in comparison.position:
        named = [selected, *(i for i in named if i != selected)]
    if not named:
        return
    first = dataset.document[named[0]].title or named[0]
    relevant = "relevant " if named[0] in missing else ""
    title = f"The {relevant}document “{first}” was not retrieved"
    ranks = " ".join(_corpus_ranks(comparison, dataset, i) for i in named)
    more = len(missing) - sum(i in missing for i in named)
    further = f" {more} more relevant were not retrieved." if more and relevant else ""
    reading = NOT_RETRIEVED if comparison.certainty is None else NOT_FOUND
    notices.show("warning", title, reading.format(len(comparison.document_ids), ranks + further))


def _corpus_ranks(comparison: Comparison, dataset: Dataset, document_id: str) -> str:
    ranker = catalog.ranker(state.current().data, state.current().system)
    ranks = ranker.corpus_ranks(comparison, document_id)
    title = dataset.document[document_id].title or document_id
    shown = [f"{s} rank {rank}" for s, rank in ranks.items() if s in ("base", "modulated")]
    return f"“{title}” {', '.join(shown)}."


def show(comparison: Comparison, dataset: Dataset) -> str:
    """Let the reader choose a candidate; return its id.

    It is the one of the Selection, or the best-ranked relevant one, or the one at rank 1.
    """
    order = comparison.order(comparison.final)
    # before the box, which would choose rank 1 without a warning
    _select_candidate(comparison, dataset)
    left, right = st.columns([4, 2], vertical_alignment="bottom")
    ids = [comparison.document_ids[int(i)] for i in order]
    left.selectbox(
        f"Document to explain, by {comparison.final} rank",
        ids,
        help="★ relevant, ✕ judged not relevant.",
        format_func=lambda document_id: _label(comparison, dataset, document_id),
        **state.bound("document", ids),
    )
    if not state.has_adapter():
        return state.current().document
    right.segmented_control(
        "Explain the",
        selection.options("carry"),
        format_func=lambda target: TARGETS[target],
        required=True,
        help="The score change is the modulated minus the base score.",
        **state.bound("carry"),
    )
    return state.current().document


def _select_candidate(comparison: Comparison, dataset: Dataset) -> None:
    """Select a candidate if none is selected."""
    document = state.current().document
    if document in comparison.position:
        return
    if document and document not in dataset.document:
        notices.show(
            "warning",
            f"There is no document {document}",
            "Another document is explained.",
        )
    state.update(document=explanations.explained_document(comparison, document))


def _label(comparison: Comparison, dataset: Dataset, document_id: str) -> str:
    position = comparison.position[document_id]
    name = formatting.relevance_name(int(comparison.relevance[position]))
    title = dataset.document[document_id].title or document_id
    rank = str(comparison.rank(comparison.final)[position])
    if comparison.final != "base":
        rank += f" (base {comparison.rank('base')[position]})"
    return f"{rank} {formatting.RELEVANCE_SIGNS[name]}{title}"
