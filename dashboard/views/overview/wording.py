"""The sentences of the Overview about verdicts: three questions, each with answer and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dashboard.formatting import count, p_value, percent, signed
from imrnns_core.evaluation.change_decomposition import MIN_QUERIES
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.evaluation.seen import Group
from imrnns_core.evaluation.unjudged import UnjudgedRange
from imrnns_core.evaluation.verdicts import (
    MIN_CHANGED,
    Effect,
    EffectVerdict,
    Generalization,
    GeneralizationVerdict,
    GroupChange,
    OutcomeVerdict,
)
from imrnns_core.model.adapter_card import LeftOutGain
from imrnns_core.statistics.significance import Significance
from imrnns_core.types import Stage

Kind = Literal["good", "warning", "info"]


@dataclass(frozen=True)
class Answer:
    """A question, its answer in one line, and the figures behind the answer."""

    kind: Kind
    question: str
    answer: str
    figures: str


# The verdicts themselves are in imrnns_core/evaluation/verdicts.py. They are tested there; here are
# only their words, so that no sentence is decided in two places
EFFECTS: dict[Effect, tuple[Kind, str]] = {
    "helps": ("good", "Yes"),
    "harms": ("warning", "No, it makes rankings worse"),
    "not shown": ("info", "No measurable change"),
    "too few queries": ("info", "Unknown: too few queries changed"),
}
GENERALIZATIONS: dict[Generalization, tuple[Kind, str, str]] = {
    "unknown": (
        "warning",
        "Unknown: the training documents are not listed",
        "The adapter card does not list the documents that were used in training. So it is unknown "
        "which queries are seen, and a gain may come from memorised documents. Train the adapter "
        "again to get a card that lists them.",
    ),
    "no independent queries": (
        "warning",
        "Unknown: training used judgments of every query of this split",
        "Choose a split with other queries.",
    ),
    "harms": ("warning", "No, {} get worse", ""),
    "holds": ("good", "Yes, the gain holds on {}", ""),
    "not shown": ("warning", "Unknown: no significant gain on {}", ""),
    "too few queries": (
        "warning",
        "Unknown: too few {} changed",
        f"A verdict needs at least {MIN_CHANGED} queries that change.",
    ),
    "no gain": ("info", "No significant gain", ""),
}
"""Kind of the box, answer with a place for the group, and a remark after the figures."""
QUERIES: dict[Group, str] = {
    "seen": "seen queries",
    "text used": "“text used” queries",
    "unseen": "unseen queries",
    "validation": "validation queries",
}
"""The queries of a group; `imrnns_core.evaluation.seen` defines the groups."""
STEPS: dict[Stage, str] = {
    "projected": "projector",
    "document-modulated": "document modulation",
    "modulated": "query refinement",
}
"""The step that leads to each stage after base."""
UNJUDGED = (
    "These queries have no relevance judgments. So the page can show what changes, but not whether "
    "it helps. To find out, add judgments in qrels/test.tsv."
)


def helps(verdict: EffectVerdict) -> Answer:
    """Answer "Does it help?"."""
    kind, answer = EFFECTS[verdict.effect]
    corrected = (
        f" (Holm-corrected for the {verdict.tests} tests of all queries and of the groups)"
        if verdict.tests > 1
        else ""
    )
    figures = (
        f"{NDCG} changes by {with_interval(verdict.test)}, {p_value(verdict.p)}{corrected}, on "
        f"{count(verdict.test.queries, 'query', 'queries')}: base {verdict.base:.4f}, modulated "
        f"{verdict.modulated:.4f}, BM25 {verdict.bm25:.4f}."
    )
    if verdict.effect == "not shown":
        figures += f" {_detectable(verdict.test)}"
    if verdict.effect == "too few queries":
        figures += (
            f" {count(verdict.test.changed, 'query changes', 'queries change')}. A verdict needs "
            f"at least {MIN_CHANGED}."
        )
    return Answer(kind, "Does it help?", answer, figures)


def with_unjudged(
    answer: Answer, ends: UnjudgedRange, judged: Mapping[str, Mapping[str, float]]
) -> Answer:
    """Add what unjudged documents could change to the figures of an answer.

    Args:
        answer: The answer.
        ends: nDCG@10 under both assumptions about unjudged documents.
        judged: Ranking → measure → share of judged documents.
    """
    base, modulated = (percent(judged[system]["Judged@10"]) for system in ("base", "modulated"))
    figures = (
        f"{answer.figures} In the top 10, {base} (base) and {modulated} (modulated) are judged. "
        "The other documents count as not relevant. If all of them had the best grade that the "
        f"query has, {NDCG} would be {ends.base[1]:.4f} (base) and {ends.modulated[1]:.4f} "
        f"(modulated), a change of {signed(ends.change[1])}."
    )
    return replace(answer, figures=figures)


def without_relevant(query_ids: Sequence[str]) -> tuple[str, str]:
    """Return title and text of the note about judged queries that cannot be measured."""
    number = len(query_ids)
    queries = count(number, "judged query has", "judged queries have")
    title = f"{queries} no relevant document and {'is' if number == 1 else 'are'} left out"
    more = ", …" if number > LISTED_QUERIES else ""
    return title, ", ".join(query_ids[:LISTED_QUERIES]) + more


def where(verdict: OutcomeVerdict) -> Answer:
    """Answer "Which queries changed?": the outcomes, and the step to each stage."""
    listed = ", ".join(f"{number} {name}" for name, number in verdict.counts.items())
    figures = f"{listed[0].upper()}{listed[1:]}."
    # steps can have opposite signs: the largest alone may be larger than the total change
    if verdict.steps:
        steps = ", ".join(f"{STEPS[stage]} {signed(step)}" for stage, step in verdict.steps.items())
        figures += f" {NDCG} after each step, compared with the step before: {steps}."
    answer = f"{count(verdict.better, 'query', 'queries')} better, {verdict.worse} worse"
    return Answer("info", "Which queries changed?", answer, figures)


def trust(verdict: GeneralizationVerdict) -> Answer:
    """Answer "Can I trust it?"."""
    kind, answer, remark = GENERALIZATIONS[verdict.generalization]
    answer = answer.format(QUERIES[verdict.group] if verdict.group else "")
    sentences = [*map(_change, verdict.groups), remark]
    if verdict.seen_gain_more:
        sentences.append("Seen queries gain more than the others.")
    if verdict.generalization == "not shown":
        sentences += [_detectable(g.test) for g in verdict.groups if g.group == verdict.group]
    if verdict.group == "text used" and verdict.left_out is None:
        sentences.append("The gain for documents that training did not use is not measured here.")
    if verdict.left_out is not None:
        if verdict.generalization == "holds":
            kind, answer = "warning", "Yes, but only for documents in the sentence memory"
        sentences.append(left_out(verdict.left_out))
    return Answer(kind, "Can I trust it?", answer, " ".join(filter(None, sentences)))


def left_out(gain: LeftOutGain) -> str:
    """Return what a sentence memory does for documents that it lacks."""
    return (
        f"For documents that the memory lacks, {NDCG} changes by "
        f"{signed(gain.left_out - gain.base)} (95 % interval {signed(gain.change_ci95[0])} to "
        f"{signed(gain.change_ci95[1])}, {p_value(gain.p)}); after they were added to the memory, "
        f"by {signed(gain.extended - gain.base)}. Both were measured in training, on "
        f"{count(gain.queries, 'query', 'queries')}. The dashboard adds new documents by itself."
    )


def unjudged(overlap: RankOverlap) -> tuple[Answer, Answer]:
    """Answer what can be answered without judgments."""
    figures = (
        "1 means that both rankings are the same. The lowest possible value for lists of "
        f"{count(overlap.depth, 'document', 'documents')} is {overlap.lowest_rbo:.4f}. On average, "
        "the two rankings share "
        f"{overlap.top_k_overlap.mean():.2f} of their top {overlap.top_k} documents. The top "
        f"document changes for {percent(overlap.top_document_changed)} of "
        f"{count(len(overlap.query_ids), 'query', 'queries')}."
    )
    answer = f"Mean rank-biased overlap {overlap.rbo.mean():.4f}"
    return (
        Answer("info", "Does it help?", "Unknown without judgments", UNJUDGED),
        Answer("info", "How much changes?", answer, figures),
    )


def _change(change: GroupChange) -> str:
    """Return the change on a group of queries."""
    low, high = change.test.ci95
    queries = f"{change.test.queries:,} {QUERIES[change.group]}"
    return (
        f"On {queries}, {NDCG} changes by {signed(change.test.change)} (95 % interval "
        f"{signed(low)} to {signed(high)})."
    )


def _detectable(test: Significance) -> str:
    """Return what a test that shows nothing could have shown."""
    if not test.detectable:
        return "No query changes."
    return (
        f"With {count(test.queries, 'query', 'queries')} and this spread, the test finds a change "
        f"of {test.detectable:.4f} or more in 80 % of cases; a smaller one may exist."
    )


def with_interval(test: Significance) -> str:
    """Return a change with its 95 % interval."""
    low, high = test.ci95
    return f"{signed(test.change)} (95 % interval {signed(low)} to {signed(high)})"


TOO_FEW_FOR_PARTS = f"The parts of a change need at least {MIN_QUERIES} queries."
LISTED_QUERIES = 10
"""Largest number of queries that a note names."""
NO_SHARES = (
    "No score changes relative to the other candidates. A shift that all candidates share changes "
    "no rank, so it does not count."
)
