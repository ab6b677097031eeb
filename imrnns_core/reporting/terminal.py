"""Evaluations, comparisons of systems, and rankings as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from imrnns_core.data.records import Query
from imrnns_core.evaluation.evaluate import BM25, NDCG, Evaluation, mean_of
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.evaluation.seen import MEANINGS
from imrnns_core.evaluation.system_comparison import SystemComparison
from imrnns_core.evaluation.verdicts import judge_outcomes
from imrnns_core.model.adapter_card import LeftOutGain
from imrnns_core.reporting.change_lines import (
    gain_lines,
    outcome_reading,
    range_line,
    scope_line,
    share_line,
)
from imrnns_core.reporting.formatting import (
    counted,
    cut,
    decimal,
    interval,
    p_equals,
    p_value,
    percent,
    signed,
)
from imrnns_core.statistics.measures import judged_measures

if TYPE_CHECKING:
    from rich.console import RenderableType

LISTED_QUERIES = 10
"""Queries in the list of those with the largest difference."""
TEXT_WIDTH = 60
"""Largest number of characters of a query's text in a table."""
BOTH_DIFFER = "the two rankings differ, not which one"
# in records all names are lower case
SYSTEM_NAMES = {BM25: "BM25"}


def evaluation(result: Evaluation) -> Iterator[RenderableType]:
    """Yield means of each query group, tests, shares of the score change, and outcomes."""
    yield _means(result)
    if result.batch.certainty:
        yield scope_line(result.batch)
    if result.without_relevant:
        left_out = result.without_relevant
        more = ", …" if len(left_out) > LISTED_QUERIES else ""
        yield (
            f"{counted(len(left_out), 'judged query has', 'judged queries have')} no relevant "
            f"document and {'is' if len(left_out) == 1 else 'are'} left out: "
            f"{', '.join(left_out[:LISTED_QUERIES])}{more}"
        )
    if not result.has_adapter:
        yield _outcome_line(result)
        yield outcome_reading(result)
        return
    yield from _group_lines(result)
    for measure, p in result.corrected_p().items():
        test = result.significance(measure)
        yield (
            f"{measure}: modulated − base {signed(test.change)}, "
            f"95 % interval {interval(test.interval)}, {p_equals(p)}"
        )
    yield (
        "The interval comes from a bootstrap over queries. p comes from a paired randomisation "
        f"test and is corrected for {len(result.measures)} measures (Holm), so an interval can "
        "exclude zero although p is above 0.05."
    )
    if result.ndcg_range is not None:
        yield range_line(result.ndcg_range)
    if result.gain is not None:
        yield from gain_lines(result.gain)
    yield share_line(result.shares)
    yield _outcome_line(result)
    yield outcome_reading(result)


def _outcome_line(result: Evaluation) -> str:
    counts = judge_outcomes(result).counts
    return f"Outcomes: {', '.join(f'{number} {outcome}' for outcome, number in counts.items())}"


def _group_lines(result: Evaluation) -> Iterator[str]:
    """Yield the meaning of each group, and the gain for documents that a memory lacks."""
    if result.groups is None:
        yield (
            "Seen and unseen queries cannot be distinguished: the adapter's card does not list its "
            "training documents."
        )
    for group in result.group_masks():
        yield f"{group.capitalize()}: {MEANINGS[group]}."
    if result.left_out is not None:
        yield left_out_line(result.left_out)


def left_out_line(gain: LeftOutGain) -> str:
    """Return what a sentence memory does for documents that it lacks."""
    others = (
        ""
        if gain.others is None
        else f" Queries whose documents it had from the start then reach {decimal(gain.others)}."
    )
    return (
        f"Sentence memory, measured in training on {counted(gain.queries, 'query', 'queries')}: "
        f"{NDCG} is {decimal(gain.base)} for the base and {decimal(gain.complete)} with the memory "
        f"of all documents. It is {decimal(gain.left_out)} if the memory lacks the relevant "
        f"documents of the query ({signed(gain.left_out - gain.base)} against the base, 95 % "
        f"interval {interval(gain.change_ci95)}, {p_equals(gain.p)}), and "
        f"{decimal(gain.extended)} after these documents are added to the memory.{others}"
    )


def _system(result: Evaluation | RankOverlap) -> str:
    if result.run is not None:
        return f"base: run {result.run}"
    return "no adapter" if result.adapter is None else f"adapter {result.adapter}"


def _means(result: Evaluation) -> Table:
    table = table_of(
        f"{result.dataset} {result.split}, {_system(result)}: mean of each measure",
        *("query group", "queries", "ranking"),
        # a user can also name Judged@k as a measure
        *dict.fromkeys((*result.measures, *judged_measures(result.measures))),
    )
    judged = result.judged_means()
    for system, means in result.means().items():
        _add_means(table, "all", len(result.query_ids), system, {**means, **judged[system]})
    for group, mask in result.group_masks().items():
        for system, means in result.means(mask).items():
            if system not in ("projected", "document-modulated"):
                shown = {**means, **result.judged_means(mask)[system]}
                _add_means(table, group, int(mask.sum()), system, shown)
    return table


def _add_means(
    table: Table, group: str, queries: int, system: str, means: Mapping[str, float]
) -> None:
    name = SYSTEM_NAMES.get(system, system)
    table.add_row(group, str(queries), name, *map(decimal, means.values()))


