"""The stored BM25 index of a data set; its manifest has the hash of the texts."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

from imrnns_core.data.dataset import Dataset
from imrnns_core.io import atomic_write, file_digests, none_if_damaged, read_json, write_json
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.text.words import SEGMENTATION

SCHEMA = 1


def stored_or_built_index(folder: Path, dataset: Dataset) -> BM25Index:
    """Return the BM25 index of a data set, from its folder if it is stored there and not stale."""
    manifest = {
        "schema": SCHEMA,
        "dataset_digest": dataset.digest,
        "bm25s": version("bm25s"),
        "words": SEGMENTATION,
    }

    def stored_index() -> BM25Index | None:
        current = read_json(folder / "manifest.json") == {
            **manifest,
            "files": file_digests(folder),
        }
        return BM25Index(dataset.documents, folder) if current else None

    index = none_if_damaged(stored_index)
    if index is not None:
        return index
    index = BM25Index(dataset.documents)
    # without write access, the index is only built again each time
    with suppress(OSError):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(folder) as temporary:
            index.save(temporary)
            write_json(temporary / "manifest.json", {**manifest, "files": file_digests(temporary)})
    return index
