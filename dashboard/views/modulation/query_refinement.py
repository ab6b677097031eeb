"""How the feedback documents refine the query, and the ranking without one of them."""

from __future__ import annotations

import numpy as np
import streamlit as st

from dashboard import formatting, state
from dashboard.figures import accounting as figures
from dashboard.figures.modulation import written_limit
from dashboard.services import modulations
from dashboard.views.modulation.document_rows import (
    CLICK,
    CLIPPED,
    SIGNS,
    DocumentRows,
    Heatmap,
    Section,
)
from dashboard.widgets import chart, notices
from imrnns_core.explanation.feedback_influence import FeedbackInfluence

READING = (
    "The feedback documents are the candidates that refine the query: here {} of {} candidates. "
    "The rows are {}. {} Each cell is the document’s contribution to one dimension of the refined "
    "query (before LayerNorm), minus the mean over the feedback documents. Blue is higher, orange "
    f"lower. {CLICK}"
)
READING_HELP = f"The colour scale is the same for all queries. {CLIPPED}"
ONE_DOCUMENT = (
    "Only one document refines the query",
    "Leaving it out would leave no refinement.",
)
NO_CHANGE = "Leaving out one document changes no rank"
NO_CHANGE_HERE = "Leaving out one of the documents in the chart above changes no rank"
OTHERS = (
    " Of the other feedback documents, {} {} change ranks when left out. Draw more candidates to "
    "see them."
)
SMALL_EFFECT = (
    "The {} feedback documents refine the query together, so each has little weight. The largest "
    "score change is {}."
)
LEAVE_ONE_OUT = (
    "Each bar shows how many documents change rank when this document is excluded from the "
    "refinement."
)
AMONG_LISTED = (
    " Counted are the {} ranked documents: the {} candidates, and as many others that the adapter "
    "ranks highest. The others do not refine the query: their rows above are empty, and they have "
    "no bar."
)
BEST_RELEVANT = (
    " If the best relevant document changes rank, its change is written to the right of the bar "
    "(+ = promoted)."
)


def show(rows: DocumentRows) -> Section:
    """Draw the documents' contributions to the refinement, and the ranking without each."""
    selection, feedback = state.current(), int(rows.comparison.feedback.sum())
    influence = modulations.influence(selection)
    limit = modulations.ranges(selection.data, selection.adapter).contribution
    st.header("How the documents refine the query", anchor=False)
    st.caption(
        READING.format(feedback, len(rows.comparison.candidate_ids), rows.description, SIGNS),
        help=READING_HELP.format(written_limit(limit)),
    )
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
        others = int((influence.rank_changes > 0).sum())
        notices.show(
            "info",
            NO_CHANGE_HERE if others else NO_CHANGE,
            SMALL_EFFECT.format(feedback, change)
            + (OTHERS.format(others, "does" if others == 1 else "do") if others else ""),
        )
    else:
        _leave_one_out(rows, influence)
    return section


def _leave_one_out(rows: DocumentRows, influence: FeedbackInfluence) -> None:
    comparison = rows.comparison
    relevant, best_change = comparison.relevance > 0, None
    if relevant.any():
        # one number per bar: the relevant document that decides RR is the most telling
        ranks = comparison.rank("modulated")[relevant]
        # ranks count from the top: the sign is turned, so that + is a promotion as in Compare
        best_change = -influence.rank_effect[:, int(np.flatnonzero(relevant)[ranks.argmin()])]
    is_labelled = best_change is not None and bool(best_change[rows.order].any())
    whole = comparison.candidates is not None
    among = ""
    if whole:
        count = len(comparison.document_ids)
        among = AMONG_LISTED.format(count, len(comparison.candidate_ids))
    st.caption(LEAVE_ONE_OUT + among + (BEST_RELEVANT if is_labelled else ""))
    chart.show(
        figures.leave_one_out(
            influence.rank_changes, rows.order, comparison.document_ids, rows.labels, best_change
        ),
        "leave_one_out",
        "Number of documents that change rank without each document",
    )
