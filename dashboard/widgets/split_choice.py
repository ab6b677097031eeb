"""The question of a page, with the choice of a split next to it."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog
from dashboard.widgets import notices
from imrnns_core.data.dataset import Dataset
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT

NO_QUERIES = (
    "This data set has no queries",
    "This page needs queries of the data set. Type your own question in the sidebar, and open "
    "Compare, Modulation, Map or Explain.",
)
SPLIT_HELP = "Which split of the data set’s queries this page shows."


def heading(question: str, reading: str) -> str | None:
    """Draw the question of a page, with the choice of a split next to it.

    Returns the split, or None if the data set has no queries.
    """
    title, choice = st.columns([7, 3], vertical_alignment="bottom")
    with title:
        notices.heading(question, reading)
    with choice:
        return choose()


def choose() -> str | None:
    """Draw the choice of a split. If the data set has no queries, say so and return None."""
    splits = _splits(catalog.dataset(state.current().data))
    if not splits:
        notices.show("info", *NO_QUERIES)
        return None
    st.segmented_control(
        "Split", splits, required=True, wrap=True, help=SPLIT_HELP, **state.bound("split", splits)
    )
    return state.current().split if state.current().split in splits else splits[0]


def _splits(dataset: Dataset) -> list[str]:
    """Return the splits, held-out ones first, and one more for queries without judgments."""
    # on training queries nearly every adapter looks good: do not open with them
    splits = [s for s in ("test", "dev") if s in dataset.splits]
    splits += [s for s in dataset.splits if s not in splits]
    if len(dataset.split_of) < len(dataset.queries):
        splits.append(UNJUDGED_SPLIT)
    return splits
