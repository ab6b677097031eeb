"""From a query to its four rankings: base → projected → document-modulated → modulated."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from imrnns_core.config import SearchConfig
from imrnns_core.data.records import Query
from imrnns_core.errors import AdapterError
from imrnns_core.model.checkpoint import Adapter, check_dimensions
from imrnns_core.model.scoring import (
    CorpusTransform,
    refine,
    score_candidates,
    score_corpus,
    transform_corpus,
)
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.types import STAGES, FloatArray, IntArray, Stage


@dataclass(frozen=True)
class RankedBatch:
    """B queries, K candidates each, in base order: rows (B, K), scores and ranks (B, 4, K)."""

    rows: IntArray
    scores: FloatArray
    ranks: IntArray

    def ranked_rows(self, stage: Stage) -> IntArray:
        """Return (B, K) corpus rows, best first, at a stage."""
        order = np.argsort(self.ranks[:, STAGES.index(stage)], axis=1)
        return np.take_along_axis(self.rows, order, axis=1)


def rank(scores: FloatArray, rows: IntArray) -> IntArray:
    """Return ranks (…, K), from 1, of scores (…, K).

    Equal scores stand in corpus order, rows (…, K).
    """
    order = np.lexsort((np.broadcast_to(rows, scores.shape), -scores), axis=-1)
    ranks = np.empty(scores.shape, dtype=np.int64)
    np.put_along_axis(ranks, order, np.arange(1, scores.shape[-1] + 1), axis=-1)
    return ranks


class Ranker:
    """Rank the queries of one collection with one adapter.

    Raises AdapterError if the dimensions differ or a score is no number.
    """

    def __init__(
        self, collection: Collection, adapter: Adapter, config: SearchConfig | None = None
    ) -> None:
        check_dimensions(adapter, collection.documents.dimension)
        self.collection, self.adapter, self.config = collection, adapter, config or SearchConfig()
        self.base = torch.from_numpy(collection.unit_documents)

    @cached_property
    def transform(self) -> CorpusTransform:
        """What the adapter makes of every document; computed on first use."""
        return transform_corpus(
            self.adapter.model, torch.from_numpy(np.asarray(self.collection.documents.vectors))
        )

    def rank_batch(self, vectors: FloatArray) -> RankedBatch:
        """Rank the candidates of (B, n) query embeddings at all stages."""
        found = self.collection.index.search(vectors, self.config.candidates)
        scores = self._scores(vectors, found)
        # FAISS sums in another order: settle the base order by the scores that are shown
        order = np.argsort(rank(scores[:, 0], found), axis=1)
        rows = np.take_along_axis(found, order, axis=1)
        scores = np.take_along_axis(scores, order[:, None, :], axis=2)
        return RankedBatch(rows, scores, rank(scores, rows[:, None, :]))

    def compare(
        self, query: Query, vector: FloatArray, dropped: frozenset[str] = frozenset()
    ) -> Comparison:
        """Rank one query and keep every vector behind it.

        Args:
            query: The query; its judgments are looked up by its id.
            vector: (n,) its base embedding.
            dropped: Ids of candidates that shall not refine the query. They stay ranked. At least
                one candidate must remain.
        """
        batch = self.rank_batch(vector[None])
        rows, scores, ranks = batch.rows[0], batch.scores[0], batch.ranks[0]
        dataset = self.collection.dataset
        ids = tuple(dataset.document_ids[row] for row in rows)
        feedback = np.array([i not in dropped for i in ids])
        if not feedback.any():
            raise ValueError("at least one candidate must refine the query")
        if not feedback.all():
            scores = self._scores(vector[None], rows[None], feedback[None])[0]
            ranks = rank(scores, rows[None, :])
        with torch.inference_mode():
            documents = torch.from_numpy(np.asarray(self.collection.documents.vectors)[rows])
            modulation = self.adapter.model(
                torch.from_numpy(vector)[None], documents[None], torch.from_numpy(feedback)[None]
            )[0]
        judgments: Mapping[str, int] = dataset.judgments.get(query.id, {})
        return Comparison(query, ids, rows, scores, ranks, judgments, modulation, feedback)

    def compare_id(self, query_id: str, dropped: frozenset[str] = frozenset()) -> Comparison:
        """Compare a query of the collection."""
        return self.compare(
            self.collection.dataset.queries[query_id], self.collection.vector(query_id), dropped
        )

    def corpus_ranks(self, comparison: Comparison, document_id: str) -> dict[Stage, int]:
        """Return the rank of any document at every stage if the whole corpus were ranked, candidates or not.

        The query is refined by the comparison's feedback documents, as in the comparison.
        """
        row = self.collection.documents.row[document_id]
        with torch.inference_mode():
            modulation = comparison.modulation
            query = modulation.projected_query[None]
            rows, mask = (
                torch.from_numpy(comparison.rows)[None],
                torch.from_numpy(comparison.feedback)[None].float(),
            )
            refined = refine(self.adapter.model, self.transform, query, rows, mask / mask.sum())
            by_stage: dict[Stage, torch.Tensor] = {
                "base": self.base @ modulation.query,
                "projected": self.transform.projected @ query[0],
                "document-modulated": score_corpus(
                    self.adapter.model, self.transform, query, query
                )[0],
                "modulated": score_corpus(self.adapter.model, self.transform, query, refined)[0],
            }
        corpus_rows = np.arange(len(self.collection.documents))
        return {
            stage: int(rank(self._checked(scores.numpy()), corpus_rows)[row])
            for stage, scores in by_stage.items()
        }

    def _scores(
        self, vectors: FloatArray, rows: IntArray, feedback: NDArray[np.bool_] | None = None
    ) -> FloatArray:
        mask = None if feedback is None else torch.from_numpy(feedback)
        queries = torch.from_numpy(np.ascontiguousarray(vectors))
        scores = score_candidates(
            self.adapter.model, self.transform, self.base, queries, torch.from_numpy(rows), mask
        )
        return self._checked(scores.numpy())

    def _checked(self, scores: FloatArray) -> FloatArray:
        """Return the scores.

        AdapterError where one is no number, as finite tensors that are too large make it.
        """
        if not np.isfinite(scores).all():
            name = self.adapter.card.name
            raise AdapterError(
                f"{name}: this adapter gives scores that are no numbers (NaN) for these "
                "embeddings; train it again or take another adapter"
            )
        return scores


def blend(comparison: Comparison, alpha: float) -> tuple[FloatArray, IntArray]:
    """Return scores and ranks (K,) of (1 − α) · base + α · modulated, α in [0, 1]."""
    scores = ((1.0 - alpha) * comparison.scores[0] + alpha * comparison.scores[-1]).astype(
        np.float32
    )
    return scores, rank(scores, comparison.rows)
