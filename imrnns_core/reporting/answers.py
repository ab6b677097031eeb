"""The verdicts of an evaluation in words: questions, each with an answer and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from imrnns_core.evaluation.baselines import BaselineVerdict
from imrnns_core.evaluation.change_decomposition import MIN_QUERIES
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.evaluation.seen import Group
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
from imrnns_core.reporting import baselines as texts
from imrnns_core.reporting.formatting import counted, interval, p_equals, percent, signed
from imrnns_core.statistics.significance import Significance

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
    "not shown": ("info", "No change is shown"),
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
UNJUDGED = (
    "These queries have no relevance judgments. So the page can show what changes, but not whether "
    "it helps. To find out, add judgments in qrels/test.tsv."
)


def helps(verdict: EffectVerdict) -> Answer:
    """Answer "Does it help?"."""
    kind, answer = EFFECTS[verdict.effect]
    corrected = (
        f", Holm-corrected for {verdict.tests} tests (all queries, and each group)"
        if verdict.tests > 1
        else ""
    )
    figures = (
        f"{NDCG} on {counted(verdict.test.queries, 'query', 'queries')}: base {verdict.base:.4f}, "
        f"modulated {verdict.modulated:.4f}, change {with_interval(verdict.test)}, "
        f"{p_equals(verdict.p)}{corrected}."
    )
    if verdict.effect == "not shown":
        figures += f"{texts.second_interval(verdict.p)} {_detectable(verdict.test, verdict.tests)}"
    if verdict.effect == "too few queries":
        figures += (
            f" {counted(verdict.test.changed, 'query changes', 'queries change')}. A verdict needs "
            f"at least {MIN_CHANGED}.{_sharing(verdict.test)}"
        )
    return Answer(kind, "Does it help?", answer, figures)


def base(verdict: OutcomeVerdict, measured: Evaluation) -> Answer:
    """Answer "How good is the base ranking?" without an adapter."""
    queries, succeeds = len(measured.query_ids), verdict.counts.get("found", 0)
    listed = ", ".join(f"{number} {name}" for name, number in verdict.counts.items())
    means = measured.mean("base")
    return Answer(
        "info",
        f"How good is the run “{measured.run}”?"
        if measured.run
        else "How good is the base ranking?",
        f"{succeeds} of {counted(queries, 'query has', 'queries have')} a relevant document in the "
        f"top {measured.top_k}",
        f"{NDCG} {means[NDCG]:.4f}. {listed[0].upper()}{listed[1:]}.",
    )


def base_baselines(verdict: BaselineVerdict) -> Answer:
    """Answer "Is another system better?" without an adapter."""
    name = verdict.strongest.baseline.name
    answers: dict[Effect, tuple[Kind, str]] = {
        "helps": ("good", f"Yes: {name}"),
        "harms": ("info", "No baseline is better than base"),
        "not shown": ("info", f"Not shown; the strongest is {name}"),
        "too few queries": (
            "info",
            f"Too few queries differ for a verdict; the strongest is {name}",
        ),
    }
    kind, answer = answers[verdict.effect]
    figures = texts.figures(verdict).replace(" Too few queries differ for a verdict.", "")
    return Answer(kind, "Is another system better?", answer, figures)


def without_relevant(query_ids: Sequence[str]) -> tuple[str, str]:
    """Return title and text of the note about judged queries that cannot be measured."""
    number = len(query_ids)
    queries = counted(number, "judged query has", "judged queries have")
    title = f"{queries} no relevant document and {'is' if number == 1 else 'are'} left out"
    more = ", …" if number > LISTED_QUERIES else ""
    return title, ", ".join(query_ids[:LISTED_QUERIES]) + more


def where(verdict: OutcomeVerdict) -> Answer:
    """Answer "Which queries changed?"."""
    listed = ", ".join(f"{number} {name}" for name, number in verdict.counts.items())
    figures = f"{listed[0].upper()}{listed[1:]}."
    answer = f"{counted(verdict.better, 'query', 'queries')} better, {verdict.worse} worse"
    return Answer("info", "Which queries changed?", answer, figures)


def trust(verdict: GeneralizationVerdict) -> Answer:
    """Answer "Can I trust it?"."""
    kind, answer, remark = GENERALIZATIONS[verdict.generalization]
    answer = answer.format(QUERIES[verdict.group] if verdict.group else "")
    sentences = [*map(_change, verdict.groups), remark]
    if verdict.generalization == "too few queries":
        sentences += [_sharing(g.test).strip() for g in verdict.groups if g.group == verdict.group]
    if verdict.seen_gain_more:
        sentences.append("Seen queries gain more than the others.")
    if verdict.generalization == "not shown":
        # a single group is the whole split; beside several, there is a test over all queries
        tests = 1 + len(verdict.groups) if len(verdict.groups) > 1 else 1
        sentences += [
            _detectable(g.test, tests) for g in verdict.groups if g.group == verdict.group
        ]
    if verdict.group == "text used" and verdict.left_out is None:
        few = any(change.group == "unseen" for change in verdict.groups)
        sentences.append(NO_UNSEEN.format("too few" if few else "no"))
    if verdict.left_out is not None:
        # a gain without the documents is shown only if its interval is above zero
        ends = verdict.left_out.change_ci95
        limited = verdict.group == "text used" and (ends is None or ends[0] <= 0)
        if verdict.generalization == "holds" and limited:
            kind, answer = "warning", "Yes, but only for documents in the sentence memory"
        sentences.append(left_out(verdict.left_out))
    return Answer(kind, "Can I trust it?", answer, " ".join(filter(None, sentences)))


def left_out(gain: LeftOutGain) -> str:
    """Return what a sentence memory does for documents that it lacks."""
    return (
        "New documents: to measure this, training built memories that lacked the relevant "
        f"documents of a query ({counted(gain.queries, 'query', 'queries')}). {NDCG} minus base "
        f"was {signed(gain.left_out - gain.base)} (95 % interval {interval(gain.change_ci95)}, "
        f"{p_equals(gain.p)}). After these documents were added to "
        f"the memory, it was {signed(gain.extended - gain.base)}. The dashboard adds new documents "
        "to the memory."
    )


def unjudged(overlap: RankOverlap) -> tuple[Answer, Answer]:
    """Answer what can be answered without judgments."""
    figures = (
        "1 means that both rankings are the same. The lowest possible value for lists of "
        f"{counted(overlap.depth, 'document', 'documents')} is {overlap.lowest_rbo:.4f}. "
        "On average, the two rankings share "
        f"{overlap.top_k_overlap.mean():.2f} of their top {overlap.top_k} documents. The top "
        f"document changes for {percent(overlap.top_document_changed)} of "
        f"{counted(len(overlap.query_ids), 'query', 'queries')}."
    )
    if overlap.left_out:
        left_out = counted(overlap.left_out, "further query", "further queries")
        figures += f" The run “{overlap.run}” ranks no document for {left_out}."
    answer = f"Mean rank-biased overlap {overlap.rbo.mean():.4f}"
    if overlap.adapter is None:
        figures = figures.replace("The top document changes", "The top document differs")
        return (
            Answer("info", "How good is the search?", "Unknown without judgments", UNJUDGED),
            Answer("info", "How much do base and BM25 differ?", answer, figures),
        )
    return (
        Answer("info", "Does it help?", "Unknown without judgments", UNJUDGED),
        Answer("info", "How much changes?", answer, figures),
    )


def _change(change: GroupChange) -> str:
    """Return the change on a group of queries."""
    queries = f"{change.test.queries:,} {QUERIES[change.group]}"
    return f"On {queries}, {NDCG} changes by {with_interval(change.test)}."


def _detectable(test: Significance, tests: int) -> str:
    """Return what a test that shows nothing could have shown, if it is one of several tests."""
    detectable = test.detectable(tests)
    if not test.changed:
        return "No query changes."
    if detectable is None:
        return (
            "So few queries change, or by so equal amounts, that no size can be named that would "
            "probably be significant."
        )
    return (
        f"If as many queries change again, a true change of {detectable:.4f} would probably be "
        "significant, a smaller one often not."
    )


def _sharing(test: Significance) -> str:
    """Return that queries which share a relevant document count once, where that decides."""
    if test.changed < MIN_CHANGED:
        return ""
    return (
        " Queries whose relevant documents are the same or near copies count once, so "
        f"{counted(test.changed_clusters, 'query counts', 'queries count')}."
    )


def with_interval(test: Significance) -> str:
    """Return a change with its 95 % interval."""
    return f"{signed(test.change)} (95 % interval {interval(test.interval)})"


NO_UNSEEN = (
    "This split has {} unseen queries, so it says nothing about documents whose text the adapter "
    "does not know."
)
TOO_FEW_FOR_PARTS = f"At least {MIN_QUERIES} queries are needed to split a change into parts."
LISTED_QUERIES = 10
"""Largest number of queries that a note names."""
NO_SHARES = (
    "No score changes relative to the other candidates. A shift that all candidates share changes "
    "no rank, so it does not count."
)
