"""Trainings of adapters: the one that runs, those that were stopped, and what they can do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import streamlit as st

from dashboard import state
from dashboard.access import editors_only
from dashboard.services import caching, catalog
from dashboard.services.adapters.training_job import Request, TrainingJob
from dashboard.services.background import Jobs
from dashboard.services.caching import shared
from imrnns_core.encoding.endpoint import Transfer, is_endpoint
from imrnns_core.printable import file_name
from imrnns_core.training.config import BEST, TrainConfig
from imrnns_core.training.label_free.encoded_texts import training_transfer
from imrnns_core.training.lock import is_training
from imrnns_core.training.progress_log import (
    LoggedEpoch,
    TrainingRecord,
    read_epochs,
    read_record,
    unfinished_trainings,
)
from imrnns_core.training.trainer import TrainingPlan, plan


@dataclass
class _Started:
    """The trainings that this server has started, by data set; the last one for each."""

    by_data: dict[str, Request] = field(default_factory=dict)


@dataclass(frozen=True)
class Unfinished:
    """A training that was stopped, or whose server has ended, or that another process runs."""

    request: Request
    epochs: list[LoggedEpoch]


@st.cache_resource(show_spinner=False)
def _jobs() -> Jobs[TrainingJob]:
    return Jobs(state.is_connected)


@st.cache_resource(show_spinner=False)
def _started() -> _Started:
    return _Started()


def _folder() -> Path:
    # the key of the only training: two at once would take twice as long each
    return caching.workspace().root / "adapters"


def job() -> tuple[TrainingJob | None, bool]:
    """Return the training that runs or failed, and whether this session waits for it."""
    return _jobs().find(_folder(), state.session())


@editors_only
def start(request: Request) -> None:
    """Train an adapter, or resume its training; wait for the training that runs, if one does."""

    def begin() -> TrainingJob:
        _started().by_data[request.data] = request
        return TrainingJob.start(request, caching.workspace().root)

    _jobs().join(_folder(), state.session(), begin)


def leave() -> None:
    """Let this session wait no longer; what is trained stays on disk."""
    _jobs().leave(_folder(), state.session())


def finished(data: str) -> str | None:
    """Return the adapter that this server trained last on a data set, if it is there."""
    request = _started().by_data.get(data)
    if request is None or request.name not in caching.workspace().adapter_paths():
        return None
    return request.name


def unfinished(data: str) -> list[Unfinished]:
    """Return the trainings on a data set that can be resumed."""
    running, _ = job()
    if running and not running.finished:
        return []
    return [
        stopped
        for stopped, record in _recorded(data)
        # one that names its validation queries was started on the command line
        if record.valid_split is None and not is_training(stopped.request.file(_root()))
    ]


def elsewhere(data: str) -> list[Unfinished]:
    """Return the trainings on a data set that a process of another server or terminal runs."""
    running, _ = job()
    own = running.request.name if running and not running.finished else ""
    return [
        training
        for training, _ in _recorded(data)
        if training.request.name != own and is_training(training.request.file(_root()))
    ]


def _recorded(data: str) -> Iterator[tuple[Unfinished, TrainingRecord]]:
    """Yield the trainings on a data set that have a state on disk, and their records."""
    for name, folder in unfinished_trainings(_folder()).items():
        record = read_record(folder)
        if record is not None and record.dataset == data:
            request = Request(data, name, record.recipe, record.seed, record.train_split)
            yield Unfinished(request, read_epochs(folder)), record


def _root() -> Path:
    return caching.workspace().root


@editors_only
def discard(request: Request) -> None:
    """Delete the state of a training that was stopped."""
    shutil.rmtree(request.folder(caching.workspace().root), ignore_errors=True)


def foresee(data: str, recipe: str, split: str | None) -> TrainingPlan:
    """Return what a training with this recipe can do with the judgments of a split.

    Raises:
        LensError: If nothing can be trained.
    """
    return plan(catalog.collection(data), TrainConfig(recipe=recipe), split or "")


@shared(8)
def transfer(data: str, recipe: str, seed: int, split: str | None) -> Transfer | None:
    """Return what a training sends to the endpoint of the encoder at most; None for nothing.

    Raises:
        LensError: If nothing can be trained.
    """
    collection = catalog.collection(data)
    if not is_endpoint(collection.encoder.spec.name):
        return None
    config, foreseen = TrainConfig(recipe=recipe, seed=seed), foresee(data, recipe, split)
    compares = recipe == BEST and foreseen.trains and not foreseen.obstacle
    return training_transfer(collection, config, compares, None)


def train_splits(data: str) -> list[str]:
    """Return the splits that can be trained on, the usual one first."""
    splits = catalog.dataset(data).splits
    return sorted(splits, key=lambda split: (split != "train", split == "test"))


def free_name(data: str, recipe: str) -> str:
    """Return a name for a new adapter that no adapter and no training has."""
    first = file_name(f"{data}-{recipe}")
    numbered = (f"{first}-{number}" for number in range(2, 10_000))
    return next(name for name in (first, *numbered) if not taken(name))


def taken(name: str) -> str:
    """Return why a name cannot be given to a new adapter; empty if it can."""
    if name != file_name(name):
        return (
            "A name consists of letters, digits, dots, dashes and underscores, and begins with a "
            "letter or a digit."
        )
    if name in caching.workspace().adapter_paths():
        return "An adapter has this name already. Choose another name."
    if is_training(_folder() / f"{name}.safetensors"):
        return "A training with this name runs in another process. Choose another name."
    if name in unfinished_trainings(_folder()):
        return "A training with this name was stopped. Continue it, or choose another name."
    return ""
