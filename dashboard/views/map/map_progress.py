"""Creating the map of a corpus, which can take minutes."""

from __future__ import annotations

import streamlit as st

from dashboard import state
from dashboard.services import maps
from dashboard.services.map_job import MapJob
from dashboard.widgets import progress_panel
from dashboard.widgets.progress_panel import Button, Panel

POLL_SECONDS = 1.0
NEARLY = 0.97
"""The bar is never full, because the duration is an estimate."""


def show(count: int) -> None:
    """Offer to create the map of `count` documents; show the progress while it is created."""
    selection = state.current()
    data_and_adapter = (selection.data, selection.system)
    job, waits = maps.job(*data_and_adapter)
    if job is None and maps.corpus_map(*data_and_adapter) is not None:  # finished a moment ago
        st.rerun()
    progress_panel.show(
        _panel(count, *data_and_adapter),
        job,
        waits,
        lambda: maps.wait(*data_and_adapter),
        lambda: maps.leave(*data_and_adapter),
    )


def _panel(count: int, data: str, adapter: str) -> Panel[MapJob]:
    return Panel(
        missing=(
            "This map does not exist yet",
            f"Creating it takes about {MapJob.seconds(count)} s, once. On the command line: "
            f"imrnns-lens prepare {data} --adapter {adapter}",
        ),
        start=Button("Create the map", "make_map"),
        failed="The map could not be created",
        again=Button("Try again", "again_map"),
        elsewhere=lambda job: (
            "Another session is creating this map",
            f"It has run for {job.done:.0f} s of about {job.total:.0f} s.",
        ),
        join=Button("Wait for it", "join_map"),
        progress=lambda job: _progress(count, job),
        stop=Button("Stop", "stop_map", "The job continues if another session waits for it."),
        seconds=POLL_SECONDS,
        limit=NEARLY,
    )


def _progress(count: int, job: MapJob) -> str:
    left = f"about {job.total - job.done:.0f} s left" if job.done < job.total else "almost done"
    return f"Placing {count:,} documents: {job.done:.0f} s, {left}. You can use other pages."
