"""Making the map of a corpus, which takes a while."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import maps
from dashboard.services.map_job import MapJob
from dashboard.widgets import progress_panel
from dashboard.widgets.progress_panel import Button, Panel

POLL_SECONDS = 1.0
NEARLY = 0.97
"""The bar is never full: how long a map takes is a guess."""


def show(count: int) -> None:
    """Offer to make the map; show how long it has run and how long it may take."""
    selection = state.current()
    chosen = (selection.data, selection.adapter)
    job, waits = maps.job(*chosen)
    if job is None and maps.corpus_map(*chosen) is not None:  # it was made a moment ago
        st.rerun()
    progress_panel.show(
        _panel(count, *chosen),
        job,
        waits,
        lambda: maps.wait(*chosen),
        lambda: maps.leave(*chosen),
    )


def _panel(count: int, data: str, adapter: str) -> Panel[MapJob]:
    return Panel(
        missing=(
            "This map has not been made yet",
            f"It takes about {MapJob.seconds(count)} s, once. Or run: imrnns-lens prepare {data} "
            f"--adapter {adapter}",
        ),
        start=Button("Make the map", "make_map"),
        failed="The map could not be made",
        again=Button("Try again", "again_map"),
        elsewhere=lambda job: (
            "Another reader is making this map",
            f"It has run for {job.done:.0f} s of about {job.total:.0f} s.",
        ),
        join=Button("Wait for it", "join_map"),
        progress=lambda job: _progress(count, job),
        stop=Button("Stop", "stop_map", "It goes on where another reader waits for it."),
        seconds=POLL_SECONDS,
        limit=NEARLY,
    )


def _progress(count: int, job: MapJob) -> str:
    left = f"about {job.total - job.done:.0f} s left" if job.done < job.total else "nearly done"
    return (
        f"Laying out {count:,} documents: {job.done:.0f} s, {left}. You can go on with other pages."
    )
