"""Advice to the authors of the relevant document, below the causes."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import remedies
from dashboard.widgets import notices, progress_panel
from imrnns_core.data.dataset import Dataset
from imrnns_core.reporting.causes import WHEN_ADVISED, advice_lines
from imrnns_core.retrieval.comparison import Comparison

HEADING = "Advice to authors"


def show(comparison: Comparison, dataset: Dataset) -> None:
    """Draw the advice if there is one; the page is drawn again once it is computed."""
    job = remedies.advice_of(state.current(), comparison)
    if job is None:
        return
    if not job.is_there():
        if not job.finished:
            progress_panel.poll(lambda: None, lambda: job.finished, progress_panel.POLL_SECONDS)
        return
    advice = job.result()
    if advice is not None and advice.is_shown:
        document = dataset.document[advice.document_id]
        st.subheader(HEADING, anchor=False, help=WHEN_ADVISED)
        notices.show("info", *advice_lines(advice, document.title or document.id))
