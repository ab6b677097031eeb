"""Why the best relevant document is not on top, where that can be told."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog, evaluations
from dashboard.widgets import notices
from imrnns_core.evaluation.diagnosis import LEXICAL_TOP, UNFAMILIAR_WORD_TOKENS, Diagnosis
from imrnns_core.retrieval.comparison import Comparison

NO_CAUSE = (
    "None of the known causes applies",
    f"BM25 has none higher among its first {LEXICAL_TOP}, the encoder reads no word of the query "
    f"in {UNFAMILIAR_WORD_TOKENS} pieces or more and missed none in a text that it cut off, no "
    "near-duplicate stands above the best one, and what stands first was judged.",
)
SIGNS = (
    "Known causes whose signs are here. A sign is no proof: edit a text in Explain, or type the "
    "question anew, and see whether the rank follows."
)


def show(comparison: Comparison) -> None:
    """Draw the causes whose signs are here."""
    found = _diagnosis(comparison)
    if found is None:
        return
    with st.container(key="causes"):
        st.header("Why is the relevant document not on top?", anchor=False)
        if not found.findings:
            notices.show("info", *NO_CAUSE)
            return
        st.caption(SIGNS)
        for finding in found.findings:
            notices.show("warning", finding.cause.capitalize(), finding.sentence)


def _diagnosis(comparison: Comparison) -> Diagnosis | None:
    """Return what keeps the relevant document from the top; None where nothing is to explain."""
    selection = state.current()
    split = catalog.dataset(selection.data).split_of.get(comparison.query.id)
    if split is None or not any(grade > 0 for grade in comparison.judgments.values()):
        return None
    if comparison.best_relevant_rank("modulated") == 1:
        return None  # and so no search for causes
    found = evaluations.diagnosis(selection.data, selection.adapter, comparison.query.id)
    # it was on top until feedback documents were left out
    return None if found.ranks[-1] == 1 else found
