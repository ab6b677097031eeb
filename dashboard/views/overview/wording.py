"""The sentences of the Overview about verdicts: three questions, each with answer and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashboard.formatting import count, p_value, percent, signed
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.evaluation.verdicts import (
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
    "gain on seen queries only": (
        "warning",
        "No, only seen queries gain",
        "The adapter has memorised training documents; it does not help with new queries.",
    ),
    "not shown on unseen queries": (
        "warning",
        "No significant gain on unseen queries",
        "There are too few queries to say whether seen and unseen queries differ.",
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
    figures = (
        f"{NDCG} changes by {with_interval(verdict.test)}, {p_value(verdict.test.p)}, on "
        f"{count(verdict.queries, 'query', 'queries')}: base {verdict.base:.4f}, modulated "
        f"{verdict.modulated:.4f}, BM25 {verdict.bm25:.4f}."
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
    figures = " ".join([*map(_change, verdict.groups), *([remark] if remark else [])])
    return Answer(kind, "Can I trust it?", answer, figures)


def unjudged(overlap: RankOverlap) -> tuple[Answer, Answer]:
    """Answer what can be answered without judgments."""
    figures = (
        "1 means that both rankings are the same. On average, the two rankings share "
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
    queries = count(change.queries, f"{change.group} query", f"{change.group} queries")
    return (
        f"On {queries}, {NDCG} changes by {signed(change.test.change)}. The 95 % interval of this "
        f"change is {signed(low)} to {signed(high)}."
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
