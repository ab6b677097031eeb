"""Explain: why this document?"""

from __future__ import annotations

import streamlit as st

from dashboard import navigation, state
from dashboard.services import catalog, comparisons, explanations
from dashboard.services.explanations import PairKey
from dashboard.views.explain import (
    deletion_test,
    document_choice,
    neighbour_comparison,
    score_breakdown,
    verified_words,
    vocabulary,
    words,
)
from dashboard.widgets import adapter_hint, document_panel, grade_control, notices
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explanation import score_accounting
from imrnns_core.retrieval.comparison import Comparison

READING = "One query and one document: what changes the score, and which words are behind it."
BASE_READING = "One query and one document: which words are behind the base score."
EDIT = "Edit the texts on Compare"
EDIT_HELP = "Shows the ranks and scores of edited texts, and the words behind them."

NO_WORDS = "Words cannot be explained for this encoder and these vectors"
PASSAGE = "{} is explained: the passage of this long document with the best base score."


def show() -> None:
    """Draw the page."""
    notices.heading("Why this document?", READING if state.has_adapter() else BASE_READING)
    if adapter_hint.needs_vectors("The explanation of a score"):
        return
    adapter_hint.show("the parts of the score change, and the words behind them")
    selection = state.current()
    dataset = catalog.dataset(selection.data)
    comparison = comparisons.selected(selection)
    document_panel.query(comparison)
    document_choice.warn_not_retrieved(comparison, dataset)
    key = PairKey.of(state.current(), document_choice.show(comparison, dataset))
    _show_document(comparison, key.document)
    pair = explanations.pair(key)
    accounting = score_accounting.account(comparison) if state.has_adapter() else None
    if accounting is None:
        notices.show("info", *score_breakdown.base_summary(pair))
    else:
        notices.show("info", *score_breakdown.summary(pair, accounting))
        score_breakdown.show(pair, accounting)
    try:
        # after the parts that need no encoder, and before those that do
        explanations.explainer(selection.data, selection.system).check_pair(pair)
    except (ExplanationError, EncoderError) as error:
        notices.show("info", NO_WORDS, str(error))
        return
    words.show(key)
    measured = st.container(key="measured")
    _offer_editors()
    neighbour_comparison.show(key, pair, accounting, dataset)
    if state.has_adapter():
        words.show_accounts(key)
        vocabulary.show(key)
        deletion_test.show(key)
    deletion_test.offer_report(key)
    # filled last: it encodes dozens of texts, and the rest of the page can be read meanwhile
    with measured:
        verified_words.show(key)


def _offer_editors() -> None:
    if st.button(EDIT, key="edit_texts", icon=":material/edit:", help=EDIT_HELP):
        state.update(editing="yes")
        document_panel.request_reveal()
        navigation.go("compare")


def _show_document(comparison: Comparison, document_id: str) -> None:
    """Draw which passage is explained, if the document was split, and the control for its grade."""
    if best := comparison.passages.get(document_id):
        st.caption(PASSAGE.format(str(best).capitalize()))
    grade_control.show(comparison, document_id, "explain")
