"""The passages of long documents: split and encoded once, then read from disk.

    WORKSPACE/passages/KEY.npz  vectors (P, n), and where each of the P passages is
    WORKSPACE/passages/KEY/     shards of an unfinished encode

KEY is a hash of the texts and the encoder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import astuple, replace
from pathlib import Path

import numpy as np

from imrnns_core.data.records import Document
from imrnns_core.encoding.passages import Part, split_long
from imrnns_core.encoding.sharded import encode_shards
from imrnns_core.io import atomic_write, none_if_damaged
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.passages import Passages
from imrnns_core.types import FloatArray, LabelledProgress

SCHEMA = 1


def with_passages(
    root: Path, collection: Collection, progress: LabelledProgress | None = None
) -> Collection:
    """Return the collection with the passages of its long documents; encode them if necessary.

    An interrupted encode resumes after its last finished shard.

    Args:
        root: Folder of the workspace.
        collection: The collection.
        progress: Called with ("passages", done, total) while passages are encoded.

    Raises:
        EncoderError: If the encoder has no tokenizer, or did not make the collection's embeddings.
    """
    documents, path = collection.dataset.documents, _path(root, collection)
    if not path.exists() or none_if_damaged(lambda: _load(path, documents)) is None:
        _encode(collection, path, progress)
    passages = _load(path, documents)
    return replace(collection, passages=passages) if len(passages.rows) else collection


def _encode(collection: Collection, path: Path, progress: LabelledProgress | None) -> None:
    """Split the long documents, encode the passages and write them."""
    documents, encoder = collection.dataset.documents, collection.encoder
    parts = split_long(encoder, documents)
    vectors = np.zeros((0, collection.documents.dimension), dtype=np.float32)
    shards = path.with_suffix("")
    if parts:
        collection.check_encoder()
        length = collection.document_length

        def encode(texts: Sequence[Document]) -> FloatArray:
            return encoder.encode_documents(texts, unit=length is not None)

        shards.mkdir(parents=True, exist_ok=True)
        texts = [part.of(documents[part.row]) for part in parts]
        vectors = encode_shards(shards, "passages", texts, encode, progress)
        vectors = vectors if length in (None, 1.0) else np.float32(length) * vectors
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as handle:
        places = np.array([astuple(part) for part in parts], dtype=np.int64).reshape(-1, 4)
        np.savez(handle, vectors=vectors, places=places)
    shutil.rmtree(shards, ignore_errors=True)


def _load(path: Path, documents: Sequence[Document]) -> Passages:
    with np.load(path, allow_pickle=False) as archive:
        vectors, places = archive["vectors"], archive["places"]
    parts = [Part(row, start, end, bool(titled)) for row, start, end, titled in places.tolist()]
    return Passages(vectors, places[:, 0], [part.of(documents[part.row]) for part in parts])


def _path(root: Path, collection: Collection) -> Path:
    encoder = collection.encoder
    parts = [
        *(SCHEMA, collection.dataset.corpus_digest, encoder.spec.to_json()),
        *(encoder.weights_digest, encoder.max_tokens, collection.similarity),
    ]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    return root / "passages" / f"{key}.npz"
