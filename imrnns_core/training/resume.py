"""Keep on disk what a training run has computed: a killed run goes on at its last epoch.

    FOLDER/WHAT-00000000.npy   vectors of texts, 256 a file FOLDER/epoch.pt            results up to
    an epoch, and the tensors as they stood after it; replaced after each epoch

A run asks the journal for each of its results. A run that resumes is the same program again: it
gets what is recorded without computing it, and at the last recorded epoch it takes the tensors back
and goes on.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

from imrnns_core.data.embeddings import unit
from imrnns_core.encoding.sharded import encode_shards
from imrnns_core.io import atomic_write, unless_damaged
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import TrainConfig
from imrnns_core.training.splits import TrainValidationSplit
from imrnns_core.types import FloatArray, LabelledProgress

Result = TypeVar("Result")


class ReplayLog:
    """The results of one run.

    Args:
        folder: Where it is kept; None keeps nothing.
        key: Says what is computed; what another run left in the folder is thrown away.
        progress: Called while texts are encoded.
    """

    def __init__(
        self, folder: Path | None, key: str, progress: LabelledProgress | None = None
    ) -> None:
        self.folder, self.key, self.progress = folder, key, progress
        self._results: list[Any] = []
        self._taken = 0
        self._saved: Any = None
        if folder is not None:
            if unless_damaged(lambda: (folder / "key.txt").read_text(encoding="utf-8")) != key:
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir(parents=True)
                (folder / "key.txt").write_text(key, encoding="utf-8")
            kept = unless_damaged(lambda: torch.load(folder / "epoch.pt", weights_only=True))
            if isinstance(kept, dict) and kept.keys() == {"results", "saved"}:
                self._results, self._saved = kept["results"], kept["saved"]

    @property
    def replaying(self) -> bool:
        """Whether what is asked for now was computed by an earlier run."""
        return self._saved is not None

    def take(self, compute: Callable[[], Result]) -> Result:
        """Return the next result.

        The recorded one, or that of `compute`, which is tensors, numbers, lists or None.
        """
        if not self.replaying:
            self._results.append(compute())
        self._taken += 1
        return self._results[self._taken - 1]  # type: ignore[no-any-return]

    def commit(self, state: Callable[[], Any], restore: Callable[[Any], None]) -> None:
        """End an epoch.

        Keep `state()`, or, at the last epoch of the earlier run, hand it to `restore`.
        """
        if self.replaying:
            if self._taken == len(self._results):
                restore(self._saved)
                self._saved = None
        elif self.folder is not None:
            with atomic_write(self.folder / "epoch.pt") as temporary:
                torch.save({"results": self._results, "saved": state()}, temporary)

    @property
    def saved(self) -> Any:
        """What the earlier run kept, while its results are being replayed."""
        return self._saved

    def encode(
        self, what: str, texts: Sequence[str], encode: Callable[[Sequence[str]], FloatArray]
    ) -> FloatArray:
        """Return (len(texts), n) unit vectors, each encoded once."""
        return encode_shards(
            self.folder, what, texts, lambda shard: unit(encode(shard)), self.progress
        )

    def close(self) -> None:
        """Remove what was kept: the run is over."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


def run_key(collection: Collection, config: TrainConfig, parts: TrainValidationSplit) -> str:
    """Return a hash of all that the result of a run depends on."""
    dataset, digest = collection.dataset, hashlib.blake2b(digest_size=16)
    judged = [
        sorted((q, sorted(j.items())) for q, j in qrels.items())
        for qrels in (parts.train, parts.held, parts.valid)
    ]
    encoder = collection.encoder.spec.to_json()
    digest.update(json.dumps([config.to_json(), dataset.digest, encoder, judged]).encode())
    for matrix in (collection.documents, collection.queries):
        digest.update(matrix.vectors.tobytes())
    return f"{torch.__version__} {digest.hexdigest()}\n"
