"""Making the map of a corpus, which takes a while."""

from __future__ import annotations

import streamlit as st

from dashboard import resources, state
from dashboard.jobs import MapJob
from dashboard.widgets import notices

POLL_SECONDS = 1.0


def show(count: int) -> None:
    """Offer to make the map; show how long it has run and how long it may take."""
    selection = state.current()
    chosen = (selection.data, selection.adapter)
    job, waits = resources.map_job(*chosen)
    if job is None and resources.corpus_map(*chosen) is not None:  # it was made a moment ago
        st.rerun()
    if job is None:
        notices.show(
            "info",
            "This map has not been made yet",
            (
                f"It takes about {MapJob.seconds(count)} s, once. Or run: imrnns-lens prepare "
                f"{selection.data} --adapter {selection.adapter}"
            ),
        )
        st.button("Make the map", key="make_map", on_click=lambda: resources.wait_for_map(*chosen))
        return
    if job.error:
        notices.show("error", "The map could not be made", job.error)
        st.button("Try again", key="again_map", on_click=lambda: resources.wait_for_map(*chosen))
        return
    if not waits:
        notices.show(
            "info",
            "Another reader is making this map",
            f"It has run for {job.done:.0f} s of about {job.total:.0f} s.",
        )
        st.button("Wait for it", key="join_map", on_click=lambda: resources.wait_for_map(*chosen))
        return

    @st.fragment(run_every=POLL_SECONDS)
    def wait() -> None:
        left = f"about {job.total - job.done:.0f} s left" if job.done < job.total else "nearly done"
        st.progress(
            min(job.done / job.total, 0.97),
            text=(
                f"Laying out {count:,} documents: {job.done:.0f} s, {left}. You can go on with "
                "other pages."
            ),
        )
        if job.finished:
            st.rerun()

    wait()
    st.button(
        "Stop",
        key="stop_map",
        on_click=lambda: resources.leave_map(*chosen),
        help="It goes on where another reader waits for it.",
    )
