"""What is trained on: queries, and the documents scored for each."""

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
    """Q training queries.

    Attributes:
        vectors: (Q, n) base embeddings.
        documents: (Q, K) corpus rows that are scored for a query and refine it.
        relevant: (Q, R) its relevant rows, the best-judged first, which is repeated up to R.
    """

    vectors: Tensor
    documents: Tensor
    relevant: Tensor

    def __len__(self) -> int:
        return len(self.vectors)


def ranked_examples(collection: Collection, qrels: Qrels, candidates: int) -> Examples:
    """Score the first base candidates of each query, relevant or not.

    All its relevant documents are positives.
    """
    ids = tuple(qrels)
    vectors = collection.query_vectors(ids)
    return Examples(
        torch.from_numpy(vectors),
        torch.from_numpy(collection.index.search(vectors, candidates)),
        relevant_rows(collection, [_by_grade(judged) for judged in qrels.values()]),
    )


def paired_examples(
    collection: Collection, qrels: Qrels, negatives: int, lexical: bool = False
) -> Examples:
    """Pair each query's best-judged document, in column 0, with its hardest negatives.

    Negatives are the base (or BM25) top 100 less all relevant documents, the most similar first;
    where there are too few, the last is repeated, as in the reference package.

    Raises TrainingError where all candidates of a query are relevant.
    """
    ids = tuple(qrels)
    vectors = collection.query_vectors(ids)
    if lexical:
        texts = [collection.dataset.queries[q].text for q in ids]
        found = BM25Index(collection.dataset.documents).search(texts, SearchConfig().candidates)
    else:
        found = collection.index.search(vectors, SearchConfig().candidates)
    documents = np.empty((len(ids), 1 + negatives), dtype=np.int64)
    for i, judged in enumerate(qrels.values()):
        best = collection.documents.row[_by_grade(judged)[0]]
        relevant = {collection.documents.row[d] for d in relevant_ids(judged)}
        hard = [row for row in found[i].tolist() if row not in relevant][:negatives]
        if not hard:
            raise TrainingError(
                f"query {ids[i]!r}: all candidates are relevant, there is no negative; add "
                "documents or remove the query"
            )
        documents[i] = [best, *hard, *hard[-1:] * (negatives - len(hard))]
    rows = torch.from_numpy(documents)
    return Examples(torch.from_numpy(vectors), rows, rows[:, :1])


def relevant_rows(collection: Collection, relevant: Sequence[Sequence[str]]) -> Tensor:
    """Return (Q, R) rows of the relevant documents, the first repeated up to R."""
    width = max(len(ids) for ids in relevant)
    return torch.tensor(
        [
            collection.documents.rows([*ids, *[ids[0]] * (width - len(ids))]).tolist()
            for ids in relevant
        ]
    )


def check_vectors(vectors: FloatArray, what: str, name: str) -> None:
    """Raise TrainingError if a vector holds a value that is not finite."""
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise TrainingError(
            f"{name}: {len(bad)} of {len(vectors)} {what} vectors hold NaN or infinity, first "
            f"row {bad[0]}; encode them again"
        )


def _by_grade(judged: Mapping[str, int]) -> list[str]:
    return sorted(relevant_ids(judged), key=lambda d: (-judged[d], d))
