"""What the Overview says in words.

Three questions, each with an answer that the figures bear out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from dashboard.formatting import minus
from imrnns_core.evaluation.evaluate import NDCG, Bucket, Evaluation, Group
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.statistics.significance import Significance
from imrnns_core.types import STAGES

Kind = Literal["good", "warning", "info"]


@dataclass(frozen=True)
class Answer:
    """A question, its answer in a line, and the figures behind it."""

    kind: Kind
    question: str
    answer: str
    figures: str


def helps(measured: Evaluation, bm25: SystemMetrics) -> Answer:
    """Answer "Does it help?"."""
    test, count = measured.significance(NDCG), len(measured.query_ids)
    base, modulated = measured.mean("base")[NDCG], measured.mean("modulated")[NDCG]
    lexical = bm25.values[:, measured.measures.index(NDCG)].mean()
    figures = (
        f"{NDCG} changes by {signed(test)}, p = {test.p:.4f}, on {count} queries: base {base:.4f}, "
        f"modulated {modulated:.4f}, BM25 {lexical:.4f}."
    )
    if test.ci95[0] > 0:
        return Answer("good", "Does it help?", "Yes", figures)
    if test.ci95[1] < 0:
        return Answer("warning", "Does it help?", "No, it harms", figures)
    return Answer("info", "Does it help?", "No change that these queries can show", figures)


def where(measured: Evaluation) -> Answer:
    """Answer "Where?": what became of the queries, and which stage moved the measure most."""
    counts = Counter(measured.buckets())
    up, down = counts["rescued"] + counts["improved"], counts["broken"] + counts["worsened"]
    means = [measured.mean(stage)[NDCG] for stage in STAGES]
    steps = {
        stage: after - before
        for stage, before, after in zip(STAGES[1:], means, means[1:], strict=False)
    }
    stage = max(steps, key=lambda name: abs(steps[name]))
    names: tuple[Bucket, ...] = (
        "rescued",
        "improved",
        "unchanged",
        "worsened",
        "broken",
        "failing in ranking",
        "failing in the pool",
    )
    listed = ", ".join(f"{counts[name]} {name}" for name in names if counts[name])
    step = (
        (
            f" Of the steps between stages, the one to {stage} moves {NDCG} most: "
            f"{minus(f'{steps[stage]:+.4f}')}."
        )
        if abs(steps[stage]) >= 5e-5
        else ""
    )
    return Answer(
        "info",
        "Where?",
        f"{up} queries better, {down} worse",
        f"{listed[0].upper()}{listed[1:]}.{step}",
    )


def trust(measured: Evaluation) -> Answer:
    """Answer "Can I trust it?".

    Whether a gain holds where the adapter has not seen the relevant document.
    """
    question = "Can I trust it?"
    masks = measured.group_masks()
    if not masks:
        reason = (
            "The adapter’s card does not name the documents it was trained to find. So nobody can "
            "tell which queries it has seen. A gain may be memory."
        )
        return Answer("warning", question, "Unknown: which queries it has seen", reason)
    tests = {name: measured.significance(NDCG, name) for name, mask in masks.items() if mask.any()}
    figures = " ".join(_told(name, int(masks[name].sum()), test) for name, test in tests.items())
    seen, unseen = tests.get("seen"), tests.get("unseen")
    if unseen is None:
        return Answer(
            "warning", question, "Not from this split: every query is a seen one", figures
        )
    if unseen.ci95[1] < 0:
        return Answer("warning", question, "No: the adapter harms unseen queries", figures)
    if unseen.ci95[0] > 0:
        return Answer("good", question, "Yes, it holds on unseen queries", figures)
    if seen and seen.ci95[0] > 0:
        if measured.seen_over_unseen and measured.seen_over_unseen[0] > 0:
            return Answer(
                "warning",
                question,
                "The gain lives only on seen queries",
                f"{figures} That is memory, not retrieval.",
            )
        return Answer(
            "warning",
            question,
            "Not shown on unseen queries",
            f"{figures} These queries are too few to tell whether the groups differ.",
        )
    return Answer("info", question, "There is no gain to trust", figures)


def unjudged(moved: RankOverlap) -> tuple[Answer, Answer]:
    """Answer what can be answered where nothing is judged."""
    unknown = (
        "No query here is judged: what moves can be measured, whether it helps cannot. Put "
        "judgments into qrels/test.tsv."
    )
    kept = (
        f"{moved.kept.mean():.2f} of the first {moved.top_k} documents stay among them; "
        f"{100 * moved.first_changed:.0f} % of {len(moved.query_ids)} queries get another first "
        "document."
    )
    return (
        Answer("info", "Does it help?", "Nobody can say", unknown),
        Answer(
            "info",
            "What moves?",
            f"Rank-biased overlap {moved.rbo.mean():.4f} on average",
            f"1 is the same ranking. {kept}",
        ),
    )


def _told(group: Group, count: int, test: Significance) -> str:
    """Return what the measure does on a group of queries, one fact a sentence."""
    low, high = test.ci95
    return minus(
        f"On the {count} {group} queries {NDCG} changes by {test.delta:+.4f}. The 95 % "
        f"interval of this change is {low:+.4f} to {high:+.4f}."
    )


def signed(test: Significance) -> str:
    """Return a change with its interval, as the page writes it."""
    low, high = test.ci95
    return minus(f"{test.delta:+.4f} (95 % interval {low:+.4f} to {high:+.4f})")
