"""Adapters whose sentence memory is extended by the documents that a collection has since got.

WORKSPACE/extended/KEY.safetensors   the extended adapter
WORKSPACE/extended/KEY/              vectors of its new sentences, until it is written
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from imrnns_core.data.embeddings import unit
from imrnns_core.encoding.encoder import format_query
from imrnns_core.encoding.endpoint import announce
from imrnns_core.encoding.sharded import encode_shards, unsaved
from imrnns_core.io import none_if_damaged
from imrnns_core.model.checkpoint import Adapter, load_adapter, save_adapter, tensors_digest
from imrnns_core.retrieval.collection import Collection
from imrnns_core.storage.data_sets.uses import note_use
from imrnns_core.training.label_free.memory_extension import extend_adapter, missing_rows
from imrnns_core.types import FloatArray, LabelledProgress

SCHEMA = 2
"""Version of how a memory is extended; stored adapters of another version are not used."""


def extended_adapter(
    root: Path, adapter: Adapter, collection: Collection, progress: LabelledProgress | None = None
) -> Adapter:
    """Return the adapter with a memory that has all documents of the collection.

    Without missing documents, this is the adapter itself. Otherwise the sentences of the missing
    documents are encoded once, and the result is stored in the workspace.

    Args:
        root: The folder of the workspace.
        adapter: The adapter.
        collection: The collection.
        progress: Called with (label, done, total) while sentences are encoded.

    Raises:
        TrainingError: The sentences cannot be encoded, or there are too many.
    """
    if not missing_rows(adapter.card, collection.dataset):
        return adapter
    tensors = tensors_digest(adapter.model.state_dict())
    identity = f"{SCHEMA} {tensors} {collection.fingerprint}"
    key = hashlib.sha256(identity.encode()).hexdigest()[:16]
    path, shards = root / "extended" / f"{key}.safetensors", root / "extended" / key
    note_use(root, collection.dataset.name, path)
    stored = none_if_damaged(lambda: load_adapter(path)) if path.exists() else None
    if stored is not None:
        return stored
    encoder = collection.encoder
    folder: Path | None = shards
    try:
        shards.mkdir(parents=True, exist_ok=True)
    except OSError:  # without write access, the memory is extended again each time
        folder = None

    def encode(texts: Sequence[str]) -> FloatArray:
        new = unsaved(folder, "new-sentences", texts)
        announce(encoder, [format_query(encoder.spec, text) for text in new])
        return encode_shards(
            folder,
            "new-sentences",
            texts,
            lambda shard: unit(encoder.encode_queries(shard)),
            progress,
        )

    extended = extend_adapter(adapter, collection, encode)
    with suppress(OSError):
        save_adapter(extended, path)
        shutil.rmtree(shards, ignore_errors=True)
    return extended


def memory_warnings(adapter: Adapter, collection: Collection) -> list[str]:
    """Return a sentence if the sentence memory lacks documents of the collection."""
    missing = missing_rows(adapter.card, collection.dataset)
    if not missing:
        return []
    first = collection.dataset.documents[missing[0]].id
    return [
        f"the sentence memory of {adapter.card.name} lacks {len(missing)} of "
        f"{len(collection.documents)} documents, the first one is {first!r}, and cannot be "
        "extended, so these documents are ranked too low; train the adapter again"
    ]
