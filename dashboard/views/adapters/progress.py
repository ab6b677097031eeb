"""The progress of a training: what runs, how long it will take, and its curves."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from dashboard import formatting
from dashboard.figures import training as figures
from dashboard.services.adapters.training_job import TrainingJob
from dashboard.widgets import chart
from dashboard.widgets.progress_panel import Button, Panel
from imrnns_core.training.progress import Phase
from imrnns_core.training.progress_log import LoggedEpoch

POLL_SECONDS = 1.0
NEARLY = 0.99
"""The bar is never full while the adapter is written."""
PHASES: dict[Phase, str] = {
    "initialization": "without training",
    "pretrain": "initial model",
    "train": "training",
    "refit": "training again on all judged queries",
}
READING = (
    "Validation score: the mean of nDCG@10, R@10 and RR@10 on the validation queries; it selects "
    "the epoch. Initial models are measured on all judged queries, so their scores cannot be "
    "compared with those of the training. A star marks the best epoch so far."
)
READING_UNLABELED = (
    "Validation score: nDCG@10 on keyword queries made from the documents, with the fusion of "
    "BM25 and base as the ideal. It uses no judgments. A star marks the best model so far."
)
STOP_HELP = "What is trained is kept. Start it again to continue after the last epoch."


def panel(data: str) -> Panel[TrainingJob]:
    """Return the texts of the panel of a running training."""
    return Panel(
        missing=None,
        # this panel is drawn for a running job only, so these two are not
        start=Button("Train", "train_again"),
        failed="",
        again=Button("Try again", "train_retry"),
        elsewhere=lambda job: (
            f"Another session trains “{job.request.name}”",
            f"{text(job, data)} One training runs at a time.",
        ),
        join=Button("Watch it", "train_join"),
        progress=lambda job: text(job, data),
        stop=Button("Stop", "train_stop", STOP_HELP),
        seconds=POLL_SECONDS,
        limit=NEARLY,
        details=_details,
    )


def text(job: TrainingJob, data: str) -> str:
    """Return what a training does now."""
    elsewhere = "" if job.request.data == data else " on another data set"
    return f"“{job.request.name}”{elsewhere}, {_step(job)}. You can use other pages."


def _step(job: TrainingJob) -> str:
    epochs = job.epochs
    if encoding := job.encoding():
        label, done, total = encoding
        return f"recipe {job.request.recipe}: encoding {label}, {done:,} of {total:,}"
    if not epochs:
        return f"recipe {job.request.recipe}: loading the data set"
    last = epochs[-1]
    loss = "" if last.loss is None else f"loss {last.loss:.4f}, "
    left = job.seconds_left()
    remaining = "" if left is None else f", about {duration(left)} left"
    return (
        f"recipe {last.run}: epoch {last.number} ({PHASES[last.phase]}), {loss}validation "
        f"{formatting.decimal(last.validation)}; {last.done:,} of at most {last.total:,} epochs"
        f"{remaining}"
    )


def duration(seconds: float) -> str:
    """Return a duration in seconds, or in minutes where it is long."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def curves(epochs: Sequence[LoggedEpoch], key: str) -> None:
    """Draw the curves of a training, and how to read them."""
    chart.show(
        figures.curves(epochs),
        key,
        f"Loss and validation score of {len(epochs)} epochs; the last run is {epochs[-1].run}.",
    )
    st.caption(READING_UNLABELED if epochs[-1].run == "unlabeled" else READING)


def _details(job: TrainingJob) -> None:
    if epochs := job.epochs:
        curves(epochs, "training_curves")