def overlap(result: RankOverlap, queries: Mapping[str, Query]) -> Iterator[RenderableType]:
    """Yield how much base and the other ranking differ, and the queries that differ most."""
    is_adapter = result.adapter is not None
    what = "the ranking changes, not whether it" if is_adapter else BOTH_DIFFER
    left_out = f"The run does not rank {result.left_out:,} more. " if result.left_out else ""
    queries_without = f"{counted(len(result.query_ids), 'query', 'queries')} without judgments"
    named = f"{result.dataset}, {_system(result)}: {queries_without}"
    yield f"{named}. {left_out}The figures show how much {what} is better."
    yield (
        f"Base compared with {result.other} ranking: mean rank-biased overlap "
        f"{decimal(result.rbo.mean())} (1: identical; {decimal(result.lowest_rbo)}: the lowest "
        f"possible for lists of {counted(result.depth, 'document')}), mean number of documents "
        f"that both top {result.top_k} have {decimal(result.top_k_overlap.mean(), 2)}. The "
        f"document at rank 1 differs for {percent(result.top_document_changed)} of the queries."
    )
    if is_adapter:
        yield share_line(result.shares)
    table = table_of(
        "Queries whose ranking changes most" if is_adapter else "Queries that differ most",
        "query",
        "rank-biased overlap",
        f"in common in top {result.top_k}",
        "top document (base)",
        f"top document ({result.other})",
        "text",
    )
    # a stable sort keeps queries with equal overlap in the order of the data set
    for i in result.rbo.argsort(kind="stable")[:LISTED_QUERIES].tolist():
        query_id = result.query_ids[i]
        table.add_row(
            query_id,
            decimal(result.rbo[i]),
            str(result.top_k_overlap[i]),
            *(result.top_document(ranking, i) or "—" for ranking in (0, 1)),
            cut(queries[query_id].text, TEXT_WIDTH),
        )
    yield table


def system_comparison(
    comparison: SystemComparison, queries: Mapping[str, Query]
) -> Iterator[RenderableType]:
    """Yield both means of each query group with their test, and the queries that differ most."""
    evaluated = comparison.evaluation
    own, other = _own(evaluated), comparison.name
    # two systems can have the same name, but their columns need different headings
    if other == evaluated.adapter:
        other = f"{other} (other)"
    yield _comparison_table(comparison, other)
    yield f"Difference: {own} − {other}"
    if comparison.missing:
        missing = counted(comparison.missing, "query is", "queries are")
        yield (
            f"{missing} missing from the run, of {len(evaluated.query_ids)}. Missing queries count "
            "as 0."
        )
    if comparison.groups is None:
        yield (
            "It is unknown which queries the adapters have seen, so a difference may come from "
            "memorised training documents."
        )
    most_different = comparison.most_different(LISTED_QUERIES)
    if most_different:
        yield _query_differences(comparison, other, most_different, queries)
    else:
        yield f"No query differs in {NDCG}."


def _own(evaluated: Evaluation) -> str:
    """Return the name of the evaluated ranking."""
    name = evaluated.adapter
    return "base" if name is None else f"{name} (modulated)"


def _comparison_table(comparison: SystemComparison, other: str) -> Table:
    evaluated = comparison.evaluation
    name = evaluated.adapter or "base"
    heads = ("query group", "queries", "measure", name, other, "difference", "95 % interval")
    table = table_of(f"{_own(evaluated)} compared with {other}", *heads, "p")
    for group, mask in comparison.group_masks().items():
        own_means = evaluated.mean(evaluated.final, mask)
        other_means = mean_of(evaluated.measures, comparison.other_metrics.values, mask)
        corrected = comparison.corrected_p(group)
        for measure, test in comparison.tests(group).items():
            table.add_row(
                *(group or "all", str(int(mask.sum())), measure),
                *(decimal(own_means[measure]), decimal(other_means[measure])),
                *(signed(test.change), interval(test.interval), p_value(corrected[measure])),
            )
    return table


def _query_differences(
    comparison: SystemComparison, other: str, rows: list[int], queries: Mapping[str, Query]
) -> Table:
    evaluated = comparison.evaluation
    column = evaluated.measures.index(NDCG)
    table = table_of(
        f"Queries that differ most in {NDCG} (rank: best relevant document, — if not retrieved)",
        *("query", evaluated.adapter or "base", other),
        *("difference", "rank", f"rank ({other})", "text"),
    )
    ranks = (evaluated.best_rank(evaluated.final), comparison.other_metrics.best_ranks)
    for i in rows:
        query_id = evaluated.query_ids[i]
        own = float(evaluated.column(evaluated.final)[i])
        theirs = float(comparison.other_metrics.values[i, column])
        table.add_row(
            *(query_id, decimal(own), decimal(theirs), signed(own - theirs)),
            *(str(best_ranks[i] or "—") for best_ranks in ranks),
            cut(queries[query_id].text, TEXT_WIDTH),
        )
    return table


def hits(
    stage: str, rows: Sequence[Mapping[str, Any]], other_stage: str, other_ranks: Mapping[str, int]
) -> Table:
    """Return one ranking of one query, with the ranks in another stage.

    Args:
        stage: The stage of the ranking.
        rows: Its documents, as the rows that `search` writes.
        other_stage: The other stage.
        other_ranks: Document → its rank there.
    """
    heads = ("rank", f"{other_stage} rank", "score", "relevance", "document", "title")
    table = table_of(f"{stage[0].upper()}{stage[1:]} ranking", *heads)
    for row in rows:
        table.add_row(
            str(row["rank"]),
            str(other_ranks.get(row["document_id"], "—")),
            decimal(row["score"]),
            "unjudged" if row["relevance"] < 0 else str(row["relevance"]),
            row["document_id"],
            row["title"],
        )
    return table


def table_of(title: str, *heads: str) -> Table:
    """Return an empty table without borders."""
    return Table(*heads, title=title, title_justify="left", box=None)
