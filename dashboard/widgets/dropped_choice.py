"""The choice of feedback documents that do not refine the query."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.comparison import Comparison


def show(comparison: Comparison, dataset: Dataset, help_text: str | None = None) -> None:
    """Draw the choice. With a single candidate there is none: it has to refine the query."""
    ids = list(comparison.candidate_ids)
    if len(ids) < 2:
        return
    st.multiselect(
        "Exclude documents from query refinement",
        ids,
        max_selections=len(ids) - 1,
        format_func=lambda i: f"{i} · {dataset.document[i].title}",
        placeholder="None: all candidates refine the query",
        help=help_text,
        **state.bound_dropped(ids),
    )
