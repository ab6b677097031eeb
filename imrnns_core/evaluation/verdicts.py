"""Conclusions from an evaluation: does the adapter help, where, and on unseen queries?

Conclusions are data; callers choose the words. A change of nDCG@10 counts as shown if its 95 %
interval excludes zero.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.evaluation.seen import Group
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.statistics.significance import Significance
from imrnns_core.types import STAGES, Stage

Effect = Literal["helps", "harms", "not shown"]
Generalization = Literal[
    "unknown",
    "only seen queries",
    "harms unseen queries",
    "holds on unseen queries",
    "gain on seen queries only",
    "not shown on unseen queries",
    "no gain",
]

OUTCOMES: tuple[Outcome, ...] = (
    "rescued",
    "improved",
    "unchanged",
    "worsened",
    "broken",
    "ranked too low",
    "not retrieved",
)
"""Best first."""

MIN_STEP = 5e-5
"""Smallest step that is visible with four decimals."""


@dataclass(frozen=True)
class EffectVerdict:
    """Whether an adapter helps, over all queries of a split.

    Attributes:
        effect: The conclusion.
        test: The test of modulated − base.
        queries: Number of queries.
        base: Mean nDCG@10 of the base ranking.
        modulated: Mean nDCG@10 of the modulated ranking.
        bm25: Mean nDCG@10 of BM25.
    """

    effect: Effect
    test: Significance
    queries: int
    base: float
    modulated: float
    bm25: float


@dataclass(frozen=True)
class OutcomeVerdict:
    """The outcomes of the queries.

    Attributes:
        counts: Number of queries of each outcome that occurs, best outcome first.
        better: Number of queries that are rescued or improved.
        worse: Number of queries that are broken or worsened.
        steps: Change of mean nDCG@10 from the previous stage to each later stage; empty if no
            change is visible.
    """

    counts: Mapping[Outcome, int]
    better: int
    worse: int
    steps: Mapping[Stage, float]


@dataclass(frozen=True)
class GroupChange:
    """The change of nDCG@10 on a group of queries."""

    group: Group
    queries: int
    test: Significance


@dataclass(frozen=True)
class GeneralizationVerdict:
    """Whether a gain also exists on unseen queries.

    Attributes:
        generalization: The conclusion.
        groups: The change on each group that has queries, seen queries first.
    """

    generalization: Generalization
    groups: tuple[GroupChange, ...]


def effect_of(test: Significance) -> Effect:
    """Return the conclusion from a test of modulated − base."""
    low, high = test.ci95
    return "helps" if low > 0 else "harms" if high < 0 else "not shown"


def judge_effect(evaluation: Evaluation, bm25: SystemMetrics) -> EffectVerdict:
    """Conclude whether the adapter helps over all queries; `bm25` (Q, M) has the same measures."""
    test = evaluation.significance(NDCG)
    return EffectVerdict(
        effect_of(test),
        test,
        len(evaluation.query_ids),
        evaluation.mean("base")[NDCG],
        evaluation.mean("modulated")[NDCG],
        float(bm25.values[:, evaluation.measures.index(NDCG)].mean()),
    )


def judge_outcomes(evaluation: Evaluation) -> OutcomeVerdict:
    """Count the outcomes, and split the change of mean nDCG@10 into the steps between stages."""
    counts = Counter(evaluation.outcomes())
    means = [evaluation.mean(stage)[NDCG] for stage in STAGES]
    steps = {
        stage: mean - previous
        for stage, previous, mean in zip(STAGES[1:], means, means[1:], strict=False)
    }
    return OutcomeVerdict(
        {name: counts[name] for name in OUTCOMES if counts[name]},
        counts["rescued"] + counts["improved"],
        counts["broken"] + counts["worsened"],
        steps if any(abs(step) >= MIN_STEP for step in steps.values()) else {},
    )


def judge_generalization(evaluation: Evaluation) -> GeneralizationVerdict:
    """Conclude whether a gain also exists on unseen queries."""
    groups = tuple(
        GroupChange(name, int(mask.sum()), evaluation.significance(NDCG, name))
        for name, mask in evaluation.group_masks().items()
        if mask.any()
    )
    return GeneralizationVerdict(_generalization(evaluation, groups), groups)


def _generalization(evaluation: Evaluation, groups: tuple[GroupChange, ...]) -> Generalization:
    if evaluation.groups is None:
        return "unknown"
    effects = {change.group: effect_of(change.test) for change in groups}
    unseen = effects.get("unseen")
    if unseen is None:
        return "only seen queries"
    # unseen queries decide: a gain on seen ones may be memorised
    if unseen != "not shown":
        return "holds on unseen queries" if unseen == "helps" else "harms unseen queries"
    if effects.get("seen") != "helps":
        return "no gain"
    # without a difference between the groups, there may only be too few unseen queries
    difference = evaluation.seen_minus_unseen
    return (
        "gain on seen queries only"
        if difference is not None and difference[0] > 0
        else "not shown on unseen queries"
    )
