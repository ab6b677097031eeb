"""Conclusions from an evaluation: does the adapter help, where, and does the gain generalise?

Conclusions are data; callers choose the words. A change of nDCG@10 counts as shown if

- at least 20 queries changed, where queries that share a relevant document count once,
- the p value is at most 5 %, corrected for the number of tests that are shown (Holm), and
- both 95 % intervals, percentile and studentized, exclude zero.

Queries that share a relevant document change together. They are resampled together: with changes
of the reference checkpoint on SciFact, shifted to mean zero, resampling single queries gave a false
verdict in 10 % of simulations with 170 queries instead of 3 %.

The studentized interval makes rare large losses that few queries have less dangerous: with 50
queries and changes like those of SciFact around zero, a false "helps" came in 2.5 % of simulations,
without it in 6 %. It cannot exclude them: if 3 % of the queries lose 0.9 and half of the others
gain a little, so that the true mean is zero, a false "helps" came in 20 % of simulations with 50
queries and in 5 % with 100; if 1 % lose 0.9, in 35 % with 100 and in 9 % with 236.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.evaluation.seen import Group
from imrnns_core.model.adapter_card import LeftOutGain
from imrnns_core.statistics.significance import LEVEL, Significance, holm

Effect = Literal["helps", "harms", "not shown", "too few queries"]
Generalization = Literal[
    "unknown", "no independent queries", "harms", "holds", "not shown", "too few queries", "no gain"
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
"""Outcomes with an adapter, best first."""
BASE_OUTCOMES: tuple[Outcome, ...] = ("found", "ranked too low", "not retrieved")
"""Outcomes without an adapter, best first."""

MIN_CHANGED = 20
"""With fewer changed queries there is no verdict: the queries may be a lucky selection."""
INDEPENDENT: tuple[Group, ...] = ("unseen", "text used")
"""Groups on which no judgment was learned, the strictest first."""


@dataclass(frozen=True)
class EffectVerdict:
    """Whether an adapter helps, over all queries of a split.

    Attributes:
        effect: The conclusion.
        test: The test of modulated − base.
        p: Its p value, corrected for the number of tests.
        tests: Number of tests.
        base: Mean nDCG@10 of the base ranking.
        modulated: Mean nDCG@10 of the modulated ranking.
    """

    effect: Effect
    test: Significance
    p: float
    tests: int
    base: float
    modulated: float


@dataclass(frozen=True)
class OutcomeVerdict:
    """The outcomes of the queries.

    Attributes:
        counts: Number of queries of each outcome that occurs, best outcome first.
        better: Number of queries that are rescued or improved.
        worse: Number of queries that are broken or worsened.
    """

    counts: Mapping[Outcome, int]
    better: int
    worse: int


@dataclass(frozen=True)
class GroupChange:
    """The change of nDCG@10 on a group of queries, with the corrected p value."""

    group: Group
    test: Significance
    p: float


@dataclass(frozen=True)
class GeneralizationVerdict:
    """Whether a gain also exists for queries that training knew no judgment of.

    Attributes:
        generalization: The conclusion.
        group: The group that decides: unseen queries or, if they show too little, queries of whose
            documents only the text was used. None if there is neither.
        groups: The change on each group that has queries, seen queries first.
        seen_gain_more: Whether the change on seen queries is larger, with 95 % confidence.
        left_out: The gain for documents that a sentence memory lacks, if it was measured.
    """

    generalization: Generalization
    group: Group | None
    groups: tuple[GroupChange, ...]
    seen_gain_more: bool = False
    left_out: LeftOutGain | None = None


def effect_of(test: Significance, p: float) -> Effect:
    """Return the conclusion from a test of modulated − base and its corrected p value."""
    if test.clusters < MIN_CHANGED or 0 < test.changed_clusters < MIN_CHANGED:
        return "too few queries"
    lows, highs = zip(test.ci95, test.studentized_ci95, strict=True)
    if not test.changed or p > LEVEL or min(lows) <= 0 <= max(highs):
        return "not shown"
    return "helps" if test.change > 0 else "harms"


def verdict_tests(evaluation: Evaluation) -> dict[Group | None, tuple[Significance, float]]:
    """Return the tests behind the verdicts, each with its corrected p value.

    There is one test over all queries (None) and one per group of queries. A group of all queries
    repeats the first test, so it does not count again.
    """
    masks = {group: mask for group, mask in evaluation.group_masks().items() if mask.any()}
    tests: dict[Group | None, Significance] = {None: evaluation.significance(NDCG)}
    tests |= {group: evaluation.significance(NDCG, group) for group in masks}
    distinct = [key for key in tests if key is None or not masks[key].all()]
    corrected = dict(zip(distinct, holm([tests[key].p for key in distinct]), strict=True))
    return {key: (test, corrected.get(key, corrected[None])) for key, test in tests.items()}


def judge_effect(evaluation: Evaluation) -> EffectVerdict:
    """Conclude whether the adapter helps over all queries."""
    tests = verdict_tests(evaluation)
    test, p = tests[None]
    # a group of all queries repeats the first test
    partial = [mask for mask in evaluation.group_masks().values() if mask.any() and not mask.all()]
    return EffectVerdict(
        effect_of(test, p),
        test,
        p,
        1 + len(partial),
        evaluation.mean("base")[NDCG],
        evaluation.mean("modulated")[NDCG],
    )


def outcomes_of(evaluation: Evaluation) -> tuple[Outcome, ...]:
    """Return the outcomes that a query of the evaluation can have, best first."""
    return OUTCOMES if evaluation.has_adapter else BASE_OUTCOMES


def judge_outcomes(evaluation: Evaluation) -> OutcomeVerdict:
    """Count the outcomes."""
    counts = Counter(evaluation.outcomes())
    return OutcomeVerdict(
        {name: counts[name] for name in outcomes_of(evaluation) if counts[name]},
        counts["rescued"] + counts["improved"],
        counts["broken"] + counts["worsened"],
    )


def judge_generalization(evaluation: Evaluation) -> GeneralizationVerdict:
    """Conclude whether a gain also exists for queries that training knew no judgment of.

    Missing evidence is never taken as evidence of no gain: "not shown" means that a gain may exist,
    up to the size that this number of queries can show.
    """
    tests = verdict_tests(evaluation)
    groups = tuple(GroupChange(group, *tests[group]) for group in tests if group is not None)
    difference = evaluation.seen_minus_unseen
    enough = all(change.test.changed_clusters >= MIN_CHANGED for change in groups)
    more = enough and difference is not None and difference[0] > 0
    conclusion, group = _generalization(evaluation, groups)
    return GeneralizationVerdict(conclusion, group, groups, more, evaluation.left_out)


def _generalization(
    evaluation: Evaluation, groups: tuple[GroupChange, ...]
) -> tuple[Generalization, Group | None]:
    """Return the conclusion and the group that decides it."""
    if evaluation.groups is None:
        return "unknown", None
    effects = {change.group: effect_of(change.test, change.p) for change in groups}
    # a gain on seen or validation queries may be memorised or selected
    independent = [group for group in INDEPENDENT if group in effects]
    if not independent:
        return "no independent queries", None
    tested = [group for group in independent if effects[group] != "too few queries"]
    if not tested:
        return "too few queries", independent[0]
    group = tested[0]
    conclusions: dict[Effect, Generalization] = {"helps": "holds", "harms": "harms"}
    # over all queries, or on another group, a gain is shown
    gains = "helps" in effects.values() or judge_effect(evaluation).effect == "helps"
    missing: Generalization = "not shown" if gains else "no gain"
    return conclusions.get(effects[group], missing), group
