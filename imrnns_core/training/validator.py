"""Fast repeated measurement of an adapter on held-out queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from imrnns_core.config import SearchConfig
from imrnns_core.model.corpus_transform import transform_corpus
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.model.scoring import score_candidates
from imrnns_core.retrieval.collection import Collection
from imrnns_core.types import Qrels, relevant_ids

CUTOFF = 10
"""Rank cutoff of the measures."""


class Validator:
    """Measures adapters on Q queries with K candidates each; vectors and gains are prepared once.

    Args:
        vectors: (Q, n) base embeddings of the queries.
        rows: (Q, K) rows of the candidates in `documents`.
        documents: (N, n) base embeddings of the corpus.
        relevant: Row → grade for all relevant documents of each query, also if not retrieved.
        ties: (N,) order of the documents where scores are equal.
    """

    def __init__(
        self,
        vectors: Tensor,
        rows: Tensor,
        documents: Tensor,
        relevant: Sequence[Mapping[int, float]],
        ties: Tensor,
    ) -> None:
        # a stable sort by score then keeps the order of ties, as `ranker.rank` does
        rows = rows.gather(1, ties[rows].argsort(dim=1))
        # only documents that are candidates of a query are transformed
        used, self.rows = torch.unique(rows, return_inverse=True)
        self.vectors, self.documents = vectors, documents[used]
        self.gains = torch.tensor(
            [
                [float(r.get(d, 0)) for d in row]
                for r, row in zip(relevant, rows.tolist(), strict=True)
            ]
        )
        ideal = [sorted(r.values(), reverse=True)[:CUTOFF] for r in relevant]
        self.discounts = 1 / torch.log2(torch.arange(2, CUTOFF + 2, dtype=torch.float32))
        self.ideal = torch.stack(
            [(torch.tensor(g, dtype=torch.float32) * self.discounts[: len(g)]).sum() for g in ideal]
        )
        self.counts = torch.tensor([float(len(r)) for r in relevant])

    @classmethod
    def from_qrels(cls, collection: Collection, qrels: Qrels) -> Validator:
        """Return a validator of judged queries with their base candidates."""
        ids = tuple(qrels)
        vectors = collection.query_vectors(ids)
        rows = collection.candidates(vectors, SearchConfig().candidates, ids)
        relevant = [
            {collection.documents.row[d]: judged[d] for d in relevant_ids(judged)}
            for judged in qrels.values()
        ]
        return cls(
            torch.from_numpy(vectors),
            torch.from_numpy(rows),
            torch.from_numpy(collection.documents.vectors),
            relevant,
            torch.from_numpy(collection.tie_ranks),
        )

    def values(self, model: IMRNN) -> Tensor:
        """Return (Q,) means of nDCG@10, R@10 and RR@10 for the modulated rankings.

        The reference package selects epochs by the same mean.
        """
        return _mean_of_three(self._measure(self._scores(model)))

    def base_values(self) -> Tensor:
        """Return (Q,) means of nDCG@10, R@10 and RR@10 for the base rankings."""
        return _mean_of_three(self._measure(self._base_scores()))

    def ndcg(self, model: IMRNN | None = None) -> Tensor:
        """Return (Q,) nDCG@10 of the modulated rankings; without a model, of the base rankings."""
        return self._measure(self._scores(model) if model else self._base_scores())[0]

    def _scores(self, model: IMRNN) -> Tensor:
        """Return the modulated scores (Q, K)."""
        transform = transform_corpus(model, self.documents)
        return score_candidates(model, transform, self.documents, self.vectors, self.rows)[:, 3]

    def _base_scores(self) -> Tensor:
        """Return the base scores (Q, K)."""
        units, queries = F.normalize(self.documents, dim=-1), F.normalize(self.vectors, dim=-1)
        scores = [
            (units[r] @ v.unsqueeze(1)).squeeze(1) for v, r in zip(queries, self.rows, strict=True)
        ]
        return torch.stack(scores)

    def _measure(self, scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return nDCG@10, R@10 and RR@10, each (Q,), for scores (Q, K)."""
        order = scores.sort(dim=1, descending=True, stable=True).indices[:, :CUTOFF]
        gains = self.gains.gather(1, order)
        hits = (gains > 0).float()
        ndcg = (gains * self.discounts[: gains.shape[1]]).sum(1) / self.ideal
        reciprocal = (hits / torch.arange(1, hits.shape[1] + 1)).amax(1)
        return ndcg, hits.sum(1) / self.counts, reciprocal


def _mean_of_three(measures: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    ndcg, recall, reciprocal = measures
    return (ndcg + recall + reciprocal) / 3


def exceeds_standard_error(gains: Tensor, errors: float = 1.65) -> bool:
    """Return whether the mean of gains (Q,) exceeds `errors` times its standard error.

    It is False for a single query.
    """
    return len(gains) > 1 and float(gains.mean()) > errors * float(gains.std()) / len(gains) ** 0.5


def is_reliable_gain(
    values: list[Tensor], base: list[Tensor], initial: list[Tensor], above_initial: bool
) -> bool:
    """Return whether a gain over the base is reliable.

    No group may be worse than the base by more than its standard error. With `above_initial`, the
    mean must also exceed that of the initial model by more than its standard error.

    Args:
        values: (Q,) values of the model, for each group of validation queries.
        base: (Q,) values of the base ranking, for each group.
        initial: (Q,) values of the initial model, for each group.
        above_initial: Whether the model must be better than the initial model.
    """
    if any(exceeds_standard_error(b - v) for v, b in zip(values, base, strict=True)):
        return False
    if not above_initial:
        return True
    gains = [v - i for v, i in zip(values, initial, strict=True)]
    error = sum(float(g.var()) / len(g) for g in gains if len(g) > 1) ** 0.5 / len(gains)
    return bool(mean_of_groups(gains) > error)


def mean_of_groups(groups: list[Tensor]) -> float:
    """Return the mean over groups of their means over queries, from values (Q,) of each group."""
    return sum(float(values.mean()) for values in groups) / len(groups)
