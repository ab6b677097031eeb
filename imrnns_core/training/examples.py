"""Training examples: queries and the documents that are scored for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imrnns_core.config import SearchConfig
from imrnns_core.errors import TrainingError
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.types import FloatArray, Qrels, relevant_ids


@dataclass(frozen=True)
class Examples:
    """Q training queries and their documents.

    Attributes:
        vectors: (Q, n) base embeddings of the queries.
        documents: (Q, K) corpus rows of the documents that are scored and refine the query.
        relevant: (Q, R) corpus rows of the relevant documents, highest grade first. The first row
            is repeated to fill R columns.
    """

    vectors: Tensor
    documents: Tensor
    relevant: Tensor

    def __len__(self) -> int:
        return len(self.vectors)


def ranked_examples(collection: Collection, qrels: Qrels, candidates: int) -> Examples:
    """Return examples with the top base candidates of each query, whether relevant or not.

    All relevant documents of a query are positives.
    """
    ids = tuple(qrels)
    vectors = collection.query_vectors(ids)
    return Examples(
        torch.from_numpy(vectors),
        torch.from_numpy(collection.candidates(vectors, candidates, ids)),
        relevant_rows(collection, [_by_grade(judged) for judged in qrels.values()]),
    )


def paired_examples(
    collection: Collection, qrels: Qrels, negatives: int, lexical: bool = False
) -> Examples:
    """Return examples with one positive, in column 0, and the hardest negatives of each query.

    The positive is the document with the highest grade. The negatives are the highest-ranked
    documents of the base (or BM25) top 100 that are not relevant. If there are too few, the last
    one is repeated, as in the reference package.

    Raises:
        TrainingError: If all candidates of a query are relevant.
    """
    ids = tuple(qrels)
    vectors = collection.query_vectors(ids)
    if lexical:
        texts = [collection.dataset.queries[q].text for q in ids]
        index = BM25Index(collection.dataset.documents)
        candidates = index.search(texts, SearchConfig().candidates)
    else:
        candidates = collection.candidates(vectors, SearchConfig().candidates, ids)
    documents = np.empty((len(ids), 1 + negatives), dtype=np.int64)
    for i, judged in enumerate(qrels.values()):
        positive = collection.documents.row[_by_grade(judged)[0]]
        relevant = {collection.documents.row[d] for d in relevant_ids(judged)}
        # BM25 also returns the document that is the query itself
        excluded = relevant | {collection.dataset.left_out.get(ids[i])}
        hard = [row for row in candidates[i].tolist() if row not in excluded][:negatives]
        if not hard:
            raise TrainingError(
                f"query {ids[i]!r}: all candidates are relevant, so there is no negative; add "
                "documents or remove the query"
            )
        # repeat the last negative to fill the row
        documents[i] = [positive, *hard, *hard[-1:] * (negatives - len(hard))]
    rows = torch.from_numpy(documents)
    return Examples(torch.from_numpy(vectors), rows, rows[:, :1])


def relevant_rows(collection: Collection, relevant: Sequence[Sequence[str]]) -> Tensor:
    """Return (Q, R) corpus rows of the relevant ids; the first is repeated to fill R columns."""
    width = max(len(ids) for ids in relevant)
    return torch.tensor(
        [
            collection.documents.rows([*ids, *[ids[0]] * (width - len(ids))]).tolist()
            for ids in relevant
        ]
    )


def check_vectors(vectors: FloatArray, kind: str, name: str) -> None:
    """Check that all values of (N, n) vectors are finite.

    Raises:
        TrainingError: If a value is NaN or infinity.
    """
    not_finite = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(not_finite):
        raise TrainingError(
            f"{name}: {len(not_finite)} of {len(vectors)} {kind} vectors hold NaN or infinity, "
            f"first row {not_finite[0]}; encode them again"
        )


def _by_grade(judged: Mapping[str, int]) -> list[str]:
    """Return the ids of the relevant documents, highest grade first."""
    return sorted(relevant_ids(judged), key=lambda d: (-judged[d], d))
