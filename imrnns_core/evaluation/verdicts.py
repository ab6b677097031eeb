"""What an evaluation shows, as data: does the adapter help, where, and does it hold.

The words for it belong to those who show it. Differences are tested on nDCG@10: one is shown where
the 95 % interval of the change does not hold zero.
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
"""From the best to the worst."""

VISIBLE = 5e-5
"""The smallest step that four decimals show."""


@dataclass(frozen=True)
class EffectVerdict:
    """Whether an adapter helps, over all queries of a split.

    Attributes:
        effect: What the test shows.
        test: Modulated against base.
        queries: How many.
        base: Mean of the base ranking.
        modulated: Mean of the modulated ranking.
        bm25: Mean of the lexical baseline.
    """

    effect: Effect
    test: Significance
    queries: int
    base: float
    modulated: float
    bm25: float


@dataclass(frozen=True)
class OutcomeVerdict:
    """What became of the queries.

    Attributes:
        counts: Queries of each outcome that occurs, the best first.
        better: Queries that were rescued or improved.
        worse: Queries that were broken or worsened.
        largest_step: The stage whose step from the one before moves the mean most, and by how much;
            None where no step can be seen.
    """

    counts: Mapping[Outcome, int]
    better: int
    worse: int
    largest_step: tuple[Stage, float] | None


@dataclass(frozen=True)
class GroupChange:
    """The change on a group of queries."""

    group: Group
    queries: int
    test: Significance


@dataclass(frozen=True)
class GeneralizationVerdict:
    """Whether a gain holds where the adapter has not seen the relevant document.

    Attributes:
        generalization: What the tests of the groups show.
        groups: The change on each group that has queries, seen ones first.
    """

    generalization: Generalization
    groups: tuple[GroupChange, ...]


def effect_of(test: Significance) -> Effect:
    """Return what a test of modulated against base shows."""
    low, high = test.ci95
    return "helps" if low > 0 else "harms" if high < 0 else "not shown"


def judge_effect(measured: Evaluation, bm25: SystemMetrics) -> EffectVerdict:
    """Say whether the adapter helps over all queries; `bm25` (Q, M) has the same measures."""
    test = measured.significance(NDCG)
    return EffectVerdict(
        effect_of(test),
        test,
        len(measured.query_ids),
        measured.mean("base")[NDCG],
        measured.mean("modulated")[NDCG],
        float(bm25.values[:, measured.measures.index(NDCG)].mean()),
    )


def judge_outcomes(measured: Evaluation) -> OutcomeVerdict:
    """Count what became of the queries, and find the stage that moves the measure most."""
    counts = Counter(measured.outcomes())
    means = [measured.mean(stage)[NDCG] for stage in STAGES]
    steps = {
        stage: after - before
        for stage, before, after in zip(STAGES[1:], means, means[1:], strict=False)
    }
    largest = max(steps, key=lambda name: abs(steps[name]))
    return OutcomeVerdict(
        {name: counts[name] for name in OUTCOMES if counts[name]},
        counts["rescued"] + counts["improved"],
        counts["broken"] + counts["worsened"],
        (largest, steps[largest]) if abs(steps[largest]) >= VISIBLE else None,
    )


def judge_generalization(measured: Evaluation) -> GeneralizationVerdict:
    """Say whether a gain holds on unseen queries."""
    groups = tuple(
        GroupChange(name, int(mask.sum()), measured.significance(NDCG, name))
        for name, mask in measured.group_masks().items()
        if mask.any()
    )
    return GeneralizationVerdict(_generalization(measured, groups), groups)


def _generalization(measured: Evaluation, groups: tuple[GroupChange, ...]) -> Generalization:
    if measured.groups is None:
        return "unknown"
    effects = {change.group: effect_of(change.test) for change in groups}
    unseen = effects.get("unseen")
    if unseen is None:
        return "only seen queries"
    if unseen != "not shown":
        return "holds on unseen queries" if unseen == "helps" else "harms unseen queries"
    if effects.get("seen") != "helps":
        return "no gain"
    # the groups must differ, too: else there are too few queries to tell them apart
    more = measured.seen_over_unseen
    return (
        "gain on seen queries only"
        if more is not None and more[0] > 0
        else "not shown on unseen queries"
    )
