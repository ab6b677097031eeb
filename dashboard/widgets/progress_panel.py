"""Work in the background: start it, show its progress, stop it, and wait for its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from dashboard import state
from dashboard.services.background import Job
from dashboard.services.computation import Computation
from dashboard.widgets import notices

J = TypeVar("J", bound=Job)
T = TypeVar("T")
POLL_SECONDS = 1.0
STOPPED = ("This was stopped", "Nothing of it was kept.")


@dataclass(frozen=True)
class Button:
    """A button: its label, its key, and its tooltip."""

    label: str
    key: str
    help: str | None = None


@dataclass(frozen=True)
class Panel(Generic[J]):
    """The texts and buttons of a panel.

    Attributes:
        missing: Title and text if there is no job; None if the page itself explains that.
        start: Button that starts the job.
        failed: Title of the message if the job failed.
        again: Button that starts a failed job again.
        elsewhere: Title and text if only other sessions wait for the job.
        join: Button that lets this session wait for the job, too.
        progress: Returns the text of the progress bar.
        stop: Button that lets this session wait no longer.
        seconds: Seconds between two updates.
        limit: The largest share of the bar that is filled while the job runs.
        details: Draws what stands below the bar; None if nothing does.
    """

    missing: tuple[str, str] | None
    start: Button
    failed: str
    again: Button
    elsewhere: Callable[[J], tuple[str, str]]
    join: Button
    progress: Callable[[J], str]
    stop: Button
    seconds: float
    limit: float = 1.0
    details: Callable[[J], None] | None = None


def show(
    panel: Panel[J],
    job: J | None,
    waits: bool,
    wait: Callable[[], None],
    leave: Callable[[], None],
) -> None:
    """Draw the panel.

    Args:
        panel: Its texts and buttons.
        job: The job that runs or failed, if there is one.
        waits: Whether this session waits for the job.
        wait: Called to let this session wait; starts the job if none runs.
        leave: Called to let this session wait no longer.
    """
    # "Stop" ends only the waiting of this session, so the panel depends on who waits
    if job is not None and not job.error and waits:
        _watch(panel, job)
        _button(panel.stop, leave)
        return
    if job is None:
        if panel.missing:
            notices.show("info", *panel.missing)
        _button(panel.start, wait)
    elif job.error:
        notices.show("error", panel.failed, job.error)
        _button(panel.again, wait)
    else:
        notices.show("info", *panel.elsewhere(job))
        _button(panel.join, wait)


def _watch(panel: Panel[J], job: J) -> None:
    def draw() -> None:
        # a total can be an estimate that is exceeded, but `st.progress` refuses more than 1
        st.progress(min(job.done / job.total, panel.limit), text=panel.progress(job))
        if panel.details:
            panel.details(job)

    poll(draw, lambda: job.finished, panel.seconds)


def poll(draw: Callable[[], object], is_over: Callable[[], bool], seconds: float) -> None:
    """Draw the progress again and again, and run the whole page once the work is over."""

    # a fragment: the rest of the page stays as it is while the bar moves
    @st.fragment(run_every=seconds)
    def wait() -> None:
        draw()
        if is_over():
            st.rerun()

    wait()


def _button(button: Button, on_click: Callable[[], None]) -> None:
    st.button(button.label, key=button.key, help=button.help, on_click=on_click)


def await_result(job: Computation[T], failed: str, key: str, can_stop: bool = False) -> T | None:
    """Return the result of a computation; until it is there, draw its progress and return None.

    The page is drawn again once the result is there.

    Args:
        job: The computation.
        failed: Title of the message if it failed.
        key: Key of the button that tries again or stops.
        can_stop: Whether there is a button that stops it, for all sessions.
    """
    job.wait_in(state.session())
    if job.is_there():
        return job.result()
    if job.error:
        notices.show("error", failed, job.error)
        st.button("Try again", key=key, on_click=job.begin)
        return None

    if job.finished:
        notices.show("info", *STOPPED)
        st.button("Start again", key=key, on_click=job.begin)
        return None

    def draw() -> None:
        text = f"{job.label}: {job.done:,} of {job.total:,}." if job.label else "Starting …"
        st.progress(min(job.done / job.total, 1.0), text=text)

    poll(draw, lambda: job.finished, POLL_SECONDS)
    if can_stop:
        st.button("Stop", key=key, on_click=job.stop)
    return None
