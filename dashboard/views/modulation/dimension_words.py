"""The words that drive a dimension of the adapter's working space."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, state
from dashboard.services import catalog, modulations
from dashboard.widgets import notices
from imrnns_core.explanation.score_accounting import shifts
from imrnns_core.retrieval.comparison import Comparison

STRONG = 5.0
"""Standard errors that a word must pass.

Of a million pairs of word and dimension about one does so by chance.
"""


def show(comparison: Comparison) -> None:
    """Draw the words that drive the picked dimension, and how far it shifts the picked document."""
    selection = state.current()
    ranker = catalog.ranker(selection.data, selection.adapter)
    if selection.dimension >= ranker.adapter.card.output_dim:
        notices.show(
            "info",
            f"This adapter has no dimension {selection.dimension}",
            f"It has {ranker.adapter.card.output_dim}.",
        )
        return
    drivers = modulations.words(selection.data).dimension_words(
        ranker.transform.projected[:, selection.dimension].numpy()
    )
    with st.container(border=True, key="dimension"):
        at = comparison.position.get(selection.document)
        here = (
            ""
            if at is None
            else formatting.minus(f"{shifts(comparison)[at, selection.dimension]:+.5f}")
        )
        listing = "\n".join(
            formatting.minus(f"{w.z:+.1f}") + f"  {w.word} ({w.documents} documents)"
            for w in drivers
            if abs(w.z) >= STRONG
        )
        chance = (
            f"With {ranker.adapter.card.output_dim} dimensions and many words, values up to ± "
            f"{STRONG:.0f} come by chance"
        )
        notices.text_block(
            f"Dimension {selection.dimension}: which words drive it?",
            listing or "No word drives this dimension: none stands out by more than chance.",
            (
                "Words whose documents lie high (+) or low (−) on it over the corpus, in standard "
                f"errors. {chance}: only words beyond are listed."
            )
            + (here and f" Here it shifts {selection.document} by {here}."),
        )
