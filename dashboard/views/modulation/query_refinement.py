"""How the documents refine the query, and the ranking without one of them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import formatting, state
from dashboard.figures import accounting as figures
from dashboard.figures.modulation import written
from dashboard.services import modulations
from dashboard.views.modulation.rows import Rows
from dashboard.widgets import chart, notices
from imrnns_core.explanation.feedback_influence import FeedbackInfluence

READING = (
    "Each document’s part of the refined query, before LayerNorm, less the mean part. All {} "
    "feedback documents count; the first {} are drawn. Colours mean the same for all queries "
    "(clipped at ± {})."
)
ONE_DOCUMENT = (
    "Only one document refines the query",
    "Without it there is no refinement to speak of.",
)
NO_CHANGE = "No rank changes when any one of them is left out"
LITTLE = (
    "All candidates refine the query together; one of {} weighs little. The largest change of any "
    "score is {}."
)
LEAVE_ONE_OUT = (
    "Leave-one-out: how many candidates change rank when a document no longer refines the query. "
    "Computed, not estimated."
)


def show(rows: Rows) -> bool:
    """Draw the parts and the effects; say whether a cell was picked."""
    selection, feedback = state.current(), int(rows.comparison.feedback.sum())
    found = modulations.influence(selection)
    limit = modulations.ranges(selection.data, selection.adapter).contribution
    st.header("How the documents refine the query", anchor=False)
    st.caption(READING.format(feedback, len(rows.order), written(limit)))
    picked = rows.pick_cell(found.contributions[rows.order], limit, "part", "refinement_heatmap")
    st.header("The ranking without one of them", anchor=False)
    if feedback < 2:
        notices.show("info", *ONE_DOCUMENT)
    elif not found.rank_changes[rows.order].any():
        change = formatting.minus(f"{float(np.abs(found.score_effect).max()):.1e}")
        notices.show("info", NO_CHANGE, LITTLE.format(feedback, change))
    else:
        _effects(rows, found)
    return picked


def _effects(rows: Rows, found: FeedbackInfluence) -> None:
    comparison = rows.comparison
    relevant, best = comparison.relevance > 0, None
    if relevant.any():
        ranks = comparison.rank("modulated")[relevant]
        best = found.rank_effect[:, int(np.flatnonzero(relevant)[ranks.argmin()])]
    st.caption(LEAVE_ONE_OUT)
    chart.show(
        figures.effects(found.rank_changes, rows.order, comparison.document_ids, rows.names, best),
        "effects",
        "Candidates that change rank without a document",
    )
