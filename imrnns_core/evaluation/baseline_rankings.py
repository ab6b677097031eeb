"""Rank the queries of an evaluation with the baselines, and measure the rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.embeddings import unit
from imrnns_core.evaluation.baselines import (
    ADAPTER_LEXICAL,
    BASE,
    MAX_SIM,
    Baseline,
    Baselines,
    independent,
)
from imrnns_core.evaluation.cross_validation import FOLDS, WEIGHTS, choose_weights
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.fusion import (
    ScoredRows,
    ScorePair,
    min_max_pair,
    reciprocal_rank_fusion,
)
from imrnns_core.retrieval.hybrid import BASE_LEXICAL, DEPTH, LEXICAL, RANK_FUSION
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.run_ranker import ENCODER
from imrnns_core.retrieval.sentences import SentenceVectors
from imrnns_core.statistics.measures import SystemMetrics, measure
from imrnns_core.statistics.query_groups import query_folds
from imrnns_core.types import IntArray

NDCG_DEPTH = 10
"""nDCG@10 needs no more documents of a ranking."""


def measure_baselines(
    evaluation: Evaluation,
    collection: Collection,
    lexical: BM25Index,
    sentences: SentenceVectors | None = None,
) -> Baselines:
    """Rank and measure the baselines on the queries of an evaluation.

    Args:
        evaluation: The evaluation.
        collection: Its collection.
        lexical: The BM25 index of the collection.
        sentences: The sentences of the collection; without them there is no sentence max-sim.
    """
    depth, batch = DEPTH, evaluation.batch
    texts = [collection.dataset.queries[query_id].text for query_id in evaluation.query_ids]
    own = collection.dataset.left_out_rows(evaluation.query_ids)
    matches = lexical.scored_matches(texts, depth, own)
    base, final = (
        [ScoredRows(own.rows[:depth], own.scores[:depth]) for own in batch.ranked(stage)]
        for stage in (batch.stages[0], batch.stages[-1])
    )
    every = np.ones(len(texts), dtype=bool)
    mixed = _Mixer(evaluation, collection, query_folds(evaluation.qrels, FOLDS, evaluation.copies))

    def plain(name: str, rankings: Sequence[IntArray]) -> Baseline:
        return Baseline(name, mixed.measured(rankings, evaluation.measures))

    def hybrid(first: Sequence[ScoredRows]) -> list[ScorePair]:
        return [min_max_pair(*pair) for pair in zip(first, matches, strict=True)]

    fused = [
        reciprocal_rank_fusion([own.rows, match.rows], depth, collection.tie_ranks).rows
        for own, match in zip(base, matches, strict=True)
    ]
    systems = [
        plain(LEXICAL, [match.rows for match in matches]),
        plain(RANK_FUSION, fused),
        mixed(BASE_LEXICAL, hybrid(base), every),
    ]
    if evaluation.run is not None:
        if collection.has_vectors:
            batch = Ranker(collection).rank_queries(evaluation.query_ids)
            systems.append(plain(ENCODER, batch.ranked_rows("base")))
    # a cosine of sentences cannot be mixed with a dot product of documents, nor with a run's score
    elif sentences is not None and collection.similarity == "cosine":
        systems.append(mixed(MAX_SIM, _sentence_pairs(evaluation, collection, sentences), every))
    if evaluation.has_adapter:
        systems.insert(0, plain(BASE, batch.ranked_rows("base")))
        systems.append(mixed(ADAPTER_LEXICAL, hybrid(final), independent(evaluation)))
    return Baselines(evaluation, tuple(systems))


def _sentence_pairs(
    evaluation: Evaluation, collection: Collection, sentences: SentenceVectors
) -> list[ScorePair]:
    """Return the cosines of document and best sentence for the base candidates of each query."""
    queries, batch = unit(collection.query_vectors(evaluation.query_ids)), evaluation.batch
    return [
        ScorePair(
            rows,
            scores.astype(np.float64),
            sentences.max_similarity(query, rows).astype(np.float64),
        )
        for query, rows, scores in zip(queries, batch.rows, batch.score("base"), strict=True)
    ]


@dataclass(frozen=True)
class _Mixer:
    """Measures rankings of corpus rows, and mixes of two scores with cross-validated weights."""

    evaluation: Evaluation
    collection: Collection
    folds: IntArray

    def measured(self, rankings: Sequence[IntArray], measures: Sequence[str]) -> SystemMetrics:
        document_ids = self.collection.dataset.document_ids
        ids = {
            query_id: [document_ids[row] for row in rows]
            for query_id, rows in zip(self.evaluation.query_ids, rankings, strict=True)
        }
        return measure(measures, self.evaluation.qrels, ids)

    def __call__(
        self, name: str, pairs: Sequence[ScorePair], eligible: NDArray[np.bool_]
    ) -> Baseline:
        """Return the baseline that mixes the pair of each query; `eligible` (Q,) queries decide."""
        ties = self.collection.tie_ranks
        values = [
            self.measured([p.rank(weight, NDCG_DEPTH, ties) for p in pairs], [NDCG]).values[:, 0]
            for weight in WEIGHTS.tolist()
        ]
        weights = choose_weights(np.stack(values), self.folds, eligible)
        rankings = [
            pair.rank(weight, DEPTH, ties)
            for pair, weight in zip(pairs, weights.values.tolist(), strict=True)
        ]
        return Baseline(name, self.measured(rankings, self.evaluation.measures), weights)
