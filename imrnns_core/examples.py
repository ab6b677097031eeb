"""What is trained on: queries, the documents scored for each, and the splits they come from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from imrnns_core.config import SearchConfig
from imrnns_core.dataset import Qrels
from imrnns_core.errors import TrainingError
from imrnns_core.index import LexicalIndex
from imrnns_core.records import FloatArray
from imrnns_core.workspace import Collection

Judged = dict[str, Mapping[str, int]]


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


def judged_positive(qrels: Qrels) -> Judged:
    """Keep the queries with a relevant document."""
    return {q: judged for q, judged in qrels.items() if any(g > 0 for g in judged.values())}


def split_disjoint(qrels: Qrels, share: float, seed: int) -> tuple[Judged, Judged]:
    """Split queries into training and validation parts that share no relevant document.

    Queries that share one, directly or through others, stay together; whole groups, in random order,
    go to validation until it holds `share` of the queries.
    """
    groups: list[tuple[set[str], list[str]]] = []
    for query_id, judged in qrels.items():
        relevant, members = relevant_ids(judged), [query_id]
        apart = []
        for documents, queries in groups:
            if documents & relevant:
                relevant, members = relevant | documents, queries + members
            else:
                apart.append((documents, queries))
        groups = [*apart, (relevant, members)]
    wanted, validation = share * len(qrels), set[str]()
    for i in np.random.default_rng(seed).permutation(len(groups)):
        if len(validation) + len(groups[i][1]) <= max(wanted, 1):
            validation.update(groups[i][1])
    return {q: j for q, j in qrels.items() if q not in validation}, {q: j for q, j in qrels.items() if q in validation}


def split_random(qrels: Qrels, share: float, seed: int) -> tuple[Judged, Judged]:
    """Split queries into training and validation parts, whatever they share."""
    ids = list(qrels)
    validation = {ids[i] for i in np.random.default_rng(seed).permutation(len(ids))[: max(int(share * len(ids)), 1)]}
    return {q: j for q, j in qrels.items() if q not in validation}, {q: j for q, j in qrels.items() if q in validation}


def split_shared(qrels: Qrels, share: float, seed: int) -> tuple[Judged, Judged]:
    """Hold out up to `share` of the queries that each share a relevant document with one that stays in training.

    Together with `split_disjoint` this tells how an adapter does on seen and on unseen documents.
    """
    left: dict[str, int] = {}
    for judged in qrels.values():
        for document in relevant_ids(judged):
            left[document] = left.get(document, 0) + 1
    ids, held = list(qrels), set[str]()
    for i in np.random.default_rng(seed).permutation(len(ids)):
        relevant = relevant_ids(qrels[ids[i]])
        if len(held) < int(share * len(ids)) and all(left[d] > 1 for d in relevant):
            held.add(ids[i])
            for document in relevant:
                left[document] -= 1
    return {q: j for q, j in qrels.items() if q not in held}, {q: j for q, j in qrels.items() if q in held}


def relevant_ids(judged: Mapping[str, int]) -> set[str]:
    """Return the documents of grade 1 and above."""
    return {d for d, g in judged.items() if g > 0}


def ranked_examples(collection: Collection, qrels: Qrels, candidates: int) -> Examples:
    """Score the first base candidates of each query, relevant or not; all its relevant documents are positives."""
    ids = tuple(qrels)
    vectors = collection.queries.vectors[collection.queries.rows(ids)]
    return Examples(
        torch.from_numpy(vectors),
        torch.from_numpy(collection.index.search(vectors, candidates)),
        relevant_rows(collection, [_by_grade(judged) for judged in qrels.values()]),
    )


def paired_examples(collection: Collection, qrels: Qrels, negatives: int, lexical: bool = False) -> Examples:
    """Pair each query's best-judged document, in column 0, with its hardest negatives.

    Negatives are the base (or BM25) top 100 less all relevant documents, the most similar first; where there
    are too few, the last is repeated, as in the reference package.

    Raises TrainingError where all candidates of a query are relevant.
    """
    ids = tuple(qrels)
    vectors = collection.queries.vectors[collection.queries.rows(ids)]
    if lexical:
        texts = [collection.dataset.queries[q].text for q in ids]
        found = LexicalIndex(collection.dataset.documents).search(texts, SearchConfig().candidates)
    else:
        found = collection.index.search(vectors, SearchConfig().candidates)
    documents = np.empty((len(ids), 1 + negatives), dtype=np.int64)
    for i, judged in enumerate(qrels.values()):
        best = collection.documents.row[_by_grade(judged)[0]]
        relevant = {collection.documents.row[d] for d in relevant_ids(judged)}
        hard = [row for row in found[i].tolist() if row not in relevant][:negatives]
        if not hard:
            raise TrainingError(f"query {ids[i]!r}: all candidates are relevant, there is no negative; add documents or remove the query")
        documents[i] = [best, *hard, *hard[-1:] * (negatives - len(hard))]
    rows = torch.from_numpy(documents)
    return Examples(torch.from_numpy(vectors), rows, rows[:, :1])


def relevant_rows(collection: Collection, relevant: Sequence[Sequence[str]]) -> Tensor:
    """Return (Q, R) rows of the relevant documents, the first repeated up to R."""
    width = max(len(ids) for ids in relevant)
    return torch.tensor([collection.documents.rows([*ids, *[ids[0]] * (width - len(ids))]).tolist() for ids in relevant])


def check_vectors(vectors: FloatArray, what: str, name: str) -> None:
    """Raise TrainingError if a vector holds a value that is not finite."""
    bad = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if len(bad):
        raise TrainingError(
            f"{name}: {len(bad)} of {len(vectors)} {what} vectors hold NaN or infinity, first row {bad[0]}; encode them again"
        )


def _by_grade(judged: Mapping[str, int]) -> list[str]:
    return sorted(relevant_ids(judged), key=lambda d: (-judged[d], d))
