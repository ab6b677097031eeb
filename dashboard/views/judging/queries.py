"""The choice of the queries whose documents are judged."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.formatting import count
from imrnns_core.data.dataset import Dataset
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT

ALL, LIST, THIS, SPLIT = "all", "list", "this", "split:"
HELP = (
    "All queries, those of a split, those without judgments, those that Failures listed when you "
    "last opened one there, or the query that is selected on the other pages."
)


def choose(dataset: Dataset) -> list[str]:
    """Draw the choice and return the ids of the chosen queries."""
    offered = {name: ids for name, ids in _offered(dataset).items() if ids}
    options = list(offered)
    st.selectbox(
        "Queries",
        options,
        format_func=lambda name: (
            f"{_label(name)} ({count(len(offered[name]), 'query', 'queries')})"
        ),
        help=HELP,
        **state.bound("judged_queries", options),
    )
    return offered[state.current().judged_queries]


def _offered(dataset: Dataset) -> dict[str, list[str]]:
    """Return the ids of the queries of each option."""
    selected = state.current().query
    return {
        ALL: list(dataset.queries),
        LIST: list(state.followed_list()),
        THIS: [selected] if selected in dataset.queries else [],
        **{f"{SPLIT}{name}": list(qrels) for name, qrels in dataset.splits.items()},
        UNJUDGED_SPLIT: [q for q in dataset.queries if q not in dataset.split_of],
    }


def _label(name: str) -> str:
    labels = {
        ALL: "All",
        LIST: "Your list from Failures",
        THIS: "The selected query",
        UNJUDGED_SPLIT: "Without judgments",
    }
    return labels.get(name, f"Split {name.removeprefix(SPLIT)}")
