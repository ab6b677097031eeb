"""Encoding in shards: an interrupted run resumes at its last finished shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from imrnns_core.io import atomic_write, none_if_damaged
from imrnns_core.types import FloatArray, LabelledProgress

SHARD = 256
"""Texts per shard; an interruption loses at most one shard."""
Text = TypeVar("Text")
Part = TypeVar("Part")
Result = TypeVar("Result")


class Cluster(Protocol):
    """Machines that work on several parts at once."""

    def map(
        self, function: Callable[[Part], Result], parts: Sequence[Part]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the number of each part with its result, in any order."""
        ...


def encode_shards(
    folder: Path | None,
    label: str,
    texts: Sequence[Text],
    encode: Callable[[Sequence[Text]], FloatArray],
    progress: LabelledProgress | None,
    cluster: Cluster | None = None,
) -> FloatArray:
    """Return (N, n) vectors of N texts, encoded in shards of `SHARD` texts.

    Each finished shard is saved in `folder`, and a later call reads it from there. A saved shard is
    encoded again if it is damaged or has the wrong number of vectors.

    Args:
        folder: Folder of the finished shards; None saves nothing.
        label: Name of the texts in file names and progress.
        texts: The texts.
        encode: Encodes some texts to (R, n) vectors.
        progress: Called with (label, done, total) after each shard.
        cluster: Encodes the shards; None encodes one after the other in this process.
    """
    shards = [texts[start : start + SHARD] for start in range(0, len(texts), SHARD)]
    vectors = dict[int, FloatArray]()
    done = 0

    def finish(number: int, own: FloatArray) -> None:
        nonlocal done
        vectors[number] = own
        done += len(own)
        if progress:
            progress(label, done, len(texts))

    for number, shard in enumerate(shards):
        if (saved := _saved(folder, label, number, len(shard))) is not None:
            finish(number, saved)
    missing = [number for number in range(len(shards)) if number not in vectors]
    pending = [shards[number] for number in missing]
    encoded = cluster.map(encode, pending) if cluster else enumerate(map(encode, pending))
    for position, own in encoded if pending else ():
        if folder is not None:
            path = _file(folder, label, missing[position])
            with atomic_write(path) as temporary, temporary.open("wb") as handle:
                np.save(handle, own)
        finish(missing[position], own)
    ordered = [vectors[number] for number in range(len(shards))]
    return np.concatenate(ordered) if ordered else np.zeros((0, 1), np.float32)


def _saved(folder: Path | None, label: str, number: int, count: int) -> FloatArray | None:
    """Return the saved vectors of a shard, or None if there are none for this number of texts."""
    if folder is None:
        return None
    vectors = none_if_damaged(partial(np.load, _file(folder, label, number), allow_pickle=False))
    # a file of another run may have the same name
    return vectors if vectors is not None and vectors.ndim == 2 and len(vectors) == count else None


def unsaved(folder: Path | None, label: str, texts: Sequence[Text]) -> list[Text]:
    """Return the texts whose shard is not saved; the arguments are those of `encode_shards`."""
    return [
        text
        for number, start in enumerate(range(0, len(texts), SHARD))
        if folder is None or not _file(folder, label, number).exists()
        for text in texts[start : start + SHARD]
    ]


def _file(folder: Path, label: str, number: int) -> Path:
    return folder / f"{label}-{number * SHARD:08d}.npy"
