"""How far to trust an explanation: the deletion test of this adapter, and the report to send."""

from __future__ import annotations

import time

import streamlit as st

from dashboard.services import catalog, deletion_tests
from dashboard.services.deletion_job import DeletionJob
from dashboard.services.explanations import PairKey
from dashboard.widgets import notices, progress_panel
from dashboard.widgets.progress_panel import Button, Panel
from imrnns_core.reporting.html import trust_sentence

PAIRS = 12
POLL_SECONDS = 2.0
KEY = "measure_trust"
STOP_HELP = "Nothing of it is kept. It goes on where another reader waits for it."


def show(key: PairKey) -> None:
    """Say what the deletion test found for this adapter, or offer to run it; offer the report."""
    st.header("How far to trust this", anchor=False)
    chosen = (key.data, key.adapter)
    job, waits = deletion_tests.job(*chosen)  # before its record: the two change together
    record = deletion_tests.summary(*chosen)
    notices.show(
        "good" if record else "info", "This adapter’s deletion test", trust_sentence(record)
    )
    if record is None:
        splits = list(catalog.dataset(key.data).splits)
        split = "dev" if "dev" in splits else splits[0] if splits else ""
        progress_panel.show(
            PANEL,
            job,
            waits,
            lambda: deletion_tests.wait(*chosen, split, PAIRS),
            lambda: deletion_tests.leave(*chosen),
        )
    st.download_button(
        "Download this explanation as HTML",
        lambda: deletion_tests.report(key),
        f"explanation-{key.query or 'query'}-{key.document}.html",
        "text/html",
        on_click="ignore",
        key="report",
        help="One file, without scripts or links; opens without a network.",
    )


def _progress(job: DeletionJob) -> str:
    passed, (encoded, texts) = time.monotonic() - job.started, job.step
    within = f", pair {job.done + 1}: {encoded} of {texts} texts encoded" if texts else ""
    left = f", about {passed / job.done * (job.total - job.done):.0f} s left" if job.done else ""
    return f"{job.done} of {job.total} pairs{within}{left}. You can go on with other pages."


PANEL = Panel[DeletionJob](
    missing=None,
    start=Button(f"Test it on {PAIRS} pairs (minutes)", KEY),
    failed="The test stopped",
    again=Button("Try again", KEY),
    elsewhere=lambda job: (
        "Another reader is running this test",
        f"{job.done} of {job.total} pairs are done.",
    ),
    join=Button("Wait for it", KEY),
    progress=_progress,
    stop=Button("Stop the test", "stop_trust", STOP_HELP),
    seconds=POLL_SECONDS,
)
