"""The sentence vectors of a collection: encoded once, then read from disk.

    WORKSPACE/sentences/KEY.npz  vectors (S, n) float16 and corpus rows (S,) of their documents
    WORKSPACE/sentences/KEY/     shards of an unfinished encode

KEY is a hash of the texts, the encoder and the rule that splits texts. The sample ships its file.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np

from imrnns_core.encoding.endpoint import announce
from imrnns_core.encoding.sharded import encode_shards
from imrnns_core.errors import DataError
from imrnns_core.io import atomic_write, first_readable
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.sentences import SentenceVectors
from imrnns_core.storage.layout import SAMPLE_FOLDER
from imrnns_core.text.sentences import sentences_of
from imrnns_core.training.config import MemoryConfig
from imrnns_core.types import LabelledProgress

MIN_WORDS = MemoryConfig().min_words
"""The sentences are those of a sentence memory, so that both can be compared."""


def stored_sentences(root: Path, collection: Collection) -> SentenceVectors | None:
    """Return the stored sentence vectors of a collection, or None if there are none.

    Args:
        root: Folder of the workspace.
        collection: The collection.
    """
    return first_readable(sentence_paths(root, collection), _load)


def stored_or_encoded_sentences(
    root: Path, collection: Collection, progress: LabelledProgress | None = None
) -> SentenceVectors:
    """Return the stored sentence vectors of a collection; encode the sentences if there are none.

    An interrupted encode resumes after its last finished shard.

    Args:
        root: Folder of the workspace.
        collection: The collection.
        progress: Called with ("sentences", done, total) while sentences are encoded.

    Raises:
        DataError: If no document has any text.
        EncoderError: If the encoder did not make the collection's embeddings.
    """
    stored = stored_sentences(root, collection)
    if stored is not None:
        return stored
    collection.check_encoder()
    path, _ = sentence_paths(root, collection)
    shards = path.with_suffix("")
    shards.mkdir(parents=True, exist_ok=True)
    save_sentences(encode_sentences(collection, shards, progress), path)
    shutil.rmtree(shards)
    return _load(path)


def encode_sentences(
    collection: Collection, shards: Path | None = None, progress: LabelledProgress | None = None
) -> SentenceVectors:
    """Encode all sentences of a collection as queries.

    Args:
        collection: The collection.
        shards: Folder of finished shards; None saves nothing.
        progress: Called with ("sentences", done, total).

    Raises:
        DataError: If no document has any text.
    """
    dataset = collection.dataset
    rows, texts = sentences_of(((i, d.body) for i, d in enumerate(dataset.documents)), MIN_WORDS)
    if not texts:
        raise DataError(dataset.path, "no document has a sentence", "add texts")
    announce(collection.encoder, texts)
    vectors = encode_shards(shards, "sentences", texts, collection.encoder.encode_queries, progress)
    return SentenceVectors(vectors, np.array(rows, dtype=np.int64))


def save_sentences(sentences: SentenceVectors, path: Path) -> None:
    """Write sentence vectors as float16, atomically."""
    with atomic_write(path) as temporary, temporary.open("wb") as handle:
        np.savez(
            handle,
            vectors=sentences.vectors.astype(np.float16),
            rows=sentences.rows.astype(np.int32),
        )


def sentence_paths(root: Path, collection: Collection) -> tuple[Path, Path]:
    """Return the paths at which the vectors may be: in the workspace `root` and in the sample."""
    parts = [
        collection.dataset.corpus_digest,
        collection.encoder.spec.to_json(),
        collection.documents.dimension,
        MIN_WORDS,
    ]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    return root / "sentences" / f"{key}.npz", SAMPLE_FOLDER / "sentences" / f"{key}.npz"


def _load(path: Path) -> SentenceVectors:
    with np.load(path, allow_pickle=False) as archive:
        return SentenceVectors(archive["vectors"], archive["rows"].astype(np.int64))
