"""Two systems on the same queries.

The modulated rankings of an evaluation against another adapter's, or against a TREC run.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.errors import LensError
from imrnns_core.evaluation.evaluate import NDCG, Evaluation, evaluate, mean_of
from imrnns_core.evaluation.seen import Group
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import Rankings, SystemMetrics, measure
from imrnns_core.statistics.significance import Significance, paired_tests
from imrnns_core.types import DoubleArray


@dataclass(frozen=True)
class SystemComparison:
    """Our modulated rankings against those of another system, on the Q queries of our evaluation.

    Attributes:
        name: The other system.
        kind: What it is.
        ours: Our evaluation.
        other: Its rankings, measured; of an adapter, the modulated ones.
        missing: Queries that a run does not rank; they count 0.
        groups: (Q,) "seen" where either adapter saw the query; None where that cannot be told.
    """

    name: str
    kind: Literal["adapter", "run"]
    ours: Evaluation
    other: SystemMetrics
    missing: int
    groups: NDArray[np.str_] | None

    @property
    def differences(self) -> DoubleArray:
        """(Q, M) ours − theirs."""
        difference: DoubleArray = self.ours.value("modulated") - self.other.values
        return difference

    def masks(self) -> dict[Group | None, NDArray[np.bool_]]:
        """Return the queries of each group that has any; None stands for all of them."""
        masks: dict[Group | None, NDArray[np.bool_]] = {
            None: np.ones(len(self.ours.query_ids), dtype=bool)
        }
        if self.groups is not None:
            masks.update({"seen": self.groups == "seen", "unseen": self.groups == "unseen"})
        return {name: mask for name, mask in masks.items() if mask.any()}

    def tests(self, group: Group | None = None) -> dict[str, Significance]:
        """Return the test of ours against theirs on each measure."""
        return self._tests[group]

    def most_different(self, count: int) -> list[int]:
        """Return the queries that differ most in nDCG@10, largest difference first.

        Equal ones are left out.
        """
        difference = self.differences[:, self.ours.measures.index(NDCG)]
        order = np.argsort(-np.abs(difference), kind="stable")[:count]
        return [int(i) for i in order if abs(difference[i]) > 1e-9]

    def to_json(self) -> dict[str, Any]:
        """Return the part `against` of the record that `imrnns-lens evaluate --json` writes."""
        measures = self.ours.measures
        groups = {
            name: {
                "n": int(mask.sum()),
                "modulated": self.ours.mean("modulated", mask),
                "other": mean_of(measures, self.other.values, mask),
                "significance": self._significance(name),
            }
            for name, mask in self.masks().items()
            if name
        }
        queries = [
            {
                "query_id": query_id,
                "other": dict(zip(measures, theirs.tolist(), strict=True)),
                "change": dict(zip(measures, change.tolist(), strict=True)),
                "best_relevant_rank": int(rank) or None,
            }
            for query_id, theirs, change, rank in zip(
                self.ours.query_ids,
                self.other.values,
                self.differences,
                self.other.best_ranks,
                strict=True,
            )
        ]
        return {
            "name": self.name,
            "kind": self.kind,
            "missing_queries": self.missing,
            "measures": mean_of(measures, self.other.values),
            "significance": self._significance(),
            "groups": groups or None,
            "queries": queries,
        }

    @cached_property
    def _tests(self) -> dict[Group | None, dict[str, Significance]]:
        return {
            name: dict(zip(self.ours.measures, paired_tests(self.differences[mask]), strict=True))
            for name, mask in self.masks().items()
        }

    def _significance(self, group: Group | None = None) -> dict[str, Any]:
        return {name: asdict(test) for name, test in self.tests(group).items()}


def compare_with_adapter(ours: Evaluation, other: Ranker) -> SystemComparison:
    """Compare with another adapter over the collection of `ours`."""
    theirs = evaluate(other, ours.split, ours.measures)
    unknown = ours.groups is None or theirs.groups is None
    groups = (
        None
        if unknown
        else np.where((ours.groups == "seen") | (theirs.groups == "seen"), "seen", "unseen")
    )
    return SystemComparison(
        theirs.adapter,
        "adapter",
        ours,
        SystemMetrics(theirs.value("modulated"), theirs.best_rank("modulated")),
        0,
        groups,
    )


def compare_with_run(ours: Evaluation, name: str, rankings: Rankings) -> SystemComparison:
    """Compare with a run; LensError where it ranks none of the queries."""
    missing = sum(query_id not in rankings for query_id in ours.query_ids)
    if missing == len(ours.query_ids):
        raise LensError(
            f"{name}: ranks none of the {missing} judged queries of {ours.split}; name the "
            "split it was made for with --split"
        )
    return SystemComparison(
        name, "run", ours, measure(ours.measures, ours.qrels, rankings), missing, ours.groups
    )
