"""What the Overview says in words: the only place of its sentences about verdicts.

Three questions, each with an answer that the figures bear out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dashboard.formatting import minus, signed
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

Kind = Literal["good", "warning", "info"]


@dataclass(frozen=True)
class Answer:
    """A question, its answer in a line, and the figures behind it."""

    kind: Kind
    question: str
    answer: str
    figures: str


EFFECTS: dict[Effect, tuple[Kind, str]] = {
    "helps": ("good", "Yes"),
    "harms": ("warning", "No, it harms"),
    "not shown": ("info", "No change that these queries can show"),
}
GENERALIZATIONS: dict[Generalization, tuple[Kind, str, str]] = {
    "unknown": (
        "warning",
        "Unknown: which queries it has seen",
        "The adapter’s card does not name the documents it was trained to find. So nobody can "
        "tell which queries it has seen. A gain may be memory.",
    ),
    "only seen queries": ("warning", "Not from this split: every query is a seen one", ""),
    "harms unseen queries": ("warning", "No: the adapter harms unseen queries", ""),
    "holds on unseen queries": ("good", "Yes, it holds on unseen queries", ""),
    "gain on seen queries only": (
        "warning",
        "The gain lives only on seen queries",
        "That is memory, not retrieval.",
    ),
    "not shown on unseen queries": (
        "warning",
        "Not shown on unseen queries",
        "These queries are too few to tell whether the groups differ.",
    ),
    "no gain": ("info", "There is no gain to trust", ""),
}
"""Kind of the box, answer, and what follows the figures."""
UNJUDGED = (
    "No query here is judged: what moves can be measured, whether it helps cannot. Put "
    "judgments into qrels/test.tsv."
)


def helps(verdict: EffectVerdict) -> Answer:
    """Answer "Does it help?"."""
    kind, answer = EFFECTS[verdict.effect]
    figures = (
        f"{NDCG} changes by {with_interval(verdict.test)}, p = {verdict.test.p:.4f}, on "
        f"{verdict.queries} queries: base {verdict.base:.4f}, modulated {verdict.modulated:.4f}, "
        f"BM25 {verdict.bm25:.4f}."
    )
    return Answer(kind, "Does it help?", answer, figures)


def where(verdict: OutcomeVerdict) -> Answer:
    """Answer "Where?": what became of the queries, and which stage moved the measure most."""
    listed = ", ".join(f"{count} {name}" for name, count in verdict.counts.items())
    figures = f"{listed[0].upper()}{listed[1:]}."
    if verdict.largest_step:
        stage, step = verdict.largest_step
        figures += (
            f" Of the steps between stages, the one to {stage} moves {NDCG} most: {signed(step)}."
        )
    answer = f"{verdict.better} queries better, {verdict.worse} worse"
    return Answer("info", "Where?", answer, figures)


def trust(verdict: GeneralizationVerdict) -> Answer:
    """Answer "Can I trust it?"."""
    kind, answer, remark = GENERALIZATIONS[verdict.generalization]
    figures = " ".join([*map(_change, verdict.groups), *([remark] if remark else [])])
    return Answer(kind, "Can I trust it?", answer, figures)


def unjudged(moved: RankOverlap) -> tuple[Answer, Answer]:
    """Answer what can be answered where nothing is judged."""
    kept = (
        f"{moved.top_k_overlap.mean():.2f} of the first {moved.top_k} documents stay among them; "
        f"{100 * moved.top_document_changed:.0f} % of {len(moved.query_ids)} queries get "
        "another first document."
    )
    overlap = f"Rank-biased overlap {moved.rbo.mean():.4f} on average"
    return (
        Answer("info", "Does it help?", "Nobody can say", UNJUDGED),
        Answer("info", "What moves?", overlap, f"1 is the same ranking. {kept}"),
    )


def _change(change: GroupChange) -> str:
    """Return what the measure does on a group of queries, one fact a sentence."""
    low, high = change.test.ci95
    return minus(
        f"On the {change.queries} {change.group} queries {NDCG} changes by "
        f"{change.test.change:+.4f}. The 95 % interval of this change is {low:+.4f} to {high:+.4f}."
    )


def with_interval(test: Significance) -> str:
    """Return a change with its interval, as the page writes it."""
    low, high = test.ci95
    return minus(f"{test.change:+.4f} (95 % interval {low:+.4f} to {high:+.4f})")


NO_SHARES = (
    "No score changes beside those of the other candidates: a shift that is common to all moves no "
    "rank, and does not count."
)
MEMORY = (
    "Its query adapter moves documents by the sentences that are near the query. It knows nothing "
    "of documents that were added later"
)


def memory(sentences: int, trained_on: str | None, data: str) -> tuple[str, str]:
    """Say that the adapter holds sentences of a collection; return title and text."""
    elsewhere = "." if trained_on == data else f", or of {data}."
    return f"This adapter remembers {sentences:,} sentences of {trained_on}", MEMORY + elsewhere
