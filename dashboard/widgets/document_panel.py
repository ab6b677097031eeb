"""The query as asked, and the text of the picked document: always one click away."""

from __future__ import annotations

import streamlit as st

from dashboard import formatting, navigation, state
from dashboard.widgets import notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES


def query(comparison: Comparison) -> None:
    """Draw the query, and what its judgments say of both rankings."""
    judged = comparison.judgments
    relevant = sum(g > 0 for g in judged.values())
    if not comparison.query.id:
        small = "typed in; nobody has judged documents for it"
    elif not relevant:
        small = f"{comparison.query.id}; no document is judged relevant"
    else:
        ranks = [comparison.best_relevant_rank(stage) for stage in ("base", "modulated")]
        outside = len(comparison.relevant_not_retrieved)
        small = (
            f"{comparison.query.id}; best relevant document: base rank {ranks[0] or '—'}, "
            f"modulated rank {ranks[1] or '—'}; {relevant} relevant"
        )
        small += f", {outside} of them not among the candidates" if outside else ""
    notices.text_block(comparison.query.text, "", small)


def show(comparison: Comparison, dataset: Dataset, key: str) -> None:
    """Draw the picked document with its ranks and scores at all stages.

    Nothing where none is picked.
    """
    document = dataset.document.get(state.current().document)
    if document is None:
        return
    with st.container(border=True, key=key):
        notices.text_block(document.title, document.text, _standing(comparison, document.id))
        if document.id in comparison.position and st.button(
            "Why this document?", key=f"{key}_explain", icon=":material/search_insights:"
        ):
            navigation.go("explain")
        st.button(
            "Close the document",
            key=f"{key}_close",
            on_click=lambda: state.update(document="", dimension=-1),
        )


def _standing(comparison: Comparison, document_id: str) -> str:
    """Return where the document stands at all stages."""
    at = comparison.position.get(document_id)
    named = f"{document_id} · {formatting.graded(comparison.judgments.get(document_id, -1))}"
    if at is None:
        return f"{named} · not among the candidates of this query"
    stages = [
        f"{stage} {comparison.rank(stage)[at]} ({formatting.decimal(comparison.score(stage)[at])})"
        for stage in STAGES
    ]
    return f"{named} · " + ", ".join(stages)
