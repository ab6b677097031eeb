"""Causes and remedies of a query in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from imrnns_core.data.records import Query
from imrnns_core.remedies import advice as authors
from imrnns_core.remedies.advice import Advice
from imrnns_core.remedies.bench import Bench
from imrnns_core.remedies.causes import LEVEL, Diagnosis, TriedRemedies
from imrnns_core.remedies.groups import FALSE_DISCOVERY_RATE, CauseGroup
from imrnns_core.reporting.formatting import counted, p_equals, p_value, percent
from imrnns_core.retrieval.hybrid import DEPTH

WHEN_SHOWN = (
    "A cause is shown if two things hold. One of its remedies ranks the best relevant document "
    "higher than the base does. And the largest gain of a relevant document is larger than in "
    f"{percent(1 - LEVEL)} of random changes, in which the gains of the remedies go to "
    "documents that are drawn at random (corrected for the number of causes). Gain: how much "
    "higher a document is than documents of about the same base rank usually are with the "
    "remedies. No remedy is told which documents are relevant; an adapter may have learned it in "
    "training."
)
GROUP_HEAD = ("cause", "failing queries", "remedy", "fixed", "broken", "p")
GROUPS = (
    "Failing queries with the same cause, and one of its remedies: the one with the largest number "
    "of queries that it fixes in the group, minus those that it breaks in the whole split. For a "
    "test, the queries of the split are divided into two halves: a group is listed if its cause is "
    "shown more often than by chance in both. Of the groups that are listed, at most "
    f"{percent(FALSE_DISCOVERY_RATE)} are expected to be chance. A query can be in several groups."
)
NO_GROUPS = "No cause is shown more often than by chance in both halves of the queries."
NONE = (
    "No remedy brings a relevant document up by clearly more than random changes do. "
    "The table below has the ranks."
)

WHEN_ADVISED = (
    "The words of the query that the document does not contain, without words such as “the”, are "
    "added to its title. The edited document is encoded and ranked among the same candidates. The "
    f"same is done {authors.DRAWS} times with the same number of random words of the corpus. The "
    "advice is shown if the words of the query bring the document higher, and if at most "
    f"{percent(authors.LEVEL)} of the random draws bring it as high."
)
NOT_A_CAUSE = "This uses the relevant document, so it is advice to its authors, not a cause."


def rank_change(base: int, rank: int) -> str:
    """Return the ranks before and after a change: `rank 15 → 1`. 0 means not ranked."""
    if not base:
        return f"not in the top {DEPTH} → {f'rank {rank}' if rank else 'still not'}"
    return f"rank {base} → {rank or f'not in the top {DEPTH}'}"


def remedy_line(diagnosis: Diagnosis) -> str:
    """Return the best remedy that shows a cause, with its effect; empty if there is none."""
    if diagnosis.is_moved_down:
        return f"no adapter: {rank_change(diagnosis.ranks[-1], 1)}"
    if diagnosis.remedy is None:
        return ""
    change = rank_change(diagnosis.ranks[0], diagnosis.remedy.rank)
    return f"{diagnosis.remedy.remedy.name}: {change}"


def cause_lines(tried: TriedRemedies) -> list[tuple[str, str]]:
    """Return each cause that is shown with its p, and its remedies with their effect."""
    lines = dict[str, list[str]]()
    for own in tried.shown:
        # the remedies of a cause are tested together, so they have one p
        effect = f"{own.remedy.name}: {rank_change(tried.base_rank, own.rank)}"
        lines.setdefault(f"{own.remedy.cause} ({p_equals(own.p)})", []).append(effect)
    return [(cause, "\n".join(effects)) for cause, effects in lines.items()]


def advice_lines(advice: Advice, title: str) -> tuple[str, str]:
    """Return what to add to the document with this title, and how its rank changes."""

    def place(rank: float) -> str:
        return f"{rank:g}" if rank <= advice.candidates else f"below {advice.candidates}"

    *first, last = (f"“{word}”" for word in advice.words)
    words = f"{', '.join(first)} and {last}" if first else last
    base = advice.base_rank if advice.base_rank <= advice.candidates else 0
    random = advice.random_ranks
    adapter = f" With the adapter: {rank_change(*advice.modulated)}." if advice.modulated else ""
    return (
        f"Add {words} to the title of “{title}”",
        f"{rank_change(base, advice.rank).capitalize()} ({len(random)} "
        f"times with random words instead: median rank {place(float(np.median(random)))}, range "
        f"{place(float(random.min()))} to {place(float(random.max()))}).{adapter} "
        f"{NOT_A_CAUSE}",
    )


def remedy_rows(tried: TriedRemedies) -> list[tuple[str, str, str]]:
    """Return name, effect and p of each remedy."""
    return [
        (own.remedy.name, rank_change(tried.base_rank, own.rank), p_value(own.p))
        for own in tried.outcomes
    ]


def group_rows(bench: Bench, groups: Sequence[CauseGroup]) -> list[tuple[str, ...]]:
    """Return the cells of `GROUP_HEAD` for each group."""
    return [
        (
            *(group.cause, f"{len(group.query_ids):,}", group.test.measured.remedy.name),
            *(f"{len(group.fixed):,}", f"{int(group.test.broken.sum()):,}", p_value(group.p)),
        )
        for group in groups
    ]


def todo(bench: Bench, groups: Sequence[CauseGroup], queries: Mapping[str, Query]) -> str:
    """Return a to-do list in Markdown: each remedy, how to apply it, and the queries it fixes."""
    first = bench.first()
    name = first.measured.remedy.name if first else "over all queries together, no gain is shown"
    lines = [f"# To do: {bench.data}, split {bench.split}", "", f"What to do first: {name}.", ""]
    for group in groups:
        remedy = group.test.measured.remedy
        failing = counted(len(group.query_ids), "failing query", "failing queries")
        fixes = f"fixes {len(group.fixed)} of {failing}"
        breaks = f"breaks {int(group.test.broken.sum())} of {len(bench.query_ids):,}"
        lines.append(f"- [ ] **{remedy.name}** ({group.cause}): {fixes}, {breaks}. {remedy.how}")
        # a line break in a query would end the list
        lines += [f"    - {i}: {' '.join(queries[i].text.split())}" for i in group.fixed]
    if not groups:
        lines.append(NO_GROUPS)
    return "\n".join(lines) + "\n"
