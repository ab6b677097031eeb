"""The remedies of a search as a table for the terminal, and what to do first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from imrnns_core.evaluation.cross_validation import FOLDS, MIN_QUERIES
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.remedies.bench import Bench, RemedyTest
from imrnns_core.remedies.groups import CauseGroup
from imrnns_core.remedies.measured import Measured
from imrnns_core.reporting.causes import GROUP_HEAD, GROUPS, NO_GROUPS, group_rows
from imrnns_core.reporting.formatting import (
    counted,
    decimal,
    interval,
    p_equals,
    p_value,
    signed,
)
from imrnns_core.reporting.terminal import table_of

if TYPE_CHECKING:
    from rich.console import RenderableType

READING = (
    "A query fails if no relevant document is in the top {}. Fixed: it fails in the base ranking, "
    "and not with the remedy. Broken: the other way round. A setting is chosen in {} folds of the "
    "queries: those of a fold get the setting that is best for the other folds. p is corrected for "
    "the number of remedies (Holm)."
)
NOTHING = "No {}remedy is shown to help on {}."
INDEPENDENT = "the {} whose judgments the training of no adapter has used"
DEFAULTS = (
    "The default setting is used for {}, because fewer than {} queries are left to choose one."
)
NOT_RANKED = (
    "The run {} ranks no document for {} of the judged queries. They are left out: a query that "
    "the engine was not asked needs no remedy."
)
NOT_INDEPENDENT = (
    "Cannot come first here: {}. The training of an adapter used, or may have used, the judgments "
    "of all or nearly all of these queries."
)

TEXT_USED = (
    "For {} of these queries, the training of {} used the text of a relevant document, but no "
    "judgment. For documents that are added later, see “Gain for new documents” on the card of the "
    "adapter (page Adapters), if it was measured."
)


def remedies(bench: Bench, groups: Sequence[CauseGroup]) -> Iterator[RenderableType]:
    """Yield the tables of all remedies and of the groups, and what to do first."""
    table = table_of(
        f"Remedies: {NDCG}, and remedy − base",
        *("remedy", "query group", "queries", "setting", NDCG, "difference", "95 % interval"),
        *("p", "fixed", "broken", "ms per query"),
    )
    base = decimal(float(bench.base.values[:, 0].mean()))
    table.add_row("base", "all", str(len(bench.query_ids)), "", base, "", "", "", "", "", "")
    for group, tests in bench.tests.items():
        for row in tests:
            own = row.measured
            table.add_row(
                *(own.remedy.name, group, str(row.test.queries), setting(own)),
                *(decimal(float(own.values[row.mask].mean())), signed(row.test.change)),
                *(interval(row.test.interval), p_value(row.p)),
                *(str(int(row.fixed.sum())), str(int(row.broken.sum()))),
                f"{own.milliseconds:.1f}",
            )
    yield table
    yield READING.format(bench.top_k, FOLDS)
    yield from notes(bench)
    yield from _groups(bench, groups)
    yield summary(bench)


def _groups(bench: Bench, groups: Sequence[CauseGroup]) -> Iterator[RenderableType]:
    if not groups:
        yield NO_GROUPS
        return
    table = table_of("Groups of failing queries", *GROUP_HEAD)
    for row in group_rows(bench, groups):
        table.add_row(*row)
    yield table
    yield GROUPS


def notes(bench: Bench) -> Iterator[str]:
    """Yield what limits the comparison: missing queries, default settings, what training used."""
    if bench.not_ranked:
        yield NOT_RANKED.format(bench.run, f"{bench.not_ranked:,}")
    defaults = [
        own.remedy.name for own in bench.measured if own.remedy.setting and not own.cross_validated
    ]
    if defaults:
        yield DEFAULTS.format(", ".join(defaults), MIN_QUERIES)
    if bench.excluded:
        yield NOT_INDEPENDENT.format(", ".join(f"adapter {name}" for name in bench.excluded))
    first = bench.first()
    if first and first.measured.remedy.card and first.measured.groups is not None:
        known = int((first.measured.groups[bench.independent] == "text used").sum())
        if known:
            number = f"all {known:,}" if known == first.test.queries else f"{known:,}"
            yield TEXT_USED.format(number, first.measured.remedy.card.name)


def setting(measured: Measured) -> str:
    """Return the settings that the folds have chosen; empty if there is only one."""
    return (
        " or ".join(f"{value:g}" for value in measured.distinct) if measured.remedy.setting else ""
    )


def summary(bench: Bench) -> str:
    """Return one paragraph that says what to do first, or that nothing is shown to help."""
    first = bench.first()
    return (
        nothing(bench)
        if first is None
        else f"First: {first.measured.remedy.name}. {effect(bench, first)}"
    )


def nothing(bench: Bench) -> str:
    """Return that no remedy is shown to help, and on which queries."""
    every, own = len(bench.query_ids), int(bench.independent.sum())
    queries, other = counted(own, "query", "queries"), "other " if bench.excluded else ""
    if own < every:
        return NOTHING.format(other, INDEPENDENT.format(queries))
    return NOTHING.format(other, f"these {queries}")


def effect(bench: Bench, first: RemedyTest) -> str:
    """Return what the recommended remedy changes, on which queries, and how to apply it."""
    every, own = len(bench.query_ids), first.test.queries
    which = "all " if own == every else f"{own:,} of the "
    queries = f"{which}{counted(every, 'query', 'queries')}"
    if own < every:
        queries += " (those whose judgments the training of no adapter has used)"
    fixed, broken = int(first.fixed.sum()), int(first.broken.sum())
    return (
        f"On {queries}, {NDCG} changes by {signed(first.test.change)} (95 % interval "
        f"{interval(first.test.interval)}, "
        f"{p_equals(first.p)}). It fixes {fixed} of these queries and breaks {broken}. "
        f"{first.measured.remedy.how}"
    )
