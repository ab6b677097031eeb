"""Measures of every query at every stage and for BM25, by how training met its documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from imrnns_core.config import MEASURES, SearchConfig
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.near_copies import copies_of_relevant
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition, decompose_change
from imrnns_core.evaluation.evaluation_record import evaluation_record
from imrnns_core.evaluation.gain_decomposition import GainDecomposition, decompose_gain
from imrnns_core.evaluation.outcomes import Outcome, base_outcome, outcome_of
from imrnns_core.evaluation.seen import Group, masks_of, query_groups
from imrnns_core.evaluation.unjudged import UnjudgedRange, unjudged_range
from imrnns_core.model.adapter_card import LeftOutGain
from imrnns_core.retrieval.batch import RankedBatch, ranked_ids
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics, judged_measures, measure
from imrnns_core.statistics.query_groups import connected_queries
from imrnns_core.statistics.significance import (
    Significance,
    difference_of_means,
    holm,
    paired_tests,
)
from imrnns_core.types import DoubleArray, IntArray, Qrels, Stage

# 2: renamed keys and outcomes; 3: p_holm and more figures of each test, without_relevant;
# 4: groups by training texts
SCHEMA = 4
# outcomes and verdicts need this measure, so every evaluation has it
NDCG = "nDCG@10"
BM25 = "bm25"


@dataclass(frozen=True)
class Evaluation:
    """Measures of the Q judged queries of one split.

    Attributes:
        dataset: Name of the data set.
        split: Name of the split.
        adapter: Name of the adapter, None for the base alone.
        query_ids: (Q,) in the order of the judgments.
        measures: Names of the M measures.
        values: (S, Q, M) measures at each of the `stages`.
        best_ranks: (S, Q) rank of the best relevant candidate, 0 if no candidate is relevant.
        groups: (Q,) the `Group` of each query; None if the adapter's card lists no training texts,
            or if there is no adapter.
        top_k: A query fails if no relevant document is in the top `top_k`.
        batch: The rankings.
        qrels: The judgments.
        judged: (S, Q, C) values of the C `judged_measures` of the measures, at each stage.
        bm25: BM25 over the whole corpus, None if it was not requested.
        shares: The shares of the score change, None if they were not requested.
        left_out: The gain for documents that the adapter's sentence memory lacks, from its card.
        gain: The parts of the change of nDCG@10, None if they were not requested.
        ndcg_range: nDCG@10 under two assumptions about unjudged documents, None if not requested.
        without_relevant: Ids of the judged queries without a relevant document. They are left out.
        copies: Id of each relevant document → number of its group of near copies.
        run: Name of the run that is the base, None if the embeddings are ranked.
    """

    dataset: str
    split: str
    adapter: str | None
    query_ids: tuple[str, ...]
    measures: tuple[str, ...]
    values: DoubleArray
    best_ranks: IntArray
    groups: NDArray[np.str_] | None
    top_k: int
    batch: RankedBatch
    qrels: Qrels = field(repr=False)
    judged: DoubleArray
    bm25: SystemMetrics | None = None
    shares: ChangeDecomposition | None = None
    left_out: LeftOutGain | None = None
    gain: GainDecomposition | None = None
    ndcg_range: UnjudgedRange | None = None
    without_relevant: tuple[str, ...] = ()
    copies: Mapping[str, int] = field(default_factory=dict, repr=False)
    run: str | None = None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages: "base", or all four with an adapter."""
        return self.batch.stages

    @property
    def final(self) -> Stage:
        """The last stage: "modulated", or "base" without an adapter."""
        return self.stages[-1]

    @property
    def has_adapter(self) -> bool:
        """Whether an adapter was evaluated."""
        return len(self.stages) > 1

    @property
    def change(self) -> DoubleArray:
        """(Q,) modulated − base nDCG@10; zeros without an adapter."""
        return self.column(self.final) - self.column("base")

    def column(self, stage: Stage, measure: str = NDCG) -> DoubleArray:
        """Return one measure (Q,) at a stage."""
        return np.asarray(self.value(stage)[:, self.measures.index(measure)])

    def value(self, stage: Stage) -> DoubleArray:
        """Return all measures (Q, M) at a stage."""
        return np.asarray(self.values[self.stages.index(stage)])

    def best_rank(self, stage: Stage) -> IntArray:
        """Return (Q,) ranks of the best relevant candidate at a stage, 0 if none is relevant."""
        return np.asarray(self.best_ranks[self.stages.index(stage)])

    def mean(self, stage: Stage, mask: NDArray[np.bool_] | None = None) -> dict[str, float]:
        """Return the mean of each measure at a stage, over all queries or those of a mask (Q,)."""
        return mean_of(self.measures, self.value(stage), mask)

    def means(self, mask: NDArray[np.bool_] | None = None) -> dict[str, dict[str, float]]:
        """Return the means of BM25, if requested, and of each stage, by name.

        The means are over all queries or those of a mask (Q,).
        """
        return {
            name: mean_of(self.measures, system.values, mask)
            for name, system in self.systems.items()
        }

    def judged_means(self, mask: NDArray[np.bool_] | None = None) -> dict[str, dict[str, float]]:
        """Return the means of `judged_measures` for the same systems as in `means`."""
        names = judged_measures(self.measures)
        return {name: mean_of(names, system.judged, mask) for name, system in self.systems.items()}

    @cached_property
    def systems(self) -> dict[str, SystemMetrics]:
        """BM25, if requested, and each stage, by name."""
        systems: dict[str, SystemMetrics] = {} if self.bm25 is None else {BM25: self.bm25}
        arrays = zip(self.stages, self.values, self.best_ranks, self.judged, strict=True)
        return systems | {stage: SystemMetrics(*metrics) for stage, *metrics in arrays}

    def group_masks(self) -> dict[Group, NDArray[np.bool_]]:
        """Return the mask (Q,) of each group that has queries; empty if they are unknown."""
        return masks_of(self.groups)

    def significance(self, measure: str, group: Group | None = None) -> Significance:
        """Return the test of modulated − base on one measure, over all queries or one group."""
        return self._tests[group][self.measures.index(measure)]

    @cached_property
    def seen_minus_unseen(self) -> tuple[float, float] | None:
        """The mean change of nDCG@10 on seen minus that on other queries, as a 95 % interval.

        Validation queries do not count. None if either side is empty.
        """
        masks = self.group_masks()
        others = [masks[group] for group in ("text used", "unseen") if group in masks]
        if "seen" not in masks or not others:
            return None
        change, clusters = self.change, self.clusters
        seen, other = masks["seen"], np.any(others, axis=0)
        return difference_of_means(change[seen], change[other], (clusters[seen], clusters[other]))

    @cached_property
    def clusters(self) -> IntArray:
        """(Q,) cluster of each query.

        Queries that share a relevant document, or whose relevant documents are near copies, are in
        one cluster.
        """
        return connected_queries({q: self.qrels.get(q, {}) for q in self.query_ids}, self.copies)

    # cached, because each test draws 20,000 samples
    @cached_property
    def _tests(self) -> dict[Group | None, list[Significance]]:
        change = self.value(self.final) - self.value("base")
        return {
            None: paired_tests(change, self.clusters),
            **{
                name: paired_tests(change[mask], self.clusters[mask])
                for name, mask in self.group_masks().items()
            },
        }

    def corrected_p(self, group: Group | None = None) -> dict[str, float]:
        """Return the p value of each measure, corrected for the number of measures (Holm)."""
        p_values = holm([test.p for test in self._tests[group]])
        return dict(zip(self.measures, p_values, strict=True))

    def outcomes(self) -> list[Outcome]:
        """Return the outcome of each query; `outcome_of` defines them."""
        base, final = self.best_rank("base").tolist(), self.best_rank(self.final).tolist()
        if not self.has_adapter:
            return [base_outcome(rank, self.top_k) for rank in base]
        return [
            outcome_of(base_rank, final_rank, change, self.top_k)
            for base_rank, final_rank, change in zip(base, final, self.change.tolist(), strict=True)
        ]

    def tests(self, group: Group | None = None) -> dict[str, Significance]:
        """Return the test of modulated − base on each measure, over all queries or one group."""
        return dict(zip(self.measures, self._tests[group], strict=True))

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens evaluate --json` writes."""
        return {"schema": SCHEMA, **evaluation_record(self)}


def evaluate(
    ranker: Ranker,
    split: str,
    measures: Sequence[str] = MEASURES,
    top_k: int | None = None,
    lexical: BM25Index | None = None,
    with_parts: bool = False,
    query_ids: Sequence[str] | None = None,
) -> Evaluation:
    """Rank and measure every query of a split that has a relevant document.

    Args:
        ranker: The collection, with or without an adapter.
        split: Name of the split.
        measures: Names as in ir-measures; nDCG@10 is always added.
        top_k: As in `Evaluation`.
        lexical: A BM25 index to measure as well.
        with_parts: Compute the shares of the score change, the parts of the gain, and the range
            that unjudged documents leave open. Needs an adapter.
        query_ids: Only these queries of the split.

    Raises DataError as `Dataset.judged_queries` does.
    """
    dataset, names = ranker.collection.dataset, tuple(dict.fromkeys((NDCG, *measures)))
    judged, card = dataset.judged_queries(split), ranker.card
    qrels = judged if query_ids is None else {q: judged[q] for q in query_ids}
    batch = ranker.rank_queries(tuple(qrels))
    near = copies_of_relevant(dataset.document, qrels, dataset.common_runs)
    stages = _measure_stages(dataset, batch, qrels, names)
    return Evaluation(
        *(dataset.name, split, ranker.adapter_name, tuple(qrels), names),
        values=np.stack([system.values for system in stages]),
        best_ranks=np.stack([system.best_ranks for system in stages]),
        judged=np.stack([system.judged for system in stages]),
        groups=query_groups(qrels, card, dataset) if card else None,
        top_k=top_k or SearchConfig().top_k,
        batch=batch,
        qrels=qrels,
        bm25=measure_bm25(dataset, qrels, lexical, names) if lexical else None,
        shares=decompose_change(ranker, batch, _vectors(ranker, qrels)) if with_parts else None,
        gain=decompose_gain(ranker, batch, qrels, NDCG, near) if with_parts else None,
        ndcg_range=unjudged_range(dataset, batch, qrels, NDCG) if with_parts else None,
        left_out=card.outcome.left_out if card and card.outcome else None,
        without_relevant=tuple(q for q in dataset.qrels(split) if q not in judged),
        copies=near,
        run=ranker.run_name,
    )


def _vectors(ranker: Ranker, qrels: Qrels) -> torch.Tensor:
    return torch.from_numpy(ranker.collection.query_vectors(tuple(qrels)))


def _measure_stages(
    dataset: Dataset, batch: RankedBatch, qrels: Qrels, names: Sequence[str]
) -> list[SystemMetrics]:
    """Return the measures of the ranking at each stage."""
    rankings = (
        ranked_ids(dataset, tuple(qrels), batch.ranked_rows(stage)) for stage in batch.stages
    )
    return [measure(names, qrels, ranking) for ranking in rankings]


def measure_bm25(
    dataset: Dataset, qrels: Qrels, lexical: BM25Index, measures: Sequence[str]
) -> SystemMetrics:
    """Rank the corpus by BM25, to the number of candidates, and measure the ranking."""
    # as deep as the rankings of the stages: AP counts relevant documents at every rank
    texts = [dataset.queries[query_id].text for query_id in qrels]
    ranked = lexical.matches(texts, SearchConfig().candidates, dataset.left_out_rows(qrels))
    return measure(measures, qrels, ranked_ids(dataset, qrels, ranked))


def mean_of(
    measures: Sequence[str], values: DoubleArray, mask: NDArray[np.bool_] | None = None
) -> dict[str, float]:
    """Return the mean of M measures, values (Q, M), over all queries or those of a mask (Q,)."""
    means = (values if mask is None else values[mask]).mean(axis=0)
    return {measure: float(mean) for measure, mean in zip(measures, means, strict=True)}
