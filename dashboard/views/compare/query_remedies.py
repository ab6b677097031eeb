"""What each remedy does to the query that the page shows."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import evaluations
from dashboard.widgets import texts
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import relevant_ids

HEAD = ("remedy", "rank", "")
READING = (
    "Rank of the best relevant document if the search is changed, with default settings. ▲ better "
    "and ▼ worse than base; — not in the top 100. What helps one query can break others: the page "
    "Remedies counts both."
)
NOT_RANKED = "—"


def show(comparison: Comparison) -> None:
    """Draw the ranks, if the query has judgments."""
    selection = state.current()
    relevant = frozenset(relevant_ids(comparison.judgments))
    if selection.run or not relevant:
        return
    base, outcomes = evaluations.remedies_of_query(
        *(selection.data, selection.adapter, comparison.query.id, comparison.query.text, relevant)
    )
    # a key for each query: its table is a new one, not a moved one, for the browser
    with st.container(key=f"query_remedies-{comparison.query.id}"):
        st.header("What would a remedy do?", anchor=False, help=READING)
        rows = [(o.remedy.name, _written(o.rank), _sign(base, o.rank)) for o in outcomes]
        texts.table(HEAD, [("base", _written(base), ""), *rows], "query_remedies_table")


def _written(rank: int) -> str:
    return str(rank) if rank else NOT_RANKED


def _sign(base: int, rank: int) -> str:
    """Return whether a rank is better or worse than that of the base; 0 is below all others."""
    before, after = base or 10**9, rank or 10**9
    return "▲" if after < before else "▼" if after > before else ""
