"""Likely causes why the best relevant document is not at rank 1."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import catalog, evaluations
from dashboard.widgets import cause_legend, notices
from imrnns_core.evaluation.diagnosis import Diagnosis
from imrnns_core.retrieval.comparison import Comparison

NO_CAUSE = (
    "No known cause",
    "None of these likely causes applies to this query:",
)
READING = (
    "These are clues, not proof. To test one, edit the text in Explain or rephrase the question, "
    "and see whether the rank changes."
)
ALL_FEEDBACK = "The ranks below are those with all feedback documents; you have excluded some."
RUN_READING = "These are clues, not proof."


def show(comparison: Comparison) -> None:
    """Draw the likely causes, if a relevant document should be higher."""
    diagnosis = _diagnosis(comparison)
    if diagnosis is None:
        return
    with st.container(key="causes"):
        st.header("Why is the relevant document not at rank 1?", anchor=False)
        if not diagnosis.findings:
            notices.show("info", *NO_CAUSE)
            # a query of which no relevant document was retrieved has this cause, so it is not here
            st.caption(
                cause_legend.markdown(cause_legend.NOT_RETRIEVED, cause_legend.FOUND_IN_CORPUS)
            )
            return
        st.caption(RUN_READING if state.current().run else READING)
        if not comparison.feedback[: comparison.candidates].all():
            st.caption(ALL_FEEDBACK)
        for finding in diagnosis.findings:
            notices.show("warning", finding.cause.capitalize(), finding.sentence)
        if state.current().run:
            st.caption(cause_legend.UNKNOWN)


def _diagnosis(comparison: Comparison) -> Diagnosis | None:
    """Return the diagnosis of the query, or None if there is nothing to explain."""
    selection = state.current()
    typed = not comparison.query.id
    if typed and selection.run:
        return None  # the run has no line for it, so it has no rank to explain
    is_known = typed or comparison.query.id in catalog.dataset(selection.data).split_of
    if not is_known or not any(grade > 0 for grade in comparison.judgments.values()):
        return None
    if comparison.best_relevant_rank(comparison.final) == 1:
        return None  # before the search for causes, which takes time
    key = (selection.data, selection.system)
    diagnosis = (
        evaluations.typed_diagnosis(*key, selection.text, selection.expected)
        if typed
        else evaluations.diagnosis(*key, comparison.query.id)
    )
    # The diagnosis uses all feedback documents. If it finds rank 1, the lower rank on this page
    # comes from the documents that the reader excluded
    return None if diagnosis.ranks[-1] == 1 else diagnosis
