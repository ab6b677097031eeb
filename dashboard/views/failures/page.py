"""Failures: which queries fail, and why?"""

from __future__ import annotations

import streamlit as st

from dashboard import selection as selections
from dashboard import state
from dashboard.formatting import SIGNS
from dashboard.services import catalog, evaluations
from dashboard.views.failures import frames, query_table
from dashboard.widgets import notices, split_choice
from imrnns_core.evaluation.diagnosis import Diagnosis
from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT

DEPTH_HELP = "A ranking fails when no relevant document is among so many of its first."
EMPTY = ("No query is with this outcome", "Choose another one, or another split.")
NOT_JUDGED = (
    "Nobody has judged these queries: the most moved stand first",
    "Overlap is the rank-biased overlap of the base and the modulated ranking; 1 where they are "
    "the same. A large move is worth a look, not a failure.",
)


def show() -> None:
    """Draw the page."""
    split = split_choice.heading(
        "Which queries fail, and why?",
        "One row a query, the worst losses first. Tick a row to compare its rankings.",
    )
    if split == UNJUDGED_SPLIT:
        _unjudged()
    elif split is not None:
        _judged(split)


def _judged(split: str) -> None:
    depth, outcomes = st.columns([3, 7])
    depth.segmented_control(
        "Fails outside the first",
        selections.options("top_k"),
        required=True,
        **state.bound("top_k"),
        help=DEPTH_HELP,
    )
    selection = state.current()
    chosen = (selection.data, selection.adapter, split, selection.top_k)
    measured, found = evaluations.evaluation(*chosen), evaluations.diagnoses(*chosen)
    with outcomes:
        outcome = _outcome_choice(found)
    rows = frames.worst_first(d for d in found if outcome in ("all", d.outcome))
    if not rows:
        notices.show("info", *EMPTY)
        return
    st.caption(
        f"{len(rows)} queries. Ranks are those of the best relevant document; — where none is "
        "among the first 100."
    )
    frame = frames.failures(rows, catalog.dataset(selection.data), measured, split)
    query_table.show(frame, f"{selection.data}-{split}-failures.csv", hidden=("split", "id"))


def _unjudged() -> None:
    """Draw what moves, where nobody can say what fails."""
    selection = state.current()
    moved = evaluations.overlap(selection.data, selection.adapter, selection.top_k)
    notices.show("info", *NOT_JUDGED)
    frame = frames.moves(moved, catalog.dataset(selection.data))
    query_table.show(frame, f"{selection.data}-{UNJUDGED_SPLIT}-moves.csv", hidden=("id",))


def _outcome_choice(found: list[Diagnosis]) -> str:
    counts = {name: sum(d.outcome == name for d in found) for name in SIGNS}
    options = ["all", *(name for name, n in counts.items() if n)]
    labels = {"all": f"all ({len(found)})"}
    labels |= {str(n): f"{SIGNS[n]} {n} ({c})" for n, c in counts.items()}
    st.pills(
        "What the adapter did",
        options,
        format_func=lambda name: labels[name],
        required=True,
        wrap=True,
        **state.bound("outcome", options),
    )
    return state.current().outcome if state.current().outcome in options else "all"
