"""Encoding in shards: an interrupted run resumes at its last finished shard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from imrnns_core.io import atomic_write, none_if_damaged
from imrnns_core.types import FloatArray, LabelledProgress

SHARD = 256
"""Texts per shard; an interruption loses at most one shard."""
Text = TypeVar("Text")


def encode_shards(
    folder: Path | None,
    label: str,
    texts: Sequence[Text],
    encode: Callable[[Sequence[Text]], FloatArray],
    progress: LabelledProgress | None,
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
    """
    shards: list[FloatArray] = []
    for start in range(0, len(texts), SHARD):
        shard_texts = texts[start : start + SHARD]
        path = None if folder is None else _file(folder, label, start)
        vectors = None if path is None else none_if_damaged(partial(np.load, path))
        # a file of another run may have the same name
        if vectors is None or vectors.ndim != 2 or len(vectors) != len(shard_texts):
            vectors = encode(shard_texts)
            if path is not None:
                with atomic_write(path) as temporary, temporary.open("wb") as handle:
                    np.save(handle, vectors)
        shards.append(vectors)
        if progress:
            progress(label, start + len(shard_texts), len(texts))
    return np.concatenate(shards) if shards else np.zeros((0, 1), np.float32)


def unsaved(folder: Path | None, label: str, texts: Sequence[Text]) -> list[Text]:
    """Return the texts whose shard is not saved; the arguments are those of `encode_shards`."""
    return [
        text
        for start in range(0, len(texts), SHARD)
        if folder is None or not _file(folder, label, start).exists()
        for text in texts[start : start + SHARD]
    ]


def _file(folder: Path, label: str, start: int) -> Path:
    return folder / f"{label}-{start:08d}.npy"
