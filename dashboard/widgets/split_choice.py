"""A page's question with the choice of a split beside it."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog
from dashboard.widgets import notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT

NO_QUERIES = (
    "This data set has no queries",
    "Type one in the sidebar: Compare, Modulation and Map work without.",
)


def heading(question: str, reading: str) -> str | None:
    """Draw the page's question with the choice of a split beside it.

    Return the split, None where there is no query.
    """
    title, choice = st.columns([7, 3], vertical_alignment="bottom")
    with title:
        notices.heading(question, reading)
    with choice:
        return _choice()


def _choice() -> str | None:
    """Draw the choice of a split; say so, and return None, where there is no query."""
    splits = _splits(catalog.dataset(state.current().data))
    if not splits:
        notices.show("info", *NO_QUERIES)
        return None
    st.segmented_control("Split", splits, required=True, wrap=True, **state.bound("split", splits))
    return state.current().split if state.current().split in splits else splits[0]


def _splits(dataset: Dataset) -> list[str]:
    """Return the splits, held-out ones first; unjudged queries are a choice of their own."""
    splits = [s for s in ("test", "dev") if s in dataset.splits]
    splits += [s for s in dataset.splits if s not in splits]
    if len(dataset.split_of) < len(dataset.queries):
        splits.append(UNJUDGED_SPLIT)
    return splits
