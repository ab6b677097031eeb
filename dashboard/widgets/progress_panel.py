"""The one panel of work in the background: offer it, show how far it is, stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import streamlit as st

from dashboard.services.background import Job
from dashboard.widgets import notices

J = TypeVar("J", bound=Job)


@dataclass(frozen=True)
class Button:
    """A button: its label, its key, and what is said where it is pointed at."""

    label: str
    key: str
    help: str | None = None


@dataclass(frozen=True)
class Panel(Generic[J]):
    """What a panel says of its job.

    Attributes:
        missing: Title and text where there is no job, None where the page says so itself.
        start: Starts the job.
        failed: Title of its error.
        again: Starts it again.
        elsewhere: Title and text where only other sessions wait for it.
        join: Waits for that job.
        progress: How far it is, at most `limit` of the bar.
        stop: Waits no longer.
        seconds: Between two looks.
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


def show(
    panel: Panel[J],
    job: J | None,
    waits: bool,
    wait: Callable[[], None],
    leave: Callable[[], None],
) -> None:
    """Draw the panel.

    Args:
        panel: What it says.
        job: The job that runs or failed.
        waits: Whether this session waits for it.
        wait: Lets it wait, and starts the job where none runs.
        leave: Lets it wait no longer.
    """
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
        st.progress(min(job.done / job.total, panel.limit), text=panel.progress(job))

    poll(draw, lambda: job.finished, panel.seconds)


def poll(draw: Callable[[], object], is_over: Callable[[], bool], seconds: float) -> None:
    """Draw again and again how far some work is; run the page anew once it is over."""

    @st.fragment(run_every=seconds)
    def wait() -> None:
        draw()
        if is_over():
            st.rerun()

    wait()


def _button(button: Button, on_click: Callable[[], None]) -> None:
    st.button(button.label, key=button.key, help=button.help, on_click=on_click)
