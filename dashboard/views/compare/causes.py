"""Likely causes why the best relevant document is not at rank 1."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog, evaluations
from dashboard.widgets import notices
from imrnns_core.evaluation.diagnosis import LEXICAL_TOP, UNFAMILIAR_WORD_TOKENS, Diagnosis
from imrnns_core.retrieval.comparison import Comparison

NO_CAUSE = (
    "No known cause",
    "The page looked for five causes and found none of them:",
)
CHECKS = f"""
- **Keyword mismatch:** BM25 has no relevant document in its top {LEXICAL_TOP}, or ranks it no
  higher.
- **Truncated text:** no query word occurs only in the part of a relevant document that the encoder
  cuts off.
- **Near-duplicate:** no document with nearly the same embedding is ranked above the best relevant
  document.
- **Unfamiliar words:** the encoder splits no query word into {UNFAMILIAR_WORD_TOKENS} or more
  tokens.
- **Missing judgment:** the top document has been judged.
"""
READING = (
    "These are clues, not proof. To test one, edit the text in Explain or rephrase the question, "
    "and see whether the rank changes."
)


def show(comparison: Comparison) -> None:
    """Draw the likely causes, if a relevant document should be higher."""
    diagnosis = _diagnosis(comparison)
    if diagnosis is None:
        return
    with st.container(key="causes"):
        st.header("Why is the relevant document not at rank 1?", anchor=False)
        if not diagnosis.findings:
            notices.show("info", *NO_CAUSE)
            st.caption(CHECKS)
            return
        st.caption(READING)
        for finding in diagnosis.findings:
            notices.show("warning", finding.cause.capitalize(), finding.sentence)


def _diagnosis(comparison: Comparison) -> Diagnosis | None:
    """Return the diagnosis of the query, or None if there is nothing to explain."""
    selection = state.current()
    split = catalog.dataset(selection.data).split_of.get(comparison.query.id)
    if split is None or not any(grade > 0 for grade in comparison.judgments.values()):
        return None
    if comparison.best_relevant_rank("modulated") == 1:
        return None  # before the search for causes, which takes time
    diagnosis = evaluations.diagnosis(selection.data, selection.adapter, comparison.query.id)
    # The diagnosis uses all feedback documents. If it finds rank 1, the lower rank on this page
    # comes from the documents that the reader excluded
    return None if diagnosis.ranks[-1] == 1 else diagnosis
