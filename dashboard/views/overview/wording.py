"""The sentences of the Overview about verdicts: three questions, each with answer and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashboard.formatting import count, p_value, percent, signed
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.evaluation.verdicts import (
    MIN_CHANGED,
    Effect,
    EffectVerdict,
    Generalization,
    GeneralizationVerdict,
    GroupChange,
    OutcomeVerdict,
)
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
        "which queries are seen, and a gain may come from memorised documents.",
    ),
    "only seen queries": (
        "warning",
        "Unknown: all queries of this split are seen",
        "Choose a split with unseen queries.",
    ),
    "harms unseen queries": ("warning", "No, unseen queries get worse", ""),
    "holds on unseen queries": ("good", "Yes, the gain holds on unseen queries", ""),
    "not shown on unseen queries": (
        "warning",
        "Unknown: no significant gain on unseen queries",
        "",
    ),
    "too few unseen queries": (
        "warning",
        "Unknown: too few unseen queries changed",
        f"A verdict needs at least {MIN_CHANGED} unseen queries that change.",
    ),
    "no gain": ("info", "No significant gain", ""),
}
"""Kind of the box, answer, and a remark after the figures."""
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
    corrected = f" (Holm-corrected for {verdict.tests} tests)" if verdict.tests > 1 else ""
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


def where(verdict: OutcomeVerdict) -> Answer:
    """Answer "Which queries changed?": the outcomes, and the step to each stage."""
    listed = ", ".join(f"{number} {name}" for name, number in verdict.counts.items())
    figures = f"{listed[0].upper()}{listed[1:]}."
    # steps can have opposite signs: the largest alone may be larger than the total change
    if verdict.steps:
        steps = ", ".join(f"{STEPS[stage]} {signed(step)}" for stage, step in verdict.steps.items())
        figures += f" Change of {NDCG} by step: {steps}."
    answer = f"{count(verdict.better, 'query', 'queries')} better, {verdict.worse} worse"
    return Answer("info", "Which queries changed?", answer, figures)


def trust(verdict: GeneralizationVerdict) -> Answer:
    """Answer "Can I trust it?"."""
    kind, answer, remark = GENERALIZATIONS[verdict.generalization]
    sentences = [*map(_change, verdict.groups), remark]
    if verdict.seen_gain_more:
        sentences.append("Seen queries gain more than unseen ones.")
    if verdict.generalization == "not shown on unseen queries":
        sentences += [_detectable(g.test) for g in verdict.groups if g.group == "unseen"]
    return Answer(kind, "Can I trust it?", answer, " ".join(filter(None, sentences)))


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
    queries = count(change.test.queries, f"{change.group} query", f"{change.group} queries")
    return (
        f"On {queries}, {NDCG} changes by {signed(change.test.change)}. The 95 % interval of this "
        f"change is {signed(low)} to {signed(high)}."
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


NO_SHARES = (
    "No score changes relative to the other candidates. A shift that all candidates share changes "
    "no rank, so it does not count."
)
MEMORY = (
    "Its query adapter uses the stored sentences that are closest to the query. It stores no "
    "sentence of {}, so do not expect the gain for them."
)


def memory(sentences: int, trained_on: str | None, data: str) -> tuple[str, str]:
    """Return title and text of the note that the adapter stores sentences of a collection."""
    title = f"This adapter stores {sentences:,} sentences of the data set {trained_on}"
    later = "documents that were added later"
    other_data = f"the documents of the data set {data}"
    return title, MEMORY.format(later if trained_on == data else other_data)
