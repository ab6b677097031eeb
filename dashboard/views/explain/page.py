"""Explain: why this document?"""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog, comparisons, explanations
from dashboard.services.explanations import PairKey
from dashboard.views.explain import (
    account,
    deletion_test,
    document_choice,
    neighbour_comparison,
    verified_words,
    vocabulary,
    what_if,
    words,
)
from dashboard.widgets import document_panel, notices
from imrnns_core.errors import EncoderError, ExplanationError
from imrnns_core.explanation import score_accounting


def show() -> None:
    """Draw the page."""
    notices.heading(
        "Why this document?",
        "One query, one document: where its score comes from, which words carry it, and what "
        "happens if the texts were others.",
    )
    selection = state.current()
    dataset = catalog.dataset(selection.data)
    comparison = comparisons.selected(selection)
    document_panel.query(comparison)
    document_choice.warn_outside(comparison)
    key = PairKey.of(state.current(), document_choice.show(comparison, dataset))
    pair = explanations.pair(key)
    parts = score_accounting.account(comparison)
    notices.show("info", *account.summary(pair, parts))
    account.show(pair, parts)
    try:
        explanations.explainer(selection.data, selection.adapter).check()
    except (ExplanationError, EncoderError) as error:
        title = "Words are not available for this encoder and these vectors"
        notices.show("info", title, str(error))
        return
    words.show(key)
    measured = st.container(key="measured")
    what_if.show(key, pair, dataset)
    neighbour_comparison.show(key, pair, parts, dataset)
    words.show_accounts(key)
    vocabulary.show(key)
    deletion_test.show(key)
    # last of all: dozens of texts are encoded, while the rest of the page is there to be read
    with measured:
        verified_words.show(key)
