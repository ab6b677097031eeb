"""How far to trust an explanation: the adapter's deletion test, and a report to share."""

from __future__ import annotations

import time

import streamlit as st

from dashboard.formatting import download_name
from dashboard.services import catalog
from dashboard.services.deletion import deletion_tests
from dashboard.services.deletion.deletion_job import DeletionJob
from dashboard.services.explanations import PairKey
from dashboard.widgets import notices, progress_panel, texts
from dashboard.widgets.progress_panel import Button, Panel
from imrnns_core.reporting.html import TRUST_HEAD, trust_rows, trust_sentence

# at 5 to 20 seconds per pair, a few minutes
PAIRS = 12
POLL_SECONDS = 2.0
KEY = "measure_trust"
STOP_HELP = "A stopped test keeps no results. The test continues if another session waits for it."


def show(key: PairKey) -> None:
    """Show the result of this adapter's deletion test, or offer to run it."""
    st.header("How far to trust this", anchor=False)
    data_and_adapter = (key.data, key.adapter)
    # the job is read before its record: a finished job writes the record first, then it is gone
    job, waits = deletion_tests.job(*data_and_adapter)
    record = deletion_tests.summary(*data_and_adapter)
    notices.show(
        "good" if record else "info", "Deletion test of this adapter", trust_sentence(record)
    )
    if record:
        texts.table(TRUST_HEAD, trust_rows(record), "trust")
    else:
        splits = list(catalog.dataset(key.data).splits)
        split = "dev" if "dev" in splits else splits[0] if splits else ""
        progress_panel.show(
            PANEL,
            job,
            waits,
            lambda: deletion_tests.wait(*data_and_adapter, split, PAIRS),
            lambda: deletion_tests.leave(*data_and_adapter),
        )


def offer_report(key: PairKey) -> None:
    """Draw the button that downloads the explanation."""
    st.download_button(
        "Download this explanation as HTML",
        # made at the click, because it measures words, which takes seconds
        lambda: deletion_tests.report(key),
        download_name(f"explanation-{key.query or 'query'}-{key.document}.html"),
        "text/html",
        on_click="ignore",
        key="report",
        help="One file without scripts or links; it opens without a network.",
    )


def _progress(job: DeletionJob) -> str:
    seconds, (encoded, texts) = time.monotonic() - job.started, job.step
    within = f", pair {job.done + 1}: {encoded} of {texts} texts encoded" if texts else ""
    left = f", about {seconds / job.done * (job.total - job.done):.0f} s left" if job.done else ""
    return f"{job.done} of {job.total} pairs{within}{left}. You can use other pages."


PANEL = Panel[DeletionJob](
    missing=None,
    start=Button(f"Test it on {PAIRS} pairs (minutes)", KEY),
    failed="The test failed",
    again=Button("Try again", KEY),
    elsewhere=lambda job: (
        "Another session is running this test",
        f"{job.done} of {job.total} pairs are done.",
    ),
    join=Button("Wait for it", KEY),
    progress=_progress,
    stop=Button("Stop the test", "stop_trust", STOP_HELP),
    seconds=POLL_SECONDS,
)
