"""The log of a training, for who watches it from another process.

    FOLDER/training.json   what is trained
    FOLDER/encoding.json   how many texts of one kind are encoded
    FOLDER/epochs.jsonl    one line per epoch, in the order of training

FOLDER is that of the training's state (`resume.py`), so both are deleted together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from imrnns_core.io import named_errors, none_if_damaged, read_json, write_json
from imrnns_core.training.progress import Epoch
from imrnns_core.types import LabelledProgress

SUFFIX = ".training"
"""The end of the name of the folder of a training's state."""
_RECORD, _ENCODING, _EPOCHS = "training.json", "encoding.json", "epochs.jsonl"


@dataclass(frozen=True)
class TrainingRecord:
    """What is trained.

    Attributes:
        dataset: Name of the data set.
        recipe: Name of the recipe.
        seed: The random seed.
        train_split: The split with the training judgments, None without judgments.
        valid_split: The split that selects the epoch, None if a part of the training split does.
    """

    dataset: str
    recipe: str
    seed: int
    train_split: str | None = None
    valid_split: str | None = None


@dataclass(frozen=True, kw_only=True)
class LoggedEpoch(Epoch):
    """An epoch of a training, with the run that it belongs to.

    Attributes:
        run: Recipe and fold of the run.
        base: The validation measure of the base ranking, None if it is unknown.
        done: Number of epochs of the training that are finished.
        total: Maximum number of epochs of the training.
        time: When the epoch ended, in seconds since 1970.
    """

    run: str
    base: float | None
    done: int
    total: int
    time: float


class TrainingLog:
    """Writes the log of a training; a resumed training adds only epochs that the log lacks.

    Args:
        folder: Folder of the training's state; None writes nothing.
        progress: Also called with (label, done, total) while texts are encoded.
    """

    def __init__(self, folder: Path | None, progress: LabelledProgress | None = None) -> None:
        self.folder, self.progress = folder, progress
        self._known = {(e.run, e.number) for e in read_epochs(folder)} if folder else set()

    def begin(self, record: TrainingRecord) -> None:
        """Write what is trained."""
        if self.folder is not None:
            write_json(self.folder / _RECORD, asdict(record))

    def encoded(self, label: str, done: int, total: int) -> None:
        """Write how many texts of a kind are encoded."""
        if self.folder is not None:
            write_json(self.folder / _ENCODING, [label, done, total])
        if self.progress is not None:
            self.progress(label, done, total)

    def add(self, epoch: LoggedEpoch) -> None:
        """Add an epoch."""
        if self.folder is None or (epoch.run, epoch.number) in self._known:
            return
        self._known.add((epoch.run, epoch.number))
        path = self.folder / _EPOCHS
        with named_errors(path), path.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(epoch)) + "\n")


def training_folder(file: Path) -> Path:
    """Return the folder for the state of the training that will write an adapter's file."""
    return file.with_name(f".{file.name}{SUFFIX}")


def unfinished_trainings(folder: Path) -> dict[str, Path]:
    """Return name of the adapter → folder of its training, for a folder of adapter files."""
    found = sorted(folder.glob(f".*.safetensors{SUFFIX}"))
    return {path.name.removesuffix(f".safetensors{SUFFIX}")[1:]: path for path in found}


def read_record(folder: Path) -> TrainingRecord | None:
    """Return what is trained in a folder, or None if there is no readable record."""
    return none_if_damaged(lambda: TrainingRecord(**read_json(folder / _RECORD)))


def read_encoding(folder: Path) -> tuple[str, int, int] | None:
    """Return (label, done, total) while texts are encoded, else None."""
    record = read_json(folder / _ENCODING)
    if not isinstance(record, list) or len(record) != 3 or record[1] >= record[2]:
        return None
    label, done, total = record
    return str(label), int(done), int(total)


def read_epochs(folder: Path) -> list[LoggedEpoch]:
    """Return the epochs so far."""
    return list(_epochs(folder / _EPOCHS))


def _epochs(path: Path) -> Iterator[LoggedEpoch]:
    with suppress(FileNotFoundError):
        for line in path.read_text(encoding="utf-8").splitlines():
            # the writer may be in the middle of its last line, or was killed there
            with suppress(ValueError, TypeError):
                yield LoggedEpoch(**json.loads(line))
