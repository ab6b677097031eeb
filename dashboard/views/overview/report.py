"""The report of the whole evaluation, as a file to share."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.formatting import download_name
from dashboard.services import evaluations, remedies

HELP = (
    "One HTML file with these answers, all measures with their intervals, the baselines, outcomes "
    "and causes, and the failing queries. It works without a network."
)


def show(split: str) -> None:
    """Draw the button."""
    selection = state.current()
    chosen = (selection.data, selection.system, split)

    def report() -> str:
        causes = remedies.causes(*chosen).result()
        return evaluations.report(*chosen, selection.top_k, causes)

    st.download_button(
        "Download report (HTML)",
        report,
        download_name(f"{selection.data}-{split}-{selection.run or selection.adapter}.html"),
        "text/html",
        key="evaluation_report",
        on_click="ignore",  # a download changes nothing on the page
        help=HELP,
    )
