"""Making the map of a corpus, which takes a while."""

from __future__ import annotations

import time

import streamlit as st

from dashboard import resources, state
from dashboard.components import notices

POLL_SECONDS = 1.0


def show(count: int) -> None:
    """Offer to make the map; show how long it has run and how long it may take."""
    selection = state.current()
    seconds = 20 + count // 40
    job = resources.map_job(selection.data, selection.adapter)
    if job is None:
        notices.show(
            "info",
            "This map has not been made yet",
            f"It takes about {seconds} s, once. Or run: imrnns-lens prepare {selection.data} --adapter {selection.adapter}",
        )
        st.button("Make the map", key="make_map", on_click=lambda: resources.start_map(selection.data, selection.adapter))
        return
    if job.error:
        notices.show("error", "The map could not be made", job.error)
        st.button("Try again", key="again_map", on_click=lambda: resources.start_map(selection.data, selection.adapter))
        return

    @st.fragment(run_every=POLL_SECONDS)
    def wait() -> None:
        passed = time.monotonic() - job.started
        left = f"about {seconds - passed:.0f} s left" if passed < seconds else "nearly done"
        st.progress(
            min(passed / seconds, 0.97), text=f"Laying out {count:,} documents: {passed:.0f} s, {left}. You can go on with other pages."
        )
        if resources.corpus_map(selection.data, selection.adapter) is not None or job.error:
            st.rerun()

    wait()
    st.button("Stop", key="stop_map", on_click=lambda: resources.stop_map(selection.data, selection.adapter))
