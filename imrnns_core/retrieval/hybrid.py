"""BM25 and mixes of base and BM25 for one query, which need no adapter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from imrnns_core.config import SearchConfig
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison, Ranking
from imrnns_core.retrieval.fusion import (
    ScoredRows,
    ScorePair,
    min_max_pair,
    reciprocal_rank_fusion,
)
from imrnns_core.types import IntArray

LEXICAL = "BM25"
RANK_FUSION = "reciprocal rank fusion"
BASE_LEXICAL = "base + BM25"
DEPTH = SearchConfig().candidates
"""Documents of a ranking that are mixed with those of another one; a run can rank more."""


@dataclass(frozen=True)
class Hybrid:
    """The top documents of one query by the base and by BM25, up to `DEPTH` of each.

    Attributes:
        collection: The collection.
        base: Corpus rows and scores of the top candidates, best first.
        lexical: Corpus rows and scores of documents that share a word with the query, best first.
    """

    collection: Collection
    base: ScoredRows
    lexical: ScoredRows

    @classmethod
    def of(cls, collection: Collection, comparison: Comparison, index: BM25Index) -> Hybrid:
        """Search the text of the query in the BM25 index of the collection."""
        base = ScoredRows(comparison.rows[:DEPTH], comparison.score("base")[:DEPTH])
        own = collection.dataset.left_out_rows([comparison.query.id])
        matches = index.scored_matches([comparison.query.text], DEPTH, own)
        return cls(collection, base, matches[0])

    def add_to(self, comparison: Comparison) -> Comparison:
        """Return the comparison with the rankings of reciprocal rank fusion and of BM25."""
        rankings = {RANK_FUSION: self.fused, LEXICAL: self.bm25}
        return replace(comparison, rankings={**comparison.rankings, **rankings})

    @cached_property
    def bm25(self) -> Ranking:
        """The ranking by BM25."""
        return self._ranking(LEXICAL, self.lexical.rows, self.lexical.scores.tolist())

    @cached_property
    def fused(self) -> Ranking:
        """The reciprocal rank fusion of base and BM25."""
        fused = reciprocal_rank_fusion(
            [self.base.rows, self.lexical.rows], DEPTH, self.collection.tie_ranks
        )
        return self._ranking(RANK_FUSION, fused.rows, fused.scores.tolist())

    def mixed(self, weight: float) -> Ranking:
        """Return the ranking by (1 − weight) · base + weight · BM25, min-max normalised."""
        pair = self._pair
        rows = pair.rank(weight, DEPTH, self.collection.tie_ranks)
        scores = (1 - weight) * pair.first + weight * pair.second
        return self._ranking(BASE_LEXICAL, rows, scores[np.searchsorted(pair.rows, rows)].tolist())

    @cached_property
    def _pair(self) -> ScorePair:
        return min_max_pair(self.base, self.lexical)

    def _ranking(self, system: str, rows: IntArray, scores: Sequence[float]) -> Ranking:
        """Return a ranking of corpus rows (R,), best first."""
        ids = self.collection.dataset.document_ids
        return Ranking(
            system,
            tuple(ids[row] for row in rows.tolist()),
            np.array(scores, dtype=np.float32),
            np.arange(1, len(rows) + 1),
        )
