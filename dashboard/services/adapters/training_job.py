"""The job that trains an adapter."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from dashboard.services.background import ProcessJob, run_command
from imrnns_core.training.progress_log import (
    LoggedEpoch,
    read_encoding,
    read_epochs,
    training_folder,
)

LEAST_EPOCHS = 3
"""With fewer epochs, the time left is unknown."""


@dataclass(frozen=True)
class Request:
    """The adapter that a reader wants to train.

    Attributes:
        data: Name of the data set.
        name: Name of the adapter.
        recipe: Name of the recipe.
        seed: The random seed.
        train_split: The split with the training judgments; None for a recipe without judgments.
        send: Whether the reader agreed that texts are sent to the endpoint of the encoder.
    """

    data: str
    name: str
    recipe: str
    seed: int
    train_split: str | None = None
    send: bool = False

    def file(self, root: Path) -> Path:
        """Return the file of the adapter in the workspace `root`."""
        return root / "adapters" / f"{self.name}.safetensors"

    def folder(self, root: Path) -> Path:
        """Return the folder of the training's state."""
        return training_folder(self.file(root))


@dataclass
class TrainingJob(ProcessJob):
    """A training. Its progress counts epochs."""

    request: Request
    folder: Path

    @classmethod
    def start(cls, request: Request, root: Path) -> TrainingJob:
        """Run `imrnns-lens train`, which resumes a training that was stopped."""
        arguments = ["train", request.data, "--out", str(request.file(root))]
        arguments += ["--recipe", request.recipe, "--seed", str(request.seed)]
        if request.train_split is not None:
            arguments += ["--train-split", request.train_split]
        if request.send:
            arguments.append("--yes")
        return cls(*run_command(root, *arguments), request, request.folder(root))

    @property
    def epochs(self) -> list[LoggedEpoch]:
        """The epochs so far, also those before a stop."""
        return read_epochs(self.folder)

    @property
    def done(self) -> float:
        """The number of finished epochs."""
        epochs = self.epochs
        return epochs[-1].done if epochs else 0

    @property
    def total(self) -> float:
        """The largest possible number of epochs."""
        epochs = self.epochs
        return epochs[-1].total if epochs else 1

    @property
    def error(self) -> str:
        """The last messages of the process if it failed, else an empty text."""
        return self.failure.removeprefix("imrnns-lens: ")

    def encoding(self) -> tuple[str, int, int] | None:
        """Return (label, done, total) while texts are encoded, else None."""
        return read_encoding(self.folder)

    def seconds_left(self) -> float | None:
        """Return the estimated seconds to the end, None if there is no basis for an estimate."""
        epochs = self.epochs
        new = [epoch for epoch in epochs if epoch.time >= self.started]
        if len(new) < LEAST_EPOCHS or new[-1].done <= new[0].done:
            return None
        per_epoch = (new[-1].time - new[0].time) / (new[-1].done - new[0].done)
        elapsed = time.time() - new[-1].time
        return max(0.0, per_epoch * (new[-1].total - new[-1].done) - elapsed)
