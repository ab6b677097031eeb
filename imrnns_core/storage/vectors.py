"""The embeddings of a data set: precomputed, stored in the workspace, or newly encoded."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix, load_embeddings, save_embeddings
from imrnns_core.encoding.encoder import Encoder
from imrnns_core.encoding.sharded import SHARD, encode_shards
from imrnns_core.errors import DataError
from imrnns_core.io import none_if_damaged, read_json, write_json
from imrnns_core.types import LabelledProgress

SCHEMA = 1
Vectors = tuple[EmbeddingMatrix, EmbeddingMatrix]
"""Embeddings of the documents and of the queries, in the order of the data set."""


def precomputed_vectors(folder: Path, dataset: Dataset) -> Vectors:
    """Read the precomputed embeddings of a data set.

    Raises:
        DataError: If a file is missing or faulty, a text has no vector, or documents and queries
            have different dimensions.
    """
    remedy = "compute the embeddings again from this data set"
    documents = load_embeddings(folder, "documents", "document").aligned_to(
        dataset.document_ids, folder / "document_ids.txt", remedy
    )
    queries = load_embeddings(folder, "queries", "query").aligned_to(
        tuple(dataset.queries), folder / "query_ids.txt", remedy
    )
    if documents.dimension != queries.dimension:
        problem = f"documents have {documents.dimension} dimensions, queries {queries.dimension}"
        raise DataError(folder, problem, remedy)
    return documents, queries


def stored_or_encoded_vectors(
    folder: Path, dataset: Dataset, encoder: Encoder, progress: LabelledProgress | None
) -> Vectors:
    """Return the stored embeddings of a data set; encode it if they are missing or stale.

    An interrupted encode resumes after its last finished shard.
    """
    stored = none_if_damaged(lambda: _stored(folder, dataset, encoder))
    return stored or _encode(folder, dataset, encoder, progress)


def _manifest(dataset: Dataset, encoder: Encoder) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "dataset_digest": dataset.digest,
        "encoder": encoder.spec.to_json(),
        "shard": SHARD,
        # vectors of a model without one need no new encode when the package is updated
        **({"weights": encoder.weights_digest} if encoder.weights_digest else {}),
    }


def _stored(folder: Path, dataset: Dataset, encoder: Encoder) -> Vectors | None:
    """Return the stored embeddings of the same texts and encoder, or None if there are none.

    Raises:
        DataError: If they are damaged.
    """
    if read_json(folder / "manifest.json") != _manifest(dataset, encoder):
        return None
    documents = load_embeddings(folder, "documents", "document")
    queries = load_embeddings(folder, "queries", "query")
    if (documents.ids, queries.ids) != (dataset.document_ids, tuple(dataset.queries)):
        remedy = "delete it; the texts are encoded again"
        raise DataError(folder, "the ids differ from those of the data set", remedy)
    return documents, queries


def _encode(
    folder: Path, dataset: Dataset, encoder: Encoder, progress: LabelledProgress | None
) -> Vectors:
    manifest, shards = _manifest(dataset, encoder), folder / "encoding"
    unfinished = {**manifest, "order": "by text"}
    if read_json(shards / "manifest.json") != unfinished:
        # shards of other texts, of another encoder or in another order must not be used
        shutil.rmtree(folder, ignore_errors=True)
        shards.mkdir(parents=True)
        write_json(shards / "manifest.json", unfinished)
    texts = [query.text for query in dataset.queries.values()]
    # encoders round a text differently in another batch: with each text once, in an order of its
    # own, the vectors do not depend on the order of the corpus
    document_of = {(document.title, document.text): document for document in dataset.documents}
    distinct = sorted(document_of)
    row = {text: i for i, text in enumerate(distinct)}
    vectors = encode_shards(
        shards,
        "documents",
        [document_of[text] for text in distinct],
        encoder.encode_documents,
        progress,
    )
    documents = EmbeddingMatrix(
        dataset.document_ids, vectors[[row[d.title, d.text] for d in dataset.documents]]
    )
    queries = EmbeddingMatrix(
        tuple(dataset.queries),
        encode_shards(shards, "queries", texts, encoder.encode_queries, progress),
    )
    save_embeddings(documents, folder, "documents", "document")
    save_embeddings(queries, folder, "queries", "query")
    # last, so that an interrupted write leaves no valid manifest
    write_json(folder / "manifest.json", manifest)
    shutil.rmtree(shards)
    return documents, queries
