"""Saves the results of a training run, so that a killed run resumes after its last epoch.

    FOLDER/key.txt                hash of the settings and data of the training
    FOLDER/LABEL-00000000.npz     vectors of texts, 256 per file
    FOLDER/epoch.pt               all results of the run up to an epoch and the tensors after it
    FOLDER/cross-validation.json  measures of the folds that are finished (recipe `best`)
    FOLDER/RUN/epoch.pt           the same as FOLDER/epoch.pt for a run that `best` compares

A run requests each of its results from the replay log. A resumed run executes the same program
again: the log returns recorded results without computing them, restores the tensors at the last
recorded epoch, and computes from then on.
"""

from __future__ import annotations

import copy
import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

import torch

from imrnns_core.data.embeddings import unit
from imrnns_core.encoding.sharded import encode_shards
from imrnns_core.io import atomic_write, none_if_damaged, write_text
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import TrainConfig
from imrnns_core.training.loop import TrainingLoop
from imrnns_core.training.splits import TrainValidationSplit
from imrnns_core.types import FloatArray, LabelledProgress

SCHEMA = 4
"""Version of the order in which a run requests its results."""
Result = TypeVar("Result")


def open_state(folder: Path | None, key: str) -> None:
    """Create the folder of a training's state; delete the files of a training with another key."""
    if folder is None:
        return
    # the files of another training would give wrong results
    if none_if_damaged(lambda: (folder / "key.txt").read_text(encoding="utf-8")) != key:
        shutil.rmtree(folder, ignore_errors=True)
        write_text(folder / "key.txt", key)


def write_tensors(record: Any, path: Path) -> None:
    """Write tensors, numbers and lists to a file.

    Raises:
        OSError: If the disk is full; torch itself raises an error that does not say so.
    """
    packed = BytesIO()
    torch.save(record, packed)
    path.write_bytes(packed.getbuffer())


def read_tensors(path: Path) -> Any:
    """Read what `write_tensors` wrote.

    Raises:
        ValueError: If a bit of the file has changed. torch itself does not check that.
    """
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise ValueError("damaged")
    return torch.load(path, weights_only=True)


class SharedResults:
    """Results that all runs of a training share, because they do not depend on judgments.

    Args:
        folder: The folder of the encoded texts; None saves nothing.
        progress: Called with (label, done, total) while texts are encoded.
    """

    def __init__(
        self, folder: Path | None = None, progress: LabelledProgress | None = None
    ) -> None:
        self.folder, self.progress = folder, progress
        self._vectors: dict[tuple[str, ...], FloatArray] = {}
        self._epochs: dict[tuple[str, int], tuple[float, dict[str, Any]]] = {}

    def encode(
        self, label: str, texts: Sequence[str], encode: Callable[[Sequence[str]], FloatArray]
    ) -> FloatArray:
        """Return (N, n) unit vectors of N texts; encoded texts are saved and read from disk."""
        key = (label, *texts)
        if key not in self._vectors:
            self._vectors[key] = encode_shards(
                self.folder, label, texts, lambda shard: unit(encode(shard)), self.progress
            )
        return self._vectors[key]

    def epoch(self, label: str, number: int, loop: TrainingLoop) -> float:
        """Train an epoch of a loop, or restore the result of the same epoch of an equal loop.

        Args:
            label: Names loops with equal data, settings and initial weights.
            number: Number of the epoch.
            loop: The loop, after its previous epoch.
        """
        key = label, number
        if key in self._epochs:
            loss, state = self._epochs[key]
            loop.restore(copy.deepcopy(state))  # the loop changes the restored tensors in place
        else:
            loss = next(loop)
            self._epochs[key] = loss, copy.deepcopy(loop.state())
        return loss


class ReplayLog:
    """The recorded results of one training run.

    Args:
        folder: The folder of the file; None saves nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._results: list[Any] = []
        self._position = 0
        self._saved_state: Any = None
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            record = none_if_damaged(lambda: read_tensors(folder / "epoch.pt"))
            if isinstance(record, dict) and record.keys() == {"results", "state"}:
                self._results, self._saved_state = record["results"], record["state"]

    @property
    def replaying(self) -> bool:
        """Whether the next result is a recorded one."""
        return self._saved_state is not None

    def compute_or_replay(self, compute: Callable[[], Result]) -> Result:
        """Return the next recorded result, or compute and record it.

        A result consists of tensors, numbers, lists and None.
        """
        if not self.replaying:
            self._results.append(compute())
        self._position += 1
        return self._results[self._position - 1]  # type: ignore[no-any-return]

    def commit(self, state: Callable[[], Any], restore: Callable[[Any], None]) -> None:
        """End an epoch: save `state()`, or restore the saved state at the last recorded epoch.

        Args:
            state: Returns the state of the run.
            restore: Continues the run from a saved state.
        """
        if self.replaying:
            if self._position == len(self._results):
                restore(self._saved_state)
                self._saved_state = None
        elif self.folder is not None:
            with atomic_write(self.folder / "epoch.pt") as temporary:
                write_tensors({"results": self._results, "state": state()}, temporary)

    @property
    def saved_state(self) -> Any:
        """The saved state of the earlier run while its results are replayed, else None."""
        return self._saved_state


def run_key(collection: Collection, config: TrainConfig, split: TrainValidationSplit) -> str:
    """Return a hash of everything on which the result of a run depends."""
    dataset, digest = collection.dataset, hashlib.blake2b(digest_size=16)
    judged = [
        sorted((q, sorted(j.items())) for q, j in qrels.items())
        for qrels in (split.train, split.held_out, split.valid)
    ]
    encoder = collection.encoder.spec.to_json()
    identity = [config.to_json(), dataset.digest, encoder, judged]
    digest.update(json.dumps([*identity, *(["own left out"] if dataset.left_out else [])]).encode())
    for matrix in (collection.documents, collection.queries):
        digest.update(matrix.vectors.tobytes())
    return f"{SCHEMA} {torch.__version__} {digest.hexdigest()}\n"
