"""Rank the queries of a data set as a run does: the ranking of another search engine is the base.

A run has no vectors. So it ranks only the queries and documents in its file, and what an adapter, a
map or an explanation of a score needs is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from imrnns_core.config import ENCODER_BASE
from imrnns_core.data.records import Query, check_typed
from imrnns_core.data.run import RankedDocuments, Run
from imrnns_core.errors import LensError
from imrnns_core.retrieval.batch import NO_ROW, RankedBatch
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison, Ranking
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import BASE_ONLY, FloatArray, Stage

ENCODER = ENCODER_BASE
"""The name of the ranking by the collection's embeddings, beside that of a run."""
NOTHING_RANKED = RankedDocuments((), np.zeros(0, dtype=np.float32))


class RunRanker(Ranker):
    """Rank queries as a run does. "base", the only stage, has all documents that it ranks.

    Args:
        collection: The collection; it needs no vectors.
        run: A run of its data set.
    """

    def __init__(self, collection: Collection, run: Run) -> None:
        super().__init__(collection)
        self.run = run

    @property
    def run_name(self) -> str:
        """The name of the run."""
        return self.run.name

    def rank_queries(self, query_ids: Sequence[str]) -> RankedBatch:
        """Return the rankings of B queries; K is the longest of them."""
        ranked = [self._ranked(query_id) for query_id in query_ids]
        shape = (len(ranked), max((len(r.document_ids) for r in ranked), default=0))
        rows, scores = np.full(shape, NO_ROW), np.full(shape, -np.inf, dtype=np.float32)
        row_of = self.collection.documents.row
        for i, own in enumerate(ranked):
            rows[i, : len(own.document_ids)] = [row_of[d] for d in own.document_ids]
            scores[i, : len(own.scores)] = own.scores
        ranks = np.broadcast_to(np.arange(1, shape[1] + 1), shape)
        return RankedBatch(rows, scores[:, None], ranks[:, None], rows, BASE_ONLY)

    def rank_batch(
        self, vectors: FloatArray, query_ids: Sequence[str] | None = None
    ) -> RankedBatch:
        """Refuse: a run knows queries by their ids.

        Raises:
            LensError: Always.
        """
        raise LensError(f"the run {self.run.name} ranks no vectors; choose the encoder as the base")

    def compare(
        self,
        query: str | Query,
        dropped: frozenset[str] = frozenset(),
        *,
        vector: FloatArray | None = None,
    ) -> Comparison:
        """Return the ranking of one query, without vectors; empty if the run does not rank it.

        Args:
            query: A query, its id, or any text. A run ranks no new text.
            dropped: Has no effect: a run refines no query.
            vector: Has no effect.

        Raises:
            LensError: If the text is empty.
        """
        dataset = self.collection.dataset
        query = dataset.find_query(query) if isinstance(query, str) else query
        if not query.id:
            check_typed(query.text)
        ranked = self._ranked(query.id)
        ranks = np.arange(1, len(ranked.document_ids) + 1)
        return Comparison(
            query,
            {"base": Ranking("base", ranked.document_ids, ranked.scores, ranks)},
            self.collection.documents.rows(ranked.document_ids),
            dataset.judgments.get(query.id, {}),
            np.ones(len(ranks), dtype=bool),
        )

    def corpus_ranks(self, comparison: Comparison, document_id: str) -> dict[Stage, int]:
        """Return nothing: a run does not say at which rank the other documents would be."""
        return {}

    def _ranked(self, query_id: str) -> RankedDocuments:
        return self.run.rankings.get(query_id, NOTHING_RANKED)


def with_encoder(comparison: Comparison, encoder: Ranker, vector: FloatArray | None) -> Comparison:
    """Return the comparison of a run with the ranking by the embeddings of the collection.

    Args:
        comparison: The comparison.
        encoder: The ranker of the collection without an adapter.
        vector: (n,) base embedding of the query; None takes the stored one.
    """
    own = encoder.compare(comparison.query, vector=vector).rankings["base"]
    rankings = {**comparison.rankings, ENCODER: replace(own, system=ENCODER)}
    return replace(comparison, rankings=rankings)
