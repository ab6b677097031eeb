"""The passages of long documents: split and encoded once, then read from disk.

    WORKSPACE/passages/KEY.npz    vectors (P, n), hashes of their texts (P, 32), where each of the P
                                  passages is, and the hash of the corpus
    WORKSPACE/passages/KEY/       shards of an unfinished encode

KEY is a hash of the data set's name and the encoder. If documents change, only passages that have
no vector yet are encoded.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any

import numpy as np

from imrnns_core.data.records import Document
from imrnns_core.encoding.encoder import format_document
from imrnns_core.encoding.passages import Part, split_long
from imrnns_core.encoding.sharded import Cluster, encode_shards
from imrnns_core.io import atomic_write, locked, none_if_damaged
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.passages import Passages
from imrnns_core.storage.data_sets.uses import note_use
from imrnns_core.storage.vectors import KnownVectors, Texts
from imrnns_core.types import FloatArray, LabelledProgress

SCHEMA = 1


def with_passages(
    root: Path,
    collection: Collection,
    progress: LabelledProgress | None = None,
    cluster: Cluster | None = None,
) -> Collection:
    """Return the collection with the passages of its long documents; encode new ones.

    An interrupted encode resumes after its last finished shard.

    Args:
        root: Folder of the workspace.
        collection: The collection.
        progress: Called with ("passages", done, total) while passages are encoded.
        cluster: Encodes them; None encodes them in this process.

    Raises:
        EncoderError: If the encoder has no tokenizer, or did not make the collection's embeddings.
    """
    path = passages_path(root, collection)
    note_use(root, collection.dataset.name, path)
    if found := stored_passages(root, collection):
        return found
    with locked(path):  # another process may encode them now
        if found := stored_passages(root, collection):
            return found
        stored = none_if_damaged(lambda: _load(path)) if path.exists() else None
        encoded = _encoded(collection, path, stored, progress, cluster)
        with atomic_write(path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, **encoded)
        shutil.rmtree(path.with_suffix(""), ignore_errors=True)
    return _with(collection, encoded)


def _with(collection: Collection, stored: Mapping[str, Any]) -> Collection:
    documents, places = collection.dataset.documents, stored["places"]
    if not len(places):
        return collection
    parts = [_part(place).of(documents[place[0]]) for place in places.tolist()]
    return replace(collection, passages=Passages(stored["vectors"], places[:, 0], parts))


def stored_passages(root: Path, collection: Collection) -> Collection | None:
    """Return the collection with its stored passages, or None if they are missing or stale."""
    path = passages_path(root, collection)
    stored = none_if_damaged(lambda: _load(path)) if path.exists() else None
    if stored is None or str(stored["corpus"]) != collection.dataset.corpus_digest:
        return None
    return _with(collection, stored)


def _encoded(
    collection: Collection,
    path: Path,
    stored: Mapping[str, Any] | None,
    progress: LabelledProgress | None,
    cluster: Cluster | None,
) -> dict[str, Any]:
    """Split the long documents, and encode the passages that have no stored vector."""
    documents, encoder = collection.dataset.documents, collection.encoder
    places = split_long(encoder, documents)
    parts = [place.of(documents[place.row]) for place in places]
    length = collection.document_length if parts else 1.0

    def encode(items: Sequence[Document]) -> FloatArray:
        vectors = encoder.encode_documents(items, unit=length is not None)
        return vectors if length in (None, 1.0) else np.float32(length) * vectors

    formatted = [format_document(encoder.spec, part) for part in parts]
    texts = Texts(tuple(part.id for part in parts), formatted, parts, encode)
    known = None
    if stored is not None:
        known = KnownVectors.of(stored["hashes"], stored["vectors"])
    missing = texts.missing(known)
    if missing:
        collection.check_encoder()
    shards = path.with_suffix("") / texts.digest(missing)
    shards.mkdir(parents=True, exist_ok=True)
    items = [parts[row] for row in missing]
    new = encode_shards(shards, "passages", items, encode, progress, cluster)
    return {
        "corpus": collection.dataset.corpus_digest,
        "vectors": texts.matrix(known, missing, new).vectors,
        "hashes": texts.hash_rows,
        "places": np.array([astuple(place) for place in places], dtype=np.int64).reshape(-1, 4),
    }


def _load(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in ("corpus", "vectors", "hashes", "places")}


def _part(place: Sequence[int]) -> Part:
    row, start, end, titled = place
    return Part(row, start, end, bool(titled))


def passages_path(root: Path, collection: Collection) -> Path:
    """Return the file of the passages of a collection, which need not exist."""
    encoder = collection.encoder
    parts = [
        *(SCHEMA, collection.dataset.name, encoder.spec.to_json()),
        *(encoder.weights_digest, encoder.max_tokens, collection.similarity),
    ]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    return root / "passages" / f"{key}.npz"
