"""The modulated ranking of a whole corpus, by a second search with the effective query.

Shapes: B queries, K candidates, E further documents, R documents of a pool, V vectors of the
corpus, m working dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from imrnns_core.config import SearchConfig
from imrnns_core.model.effective_query import EffectiveQuery, effective_query
from imrnns_core.model.imrnn import feedback_weights
from imrnns_core.model.scoring import refine, score_corpus, score_modulated
from imrnns_core.retrieval.batch import Certainty, rank
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.stages import AdapterStages
from imrnns_core.types import DoubleArray, FloatArray, IntArray

SECOND_POOL = 10
"""The second pool has this many times the number of candidates."""
EXACT_BATCH = 16
"""Queries whose scores of all documents are in memory at once."""
PRODUCT_ROUNDING = 1e-6
"""Products of two vectors in float32 have errors below this share of their lengths."""


@dataclass(frozen=True)
class _Refined:
    """B queries with everything that their modulated scores need."""

    ids: Sequence[str]
    base: FloatArray  # (B, n) vectors whose dot products are the base scores
    projected: Tensor  # (B, m)
    refined: Tensor  # (B, m)
    scale: Tensor  # (B, m)
    bias: Tensor  # (B, m)
    effective: EffectiveQuery

    def take(self, numbers: IntArray) -> _Refined:
        index = torch.from_numpy(numbers)
        return _Refined(
            [self.ids[i] for i in numbers.tolist()],
            self.base[numbers],
            self.projected[index],
            self.refined[index],
            self.scale[index],
            self.bias[index],
            EffectiveQuery(*(tensor[index] for tensor in self.effective)),
        )


class CorpusSearch:
    """Finds the documents outside the candidates that an adapter ranks highest.

    The query is refined by its candidates. A search with the effective query on the unchanged base
    vectors gives a pool, whose documents are scored exactly. If the bounds of the scores
    (`imrnns_core.model.score_bounds`) do not exclude all other documents from the top k, a larger
    pool follows, and then all documents.

    Args:
        collection: The collection.
        stages: The stages of the adapter.
        config: Sizes of the lists.
    """

    def __init__(self, collection: Collection, stages: AdapterStages, config: SearchConfig) -> None:
        self._collection, self._stages, self._config = collection, stages, config
        self._ranked = collection.ranked

    @torch.inference_mode()
    def further(
        self,
        vectors: FloatArray,
        ids: Sequence[str],
        candidates: IntArray,
        feedback: NDArray[np.bool_] | None = None,
    ) -> tuple[IntArray, tuple[Certainty, ...]]:
        """Return the best further documents (B, E) of each query, and the certainty of its top k.

        E is K, or fewer if the corpus has fewer documents.

        Args:
            vectors: (B, n) base embeddings of the queries.
            ids: (B,) ids of the queries, empty for a typed one.
            candidates: (B, K) rows of the candidates in `Collection.ranked`.
            feedback: (B, K) True for the candidates that refine the query; None means all.
        """
        queries = self._refine(vectors, ids, candidates, feedback)
        count = min(candidates.shape[1], self._rankable - candidates.shape[1])
        further = np.zeros((len(vectors), count), dtype=np.int64)
        certainty = dict[int, Certainty]()
        pending = np.arange(len(vectors))
        width = candidates.shape[1]
        for depth in (width + count, SECOND_POOL * width):
            if not len(pending):
                break
            further[pending], own = self._from_pool(
                queries.take(pending), candidates[pending], depth, count
            )
            certainty.update(zip(pending.tolist(), own, strict=True))
            pending = pending[[each.proof == "not proven" for each in own]]
        if self._config.exact_pass:
            exact = Certainty("exact", self._config.top_k, len(self._ranked.first))
            for start in range(0, len(pending), EXACT_BATCH):
                numbers = pending[start : start + EXACT_BATCH]
                some = queries.take(numbers)
                further[numbers] = self._from_corpus(some, candidates[numbers], count)
                certainty.update(dict.fromkeys(numbers.tolist(), exact))
        if count < self._config.top_k:
            # the corpus is so small that the document that is missing may belong into the top k
            missing = Certainty("not proven", self._config.top_k, width + count)
            certainty.update(dict.fromkeys(np.flatnonzero(self._lacks_one(ids)).tolist(), missing))
        return further, tuple(certainty[i] for i in range(len(vectors)))

    def _lacks_one(self, ids: Sequence[str]) -> NDArray[np.bool_]:
        """Return (B,) True for queries that lose a document because others have their own left out.

        All queries must have the same number of documents.
        """
        own = self._collection.dataset.left_out_rows(ids)
        return np.zeros(len(ids), dtype=bool) if own is None else own < 0

    @property
    def _rankable(self) -> int:
        """Number of documents that are ranked for a query."""
        dataset = self._collection.dataset
        return len(dataset.document_ids) - bool(dataset.left_out)

    def _refine(
        self,
        vectors: FloatArray,
        ids: Sequence[str],
        candidates: IntArray,
        feedback: NDArray[np.bool_] | None,
    ) -> _Refined:
        model = self._stages.model
        weights = None if feedback is None else feedback_weights(torch.from_numpy(feedback))
        projected = model.project(torch.from_numpy(np.ascontiguousarray(vectors)))
        scale, bias = model.query_adapter(projected)
        rows = torch.from_numpy(candidates)
        refined = refine(model, self._stages.transform, projected, rows, weights)
        effective = effective_query(model, scale, bias, refined)
        base = self._collection.base_queries(vectors)
        return _Refined(ids, base, projected, refined, scale, bias, effective)

    def _from_pool(
        self, queries: _Refined, candidates: IntArray, depth: int, count: int
    ) -> tuple[IntArray, list[Certainty]]:
        """Return the best `count` further documents from a pool, and the certainty of the top k."""
        q_eff = queries.effective.base.numpy()
        nearest = self._collection.candidates(q_eff, depth, queries.ids)
        last = self._ranked.index.take(nearest[:, -1]).astype(np.float64)
        smallest = np.einsum("bn,bn->b", last, q_eff.astype(np.float64))
        pool = np.concatenate([candidates, self._best_passages(queries, nearest)], axis=1)
        pool, is_first = _once(pool, self._ranked.documents[pool])
        scores = np.where(is_first, self._scores(queries, pool), -np.inf)
        is_complete = (nearest.shape[1] == self._rankable) & ~self._lacks_one(queries.ids)
        k = min(self._config.top_k, scores.shape[1])
        smallest_of_top = -np.partition(-scores, k - 1, axis=1)[:, k - 1]
        is_proven = self._upper(queries, smallest) < smallest_of_top
        certainty = [
            Certainty(
                "exact" if complete else "proven" if proven else "not proven",
                self._config.top_k,
                nearest.shape[1],
            )
            for complete, proven in zip(is_complete, is_proven, strict=True)
        ]
        # the candidates come first in the pool
        pool, scores = pool[:, candidates.shape[1] :], scores[:, candidates.shape[1] :]
        order = np.argsort(rank(scores, self._ranked.ties[pool]), axis=1)[:, :count]
        return np.take_along_axis(pool, order, axis=1), certainty

    def _from_corpus(self, queries: _Refined, candidates: IntArray, count: int) -> IntArray:
        """Return the best `count` further documents of all, which are all scored."""
        every = score_corpus(
            self._stages.model, self._stages.transform, queries.projected, queries.refined
        ).numpy()
        every = every[:, self._ranked.index.representatives]
        own = self._collection.dataset.left_out_rows(queries.ids)
        further = []
        for i, scores in enumerate(every):
            excluded = self._ranked.documents[candidates[i]].tolist()
            excluded += [] if own is None else [int(own[i])]
            others = np.setdiff1d(np.arange(len(self._ranked.first)), excluded)
            rows = self._rows_of(queries.base[i], others)
            further.append(self._top(rows, scores[rows], count))
        return np.stack(further)

    def _scores(self, queries: _Refined, rows: IntArray) -> FloatArray:
        scores = score_modulated(
            self._stages.model,
            self._stages.transform,
            torch.from_numpy(rows),
            queries.projected,
            queries.refined,
        )
        return self._ranked.index.equalized(scores.numpy(), rows)

    def _upper(self, queries: _Refined, smallest: DoubleArray) -> DoubleArray:
        # the search rounds: the product of a document outside the pool can be a little larger
        length = np.linalg.norm(queries.effective.base.numpy(), axis=1)
        bounds, slack = self._stages.bounds, PRODUCT_ROUNDING * length
        return bounds.upper(queries.effective, queries.scale, queries.bias, smallest + slack)

    def _best_passages(self, queries: _Refined, rows: IntArray) -> IntArray:
        """Return the rows (B, R) of the passages by which the documents of rows are ranked."""
        if not self._ranked.parts:
            return rows
        documents = self._ranked.documents[rows]
        return np.stack(
            [self._rows_of(q, own) for q, own in zip(queries.base, documents, strict=True)]
        )

    def _rows_of(self, query: FloatArray, documents: IntArray) -> IntArray:
        """Return the rows (R,) of the vectors by which documents (R,) are ranked for a query."""
        if not self._ranked.parts:
            return documents
        return self._ranked.best_rows(self._ranked.index.products(query))[documents]

    def _top(self, rows: IntArray, scores: FloatArray, count: int) -> IntArray:
        return rows[np.argsort(rank(scores, self._ranked.ties[rows]))[:count]]


def _once(rows: IntArray, documents: IntArray) -> tuple[IntArray, NDArray[np.bool_]]:
    """Move the rows of repeated documents to the end, and cut those that no query needs.

    Args:
        rows: (B, R) vector rows.
        documents: (B, R) their documents.

    Returns:
        (B, P) rows, each document in the order of its first row, and (B, P) True for these.
    """
    order = np.argsort(documents, axis=1, kind="stable")
    ordered = np.take_along_axis(documents, order, axis=1)
    is_first = np.ones(rows.shape, dtype=bool)
    np.put_along_axis(is_first, order[:, 1:], ordered[:, 1:] != ordered[:, :-1], axis=1)
    width = int(is_first.sum(axis=1).max(initial=0))
    kept = np.argsort(~is_first, axis=1, kind="stable")[:, :width]
    return np.take_along_axis(rows, kept, axis=1), np.take_along_axis(is_first, kept, axis=1)
