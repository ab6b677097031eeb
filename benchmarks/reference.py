"""What the engine is compared with: the data of the reference package, and the flat FAISS index."""

from __future__ import annotations

from typing import Any

import torch

from imrnns_core.retrieval.collection import Collection
from imrnns_core.types import FloatArray, Qrels


def reference_split(collection: Collection, qrels: Qrels, negatives: bool = False) -> Any:
    """Return the judged queries of a collection as a split of the reference package.

    Args:
        collection: The collection, with its vectors.
        qrels: The judgments of the split.
        negatives: Whether to add the candidates that are not relevant, which training needs.
    """
    from imrnns.beir_data import DatasetSplit
    from imrnns.data import CachedSplit

    vectors = collection.query_vectors(tuple(qrels))
    documents = {
        i: torch.from_numpy(v)
        for i, v in zip(collection.documents.ids, collection.documents.vectors, strict=True)
    }
    mined = dict[str, list[str]]()
    if negatives:
        for query, rows in zip(qrels, collection.index.search(vectors, 100), strict=True):
            candidates = [collection.documents.ids[row] for row in rows]
            mined[query] = [d for d in candidates if qrels[query].get(d, 0) <= 0]
    split = DatasetSplit(
        corpus={d.id: {"title": d.title, "text": d.text} for d in collection.dataset.documents},
        queries={q: collection.dataset.queries[q].text for q in qrels},
        qrels={q: dict(judged) for q, judged in qrels.items()},
    )
    queries = {q: torch.from_numpy(v) for q, v in zip(qrels, vectors, strict=True)}
    return CachedSplit(split, documents, queries, mined)


def flat_index(vectors: FloatArray) -> Any:
    """Return a flat FAISS index of vectors (N, n), searched by inner product."""
    import faiss

    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return index
