"""How the feedback documents refine the query, and the ranking without one of them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import formatting, state
from dashboard.figures import accounting as figures
from dashboard.figures.modulation import written_limit
from dashboard.services import modulations
from dashboard.views.modulation.document_rows import SIGNS, DocumentRows, Heatmap, Section
from dashboard.widgets import chart, notices
from imrnns_core.explanation.feedback_influence import FeedbackInfluence

READING = (
    "Each row is a document: {}. {} Each cell is its contribution to the refined query on one "
    "dimension, before LayerNorm and minus the mean contribution. All {} feedback documents "
    "contribute. Blue is higher, orange lower, on one colour scale for all queries, clipped at "
    "± {}. Click a cell to see its document and the words of its dimension."
)
ONE_DOCUMENT = (
    "Only one document refines the query",
    "Leaving it out would leave no refinement.",
)
NO_CHANGE = "Leaving out one document changes no rank"
SMALL_EFFECT = (
    "The {} feedback documents refine the query together, so each has little weight. The largest "
    "score change is {}."
)
LEAVE_ONE_OUT = (
    "Each bar leaves one document out of the query refinement, ranks again, and counts the "
    "candidates that change rank. Computed exactly."
)
BEST_RELEVANT = " The text behind a bar is the rank change of the best relevant document (− rises)."


def show(rows: DocumentRows) -> Section:
    """Draw the documents' contributions to the refinement, and the ranking without each."""
    selection, feedback = state.current(), int(rows.comparison.feedback.sum())
    influence = modulations.influence(selection)
    limit = modulations.ranges(selection.data, selection.adapter).contribution
    st.header("How the documents refine the query", anchor=False)
    st.caption(READING.format(rows.description, SIGNS, feedback, written_limit(limit)))
    alt = f"Contribution of {len(rows.order)} documents to the refined query, on each dimension"
    contributions = influence.contributions[rows.order]
    section = rows.clickable_heatmap(
        Heatmap(contributions, limit, "contribution", "refinement_heatmap", alt)
    )
    st.header("The ranking without one document", anchor=False)
    # without its only feedback document there is no refinement to compare with
    if feedback < 2:
        notices.show("info", *ONE_DOCUMENT)
    elif not influence.rank_changes[rows.order].any():
        change = formatting.minus(f"{float(np.abs(influence.score_effect).max()):.1e}")
        notices.show("info", NO_CHANGE, SMALL_EFFECT.format(feedback, change))
    else:
        _leave_one_out(rows, influence)
    return section


def _leave_one_out(rows: DocumentRows, influence: FeedbackInfluence) -> None:
    comparison = rows.comparison
    relevant, best_change = comparison.relevance > 0, None
    if relevant.any():
        # one number per bar: the relevant document that decides RR is the most telling
        ranks = comparison.rank("modulated")[relevant]
        best_change = influence.rank_effect[:, int(np.flatnonzero(relevant)[ranks.argmin()])]
    st.caption(LEAVE_ONE_OUT + (BEST_RELEVANT if best_change is not None else ""))
    chart.show(
        figures.leave_one_out(
            influence.rank_changes, rows.order, comparison.document_ids, rows.labels, best_change
        ),
        "leave_one_out",
        "Number of candidates that change rank without each document",
    )
