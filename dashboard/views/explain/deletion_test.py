"""How far to trust an explanation: the deletion test of this adapter, and the report to send."""

from __future__ import annotations

import time

import streamlit as st

from dashboard import resources
from dashboard.jobs import TrustJob
from dashboard.resources import PairKey
from dashboard.widgets import notices
from imrnns_core.reporting.html import trust_sentence

TRUST_PAIRS = 12
POLL_SECONDS = 2.0


def show(key: PairKey) -> None:
    """Say what the deletion test found for this adapter, or offer to run it; offer the report."""
    st.header("How far to trust this", anchor=False)
    job, waits = resources.trust_job(
        key.data, key.adapter
    )  # before its record: the two change together
    record = resources.trust(key.data, key.adapter)
    notices.show(
        "good" if record else "info", "This adapter’s deletion test", trust_sentence(record)
    )
    if record is None:
        _measure(key, job, waits)
    st.download_button(
        "Download this explanation as HTML",
        lambda: resources.report(key),
        f"explanation-{key.query or 'query'}-{key.document}.html",
        "text/html",
        on_click="ignore",
        key="report",
        help="One file, without scripts or links; opens without a network.",
    )


def _measure(key: PairKey, job: TrustJob | None, waits: bool) -> None:
    """Offer the deletion test, or show how far it is."""
    chosen, splits = (key.data, key.adapter), list(resources.collection(key.data).dataset.splits)
    split = "dev" if "dev" in splits else splits[0] if splits else ""
    if job is None or job.error or not waits:
        if job and job.error:
            notices.show("error", "The test stopped", job.error)
        elif job:
            notices.show(
                "info",
                "Another reader is running this test",
                f"{job.done} of {job.total} pairs are done.",
            )
        st.button(
            f"Test it on {TRUST_PAIRS} pairs (minutes)"
            if job is None
            else "Try again"
            if job.error
            else "Wait for it",
            key="measure_trust",
            on_click=lambda: resources.wait_for_trust(*chosen, split, TRUST_PAIRS),
        )
        return

    @st.fragment(run_every=POLL_SECONDS)
    def wait() -> None:
        passed, (encoded, texts) = time.monotonic() - job.started, job.step
        within = f", pair {job.done + 1}: {encoded} of {texts} texts encoded" if texts else ""
        left = (
            f", about {passed / job.done * (job.total - job.done):.0f} s left" if job.done else ""
        )
        st.progress(
            job.done / job.total,
            text=f"{job.done} of {job.total} pairs{within}{left}. You can go on with other pages.",
        )
        if job.finished:
            st.rerun()

    wait()
    st.button(
        "Stop the test",
        key="stop_trust",
        on_click=lambda: resources.leave_trust(*chosen),
        help="Nothing of it is kept. It goes on where another reader waits for it.",
    )
