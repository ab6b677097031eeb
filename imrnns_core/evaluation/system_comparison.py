"""Compare an evaluated adapter with another system on the same queries.

The other system is another adapter, or a TREC run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.errors import LensError
from imrnns_core.evaluation.evaluate import NDCG, Evaluation, evaluate, mean_of
from imrnns_core.evaluation.seen import Group, masks_of, merged_groups
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import Rankings, SystemMetrics, measure
from imrnns_core.statistics.significance import (
    Significance,
    holm,
    paired_tests,
    significance_records,
)
from imrnns_core.types import STAGES, DoubleArray


@dataclass(frozen=True)
class SystemComparison:
    """The last rankings of an evaluation and those of another system, on the same Q queries.

    Attributes:
        name: Name of the other system.
        kind: Whether it is an adapter, a run, or the base ranking.
        evaluation: The evaluation.
        other_metrics: The measures (Q, M) and best ranks (Q,) of the other system; of an adapter,
            those of its modulated rankings.
        missing: Number of queries that are missing from a run. They count as 0.
        groups: (Q,) the closest contact of either adapter with the query; None if this is unknown.
    """

    name: str
    kind: Literal["adapter", "run", "base"]
    evaluation: Evaluation
    other_metrics: SystemMetrics
    missing: int
    groups: NDArray[np.str_] | None

    @property
    def differences(self) -> DoubleArray:
        """(Q, M) measures of the evaluation minus those of the other system."""
        difference: DoubleArray = (
            self.evaluation.value(self.evaluation.final) - self.other_metrics.values
        )
        return difference

    def group_masks(self) -> dict[Group | None, NDArray[np.bool_]]:
        """Return the mask (Q,) of each group that has queries; None is the group of all queries."""
        every = np.ones(len(self.evaluation.query_ids), dtype=bool)
        return {None: every} | dict(masks_of(self.groups).items())

    def tests(self, group: Group | None = None) -> dict[str, Significance]:
        """Return the test of the differences on each measure, over all queries or one group."""
        return self._tests[group]

    def corrected_p(self, group: Group | None = None) -> dict[str, float]:
        """Return the p value of each measure, corrected for the number of measures (Holm)."""
        tests = self.tests(group)
        return dict(zip(tests, holm([test.p for test in tests.values()]), strict=True))

    def most_different(self, count: int) -> list[int]:
        """Return the positions of up to `count` queries, largest difference in nDCG@10 first.

        Queries without a difference are left out.
        """
        difference = self.differences[:, self.evaluation.measures.index(NDCG)]
        # a stable sort keeps equal differences in the order of the judgments
        order = np.argsort(-np.abs(difference), kind="stable")[:count]
        return [int(i) for i in order if abs(difference[i]) > 1e-9]

    def to_json(self) -> dict[str, Any]:
        """Return the part `against` of the record that `imrnns-lens evaluate --json` writes."""
        measures, other = self.evaluation.measures, self.other_metrics
        groups = {
            name: {
                "n": int(mask.sum()),
                self.evaluation.final: self.evaluation.mean(self.evaluation.final, mask),
                "other": mean_of(measures, other.values, mask),
                "significance": self._significance(name),
            }
            for name, mask in self.group_masks().items()
            if name
        }
        rows = zip(
            self.evaluation.query_ids,
            other.values,
            self.differences,
            other.best_ranks,
            strict=True,
        )
        queries = [
            {
                "query_id": query_id,
                "other": dict(zip(measures, values.tolist(), strict=True)),
                "change": dict(zip(measures, difference.tolist(), strict=True)),
                "best_relevant_rank": int(rank) or None,
            }
            for query_id, values, difference, rank in rows
        ]
        return {
            "name": self.name,
            "kind": self.kind,
            "missing_queries": self.missing,
            "measures": mean_of(measures, other.values),
            "significance": self._significance(),
            "groups": groups or None,
            "queries": queries,
        }

    @cached_property
    def _tests(self) -> dict[Group | None, dict[str, Significance]]:
        measures, clusters = self.evaluation.measures, self.evaluation.clusters
        return {
            name: dict(
                zip(measures, paired_tests(self.differences[mask], clusters[mask]), strict=True)
            )
            for name, mask in self.group_masks().items()
        }

    def _significance(self, group: Group | None = None) -> dict[str, Any]:
        return significance_records(self.tests(group))


def compare_with_adapter(evaluation: Evaluation, other: Ranker) -> SystemComparison:
    """Compare an evaluation with another adapter over the same collection.

    Raises:
        DataError: The split of the evaluation cannot be measured.
    """
    return compare_evaluations(evaluation, evaluate(other, evaluation.split, evaluation.measures))


def compare_evaluations(evaluation: Evaluation, other_evaluation: Evaluation) -> SystemComparison:
    """Compare the evaluations of two adapters on the same queries of one collection."""
    groups = None if evaluation.has_adapter else other_evaluation.groups
    if evaluation.groups is not None and other_evaluation.groups is not None:
        # memorised documents of either adapter can be behind a difference
        groups = merged_groups(evaluation.groups, other_evaluation.groups)
    return SystemComparison(
        other_evaluation.adapter or "base ranking",
        "adapter",
        evaluation,
        SystemMetrics(
            other_evaluation.value("modulated"),
            other_evaluation.best_rank("modulated"),
            other_evaluation.judged[STAGES.index("modulated")],
        ),
        0,
        groups,
    )


def compare_with_base(evaluation: Evaluation) -> SystemComparison:
    """Compare the modulated rankings of an evaluation with its base rankings."""
    base = STAGES.index("base")
    metrics = SystemMetrics(
        evaluation.value("base"), evaluation.best_rank("base"), evaluation.judged[base]
    )
    return SystemComparison("base ranking", "base", evaluation, metrics, 0, evaluation.groups)


def compare_with_run(evaluation: Evaluation, name: str, rankings: Rankings) -> SystemComparison:
    """Compare an evaluation with the rankings of a run.

    Raises:
        LensError: The run ranks none of the queries.
    """
    missing = sum(query_id not in rankings for query_id in evaluation.query_ids)
    if missing == len(evaluation.query_ids):
        raise LensError(
            f"{name}: ranks none of the judged queries of split {evaluation.split} ({missing}); "
            "name the split of this run with --split"
        )
    # a query that the run does not rank counts as 0, as with the option -c of trec_eval
    metrics = measure(evaluation.measures, evaluation.qrels, rankings)
    # nothing is known about the training of a run: these are the groups of the adapter
    return SystemComparison(name, "run", evaluation, metrics, missing, evaluation.groups)
