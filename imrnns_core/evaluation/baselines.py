"""Baselines that need no training, compared with an adapter or, without one, with the base.

- BM25: the lexical ranking of the whole corpus.
- reciprocal rank fusion: of the top 100 of base and of BM25.
- base + BM25: (1 − w) · base + w · BM25, min-max normalised over both top 100s.
- encoder: the ranking by the embeddings, if the base is a run.
- sentence max-sim: (1 − w) · cosine of the document + w · cosine of its best sentence, for the base
  candidates. A sentence memory imitates it.

One more system needs the adapter: adapter + BM25, which mixes modulated and BM25 scores as base +
BM25 mixes base and BM25 scores.

Each w is chosen by cross-validation (`cross_validation`). For adapter + BM25, only queries decide
whose judgments the training did not use: on the others, the adapter is too good.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.evaluation.cross_validation import QueryWeights
from imrnns_core.evaluation.evaluate import NDCG, Evaluation, mean_of
from imrnns_core.evaluation.verdicts import MIN_CHANGED, Effect, effect_of
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.statistics.significance import Significance, holm, paired_tests
from imrnns_core.types import DoubleArray

BASE = "base"
MAX_SIM = "sentence max-sim"
ADAPTER_LEXICAL = "adapter + BM25"


@dataclass(frozen=True)
class Baseline:
    """The measures (Q, M) of a system, and its weights if it has any.

    Attributes:
        name: Its name.
        metrics: Its measures and best ranks.
        weights: The weight of its second part for each query; None if it has no weight.
    """

    name: str
    metrics: SystemMetrics
    weights: QueryWeights | None = None

    @property
    def needs_training(self) -> bool:
        """Whether the adapter is a part of it."""
        return self.name == ADAPTER_LEXICAL


@dataclass(frozen=True)
class BaselineTest:
    """The test of adapter − baseline on nDCG@10; without an adapter, of baseline − base.

    Attributes:
        baseline: The baseline.
        mean: Its mean nDCG@10 over the tested queries.
        test: The test.
        p: Its p value, corrected for the number of baselines (Holm).
    """

    baseline: Baseline
    mean: float
    test: Significance
    p: float


@dataclass(frozen=True)
class BaselineVerdict:
    """The comparison of an adapter, or of the base, with the strongest untrained baseline.

    The strongest one has the highest mean among those that are better, with a shown difference. If
    no difference is shown, it has the highest mean of all.

    Attributes:
        effect: "helps" if the adapter is better, "harms" if the baseline is, "not shown" if no
            difference is shown. Without an adapter, "helps" if the baseline is better than base.
        strongest: The test with the strongest baseline.
        adapter: Mean nDCG@10 of the adapter over the same queries; without one, of the base.
        excluded: Number of queries that were left out because training used their judgments.
        favoured: Number of compared queries whose judgments training used, or may have used.
        tests: Number of tests for which p is corrected.
        reference: What the baseline is compared with: "adapter", or "base" without one.
    """

    effect: Effect
    strongest: BaselineTest
    adapter: float
    excluded: int
    favoured: int
    tests: int
    reference: Literal["adapter", "base"] = "adapter"


@dataclass(frozen=True)
class Baselines:
    """An evaluation, and the baselines on the same Q queries.

    Attributes:
        evaluation: The evaluation.
        systems: With an adapter, "base" first, then the others. Without one, the others only.
    """

    evaluation: Evaluation
    systems: tuple[Baseline, ...]

    @property
    def has_sentences(self) -> bool:
        """Whether sentence max-sim was measured."""
        return any(system.name == MAX_SIM for system in self.systems)

    def masks(self) -> dict[str, NDArray[np.bool_]]:
        """Return name → mask (Q,) for all queries and for each group.

        A group of all queries is left out.
        """
        every = np.ones(len(self.evaluation.query_ids), dtype=bool)
        groups = self.evaluation.group_masks().items()
        return {"all": every, **{name: m for name, m in groups if not m.all()}}

    @cached_property
    def fair(self) -> NDArray[np.bool_]:
        """The mask (Q,) of the queries on which the adapter is compared with the baselines.

        These are the queries whose judgments the training did not use; all queries if fewer than 20
        are left, or if it is unknown.
        """
        mask = independent(self.evaluation)
        return mask if mask.sum() >= MIN_CHANGED else np.ones_like(mask)

    def tests(self, mask: NDArray[np.bool_]) -> list[BaselineTest]:
        """Return the test of each baseline over the queries of a mask (Q,)."""
        key = mask.tobytes()
        if key not in self._tests:
            values = np.stack([self.column(system)[mask] for system in self.systems], axis=1)
            final = self.evaluation.column(self.evaluation.final)[mask]
            # an adapter must be better than the baselines, a baseline better than the base
            sign = 1 if self.evaluation.has_adapter else -1
            differences = sign * (final[:, None] - values)
            tests = paired_tests(differences, self.evaluation.clusters[mask])
            corrected = holm([test.p for test in tests])
            self._tests[key] = [
                BaselineTest(*row)
                for row in zip(
                    self.systems, values.mean(axis=0).tolist(), tests, corrected, strict=True
                )
            ]
        return self._tests[key]

    # each test draws 20,000 samples
    @cached_property
    def _tests(self) -> dict[bytes, list[BaselineTest]]:
        return {}

    def column(self, system: Baseline) -> DoubleArray:
        """Return nDCG@10 (Q,) of a baseline."""
        return np.asarray(system.metrics.values[:, self.evaluation.measures.index(NDCG)])

    def mean(self, system: Baseline, mask: NDArray[np.bool_]) -> dict[str, float]:
        """Return the mean of each measure of a baseline over the queries of a mask (Q,)."""
        return mean_of(self.evaluation.measures, system.metrics.values, mask)

    def judge(self) -> BaselineVerdict:
        """Compare the adapter, or the base, with the strongest untrained baseline."""
        untrained = [test for test in self.tests(self.fair) if not test.baseline.needs_training]
        # one that is better than the adapter, or than the base, comes before a higher mean that
        # shows nothing; that base is better says nothing about the others
        better: Effect = "harms" if self.evaluation.has_adapter else "helps"
        strongest = max(
            untrained,
            key=lambda t: (t.baseline.name != BASE and effect_of(t.test, t.p) == better, t.mean),
        )
        return BaselineVerdict(
            effect_of(strongest.test, strongest.p),
            strongest,
            float(self.evaluation.column(self.evaluation.final)[self.fair].mean()),
            int((~self.fair).sum()),
            int((self.fair & ~independent(self.evaluation)).sum()),
            len(self.systems),
            "adapter" if self.evaluation.has_adapter else "base",
        )

    def to_json(self) -> dict[str, Any]:
        """Return the part `baselines` of the record that `imrnns-lens evaluate --json` writes."""
        verdict = self.judge()
        return {
            "compared_queries": int(self.fair.sum()),
            "strongest": verdict.strongest.baseline.name,
            "systems": {system.name: self._system_json(i) for i, system in enumerate(self.systems)},
        }

    def _system_json(self, i: int) -> dict[str, Any]:
        system = self.systems[i]
        difference = (
            "adapter_minus_baseline" if self.evaluation.has_adapter else "baseline_minus_base"
        )
        tests = {name: self.tests(mask)[i] for name, mask in self.masks().items()}
        return {
            "weights": None if system.weights is None else list(system.weights.distinct),
            "cross_validated": system.weights is not None and system.weights.cross_validated,
            "groups": {
                name: {
                    "n": int(mask.sum()),
                    "measures": self.mean(system, mask),
                    difference: {
                        **tests[name].test.to_json(),
                        "p_holm": tests[name].p,
                    },
                }
                for name, mask in self.masks().items()
            },
        }


def independent(evaluation: Evaluation) -> NDArray[np.bool_]:
    """Return the mask (Q,) of the queries whose judgments the training did not use.

    It is False for all queries if this is unknown, and True for all without an adapter.
    """
    if not evaluation.has_adapter:
        return np.ones(len(evaluation.query_ids), dtype=bool)
    if evaluation.groups is None:
        return np.zeros(len(evaluation.query_ids), dtype=bool)
    return ~np.isin(evaluation.groups, ["seen", "validation"])
