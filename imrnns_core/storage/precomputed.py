"""The embeddings of a data set that were computed elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embedding_files import read_embeddings
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.encoding.encoder import Encoder
from imrnns_core.errors import DataError
from imrnns_core.retrieval.collection import Collection
from imrnns_core.storage.vectors import Vectors, stored_or_encoded_vectors, stored_vectors
from imrnns_core.types import FloatArray, LabelledProgress

REMEDY = "compute the embeddings again from this data set"


def precomputed_vectors(
    path: Path,
    dataset: Dataset,
    encoder: Encoder,
    folder: Path,
    progress: LabelledProgress | None = None,
) -> Vectors:
    """Read the precomputed embeddings of a data set; if those of its queries lack, encode them.

    Args:
        path: What `read_embeddings` reads.
        dataset: The data set.
        encoder: Its encoder.
        folder: Where encoded queries are kept.
        progress: Called with ("queries", done, total) while queries are encoded.

    Raises:
        DataError: If a file is missing or faulty, a text has no vector, or documents and queries
            have different dimensions.
        EncoderError: If queries must be encoded, and the encoder did not make the embeddings.
    """
    documents, queries = read_embeddings(path)
    documents = _aligned(documents, dataset.document_ids, path, "document")
    if queries is None:
        return documents, _encoded(dataset, documents, encoder, folder, progress)
    queries = _aligned(queries, tuple(dataset.queries), path, "query")
    if documents.dimension != queries.dimension:
        problem = f"documents have {documents.dimension} dimensions, queries {queries.dimension}"
        raise DataError(path, problem, REMEDY)
    return documents, queries


def _aligned(matrix: EmbeddingMatrix, ids: Sequence[str], path: Path, stem: str) -> EmbeddingMatrix:
    ids_path = path / f"{stem}_ids.txt"
    return matrix.aligned_to(ids, ids_path if ids_path.exists() else path, REMEDY)


def _encoded(
    dataset: Dataset,
    documents: EmbeddingMatrix,
    encoder: Encoder,
    folder: Path,
    progress: LabelledProgress | None,
) -> EmbeddingMatrix:
    """Return embeddings of the queries, with lengths like those of the documents."""
    none: FloatArray = np.zeros((0, documents.dimension), dtype=np.float32)
    if not dataset.queries:
        return EmbeddingMatrix((), none)
    only_queries = replace(dataset, documents=())
    # lengths that differ can only be the encoder's own; `document_length` checks that
    unit = documents.common_length is not None
    vectors = stored_vectors(folder, only_queries, encoder, unit)
    if vectors is None:
        collection = Collection(dataset, documents, EmbeddingMatrix((), none), encoder)
        collection.check_encoder()
        _ = None if unit else collection.document_length
        vectors = stored_or_encoded_vectors(folder, only_queries, encoder, progress, unit)
    queries = vectors[1]
    length = np.float32(documents.common_length or 1.0)
    return queries if length == 1 else replace(queries, vectors=queries.vectors * length)
