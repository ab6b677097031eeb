"""Encode many texts so that an interruption loses one shard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np

from imrnns_core.io import atomic_write, unless_damaged
from imrnns_core.types import FloatArray, LabelledProgress

SHARD = 256
"""Texts a shard: what an interruption can lose."""
Text = TypeVar("Text")


def encode_shards(
    folder: Path | None,
    what: str,
    texts: Sequence[Text],
    encode: Callable[[Sequence[Text]], FloatArray],
    progress: LabelledProgress | None,
) -> FloatArray:
    """Return (N, n) vectors of N texts, encoded in shards of `SHARD` texts.

    Each shard is kept in `folder` when it is done, so that an interrupted encode goes on from
    there. A shard that cannot be read, or that holds another number of vectors, is encoded again.
    Without a folder nothing is kept.
    """
    parts: list[FloatArray] = []
    for start in range(0, len(texts), SHARD):
        shard = texts[start : start + SHARD]
        path = None if folder is None else folder / f"{what}-{start:08d}.npy"
        vectors = None if path is None else unless_damaged(partial(np.load, path))
        if vectors is None or vectors.ndim != 2 or len(vectors) != len(shard):
            vectors = encode(shard)
            if path is not None:
                with atomic_write(path) as temporary, temporary.open("wb") as handle:
                    np.save(handle, vectors)
        parts.append(vectors)
        if progress:
            progress(what, start + len(shard), len(texts))
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
