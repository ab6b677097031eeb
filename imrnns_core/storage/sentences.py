"""The sentence vectors of a collection: encoded once, then read from disk.

    WORKSPACE/sentences/KEY.npz  vectors (S, n) float16, corpus rows (S,) of their documents, hashes
                                 of their texts (S, 32), and the hash of the corpus
    WORKSPACE/sentences/KEY/     shards of an unfinished encode

KEY is a hash of the data set's name, the encoder and the rule that splits texts. If documents
change, only sentences that have no vector yet are encoded. Older files, and that of the sample,
have a KEY that also depends on the texts.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.encoding.endpoint import announce
from imrnns_core.encoding.sharded import encode_shards
from imrnns_core.errors import DataError
from imrnns_core.io import atomic_write, first_readable, none_if_damaged
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.sentences import SentenceVectors
from imrnns_core.storage.data_sets.uses import note_use
from imrnns_core.storage.layout import SAMPLE_FOLDER
from imrnns_core.storage.vectors import KnownVectors, Texts
from imrnns_core.text.sentences import sentences_of
from imrnns_core.training.config import MemoryConfig
from imrnns_core.types import LabelledProgress

MIN_WORDS = MemoryConfig().min_words
"""The sentences are those of a sentence memory, so that both can be compared."""


@dataclass(frozen=True)
class EncodedSentences(SentenceVectors):
    """Sentences with the hashes of their texts.

    Attributes:
        hashes: (S, 32) SHA-256 of each text.
        corpus: The hash of the corpus.
    """

    hashes: NDArray[np.uint8]
    corpus: str


def stored_sentences(root: Path, collection: Collection) -> SentenceVectors | None:
    """Return the stored sentence vectors of a collection, or None if there are none.

    Args:
        root: Folder of the workspace.
        collection: The collection.
    """
    load = partial(_load, corpus=collection.dataset.corpus_digest)
    return first_readable(sentence_paths(root, collection), load)


def stored_or_encoded_sentences(
    root: Path, collection: Collection, progress: LabelledProgress | None = None
) -> SentenceVectors:
    """Return the sentence vectors of a collection; encode the sentences that have none.

    An interrupted encode resumes after its last finished shard.

    Args:
        root: Folder of the workspace.
        collection: The collection.
        progress: Called with ("sentences", done, total) while sentences are encoded.

    Raises:
        DataError: If no document has any text.
        EncoderError: If the encoder did not make the collection's embeddings.
    """
    path, older, _ = sentence_paths(root, collection)
    stored = stored_sentences(root, collection)
    for used in (path, *((older,) if older.exists() else ())):
        note_use(root, collection.dataset.name, used)
    if stored is not None:
        return stored
    known = none_if_damaged(lambda: _known(path)) if path.exists() else None
    encoded = encode_sentences(collection, path.with_suffix(""), progress, known)
    save_sentences(encoded, path)
    shutil.rmtree(path.with_suffix(""), ignore_errors=True)
    return _load(path, encoded.corpus)


def encode_sentences(
    collection: Collection,
    folder: Path | None = None,
    progress: LabelledProgress | None = None,
    known: KnownVectors | None = None,
) -> EncodedSentences:
    """Encode the sentences of a collection as queries; each text once.

    Args:
        collection: The collection.
        folder: Has the finished shards in a subfolder; None saves nothing.
        progress: Called with ("sentences", done, total).
        known: Vectors of sentences that need not be encoded.

    Raises:
        DataError: If no document has any text.
        EncoderError: If sentences must be encoded, and the encoder did not make the collection's
            embeddings.
    """
    dataset, encode = collection.dataset, collection.encoder.encode_queries
    rows, sentences = sentences_of(
        ((i, d.body) for i, d in enumerate(dataset.documents)), MIN_WORDS
    )
    if not sentences:
        raise DataError(dataset.path, "no document has a sentence", "add texts")
    texts = Texts(tuple(map(str, range(len(sentences)))), sentences, sentences, encode)
    missing = texts.missing(known)
    new_texts = [sentences[row] for row in missing]
    if missing:
        collection.check_encoder()
        announce(collection.encoder, new_texts)
    shards = None if folder is None else folder / texts.digest(missing)
    if shards is not None:
        shards.mkdir(parents=True, exist_ok=True)
    new = encode_shards(shards, "sentences", new_texts, encode, progress)
    vectors = texts.matrix(known, missing, new).vectors
    corpus_rows = np.array(rows, dtype=np.int64)
    return EncodedSentences(vectors, corpus_rows, texts.hash_rows, dataset.corpus_digest)


def save_sentences(sentences: EncodedSentences, path: Path) -> None:
    """Write sentences, with their vectors as float16, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as handle:
        np.savez(
            handle,
            vectors=sentences.vectors.astype(np.float16),
            rows=sentences.rows.astype(np.int32),
            hashes=sentences.hashes,
            corpus=sentences.corpus,
        )


def sentence_paths(root: Path, collection: Collection) -> tuple[Path, Path, Path]:
    """Return the paths at which the vectors may be.

    In the workspace `root`, there as older versions wrote them, and in the sample.
    """
    encoder, corpus = collection.encoder, collection.dataset.corpus_digest
    parts = [encoder.spec.to_json(), collection.documents.dimension, MIN_WORDS]
    key = _key([collection.dataset.name, encoder.weights_digest, *parts])
    older = _key([corpus, *parts])
    folder, shipped = root / "sentences", SAMPLE_FOLDER / "sentences"
    return folder / f"{key}.npz", folder / f"{older}.npz", shipped / f"{older}.npz"


def _key(parts: list[Any]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _load(path: Path, corpus: str) -> SentenceVectors:
    """Return the sentence vectors in a file.

    Raises:
        DataError: If they are those of another corpus.
    """
    with np.load(path, allow_pickle=False) as archive:
        if "corpus" in archive and str(archive["corpus"]) != corpus:
            raise DataError(path, "the sentences of another corpus", "encode them again")
        return SentenceVectors(archive["vectors"], archive["rows"].astype(np.int64))


def _known(path: Path) -> KnownVectors:
    with np.load(path, allow_pickle=False) as archive:
        return KnownVectors.of(archive["hashes"], archive["vectors"].astype(np.float32))
