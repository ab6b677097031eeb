"""A whole evaluation as one HTML file that works without a network.

The figures are those of the record that `imrnns-lens evaluate --json` writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from imrnns_core.config import EVALUATION_GENERATOR
from imrnns_core.data.records import Query
from imrnns_core.evaluation.baselines import Baselines
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.evaluation.seen import MEANINGS, Group
from imrnns_core.evaluation.verdicts import judge_outcomes
from imrnns_core.remedies.causes import Diagnosis, worst_ranks_first
from imrnns_core.reporting import answers
from imrnns_core.reporting import baselines as baseline_texts
from imrnns_core.reporting.causes import WHEN_SHOWN, remedy_line
from imrnns_core.reporting.change_lines import (
    gain_lines,
    outcome_reading,
    range_line,
    scope_line,
    share_line,
)
from imrnns_core.reporting.evaluation_answers import answers_of
from imrnns_core.reporting.formatting import decimal, interval, p_value, signed
from imrnns_core.reporting.templates import ENVIRONMENT, style
from imrnns_core.reporting.terminal import SYSTEM_NAMES
from imrnns_core.statistics.measures import judged_measures

Row = tuple[str, ...]
FAILING: tuple[Outcome, ...] = ("broken", "ranked too low", "not retrieved")
"""Outcomes of queries whose last ranking has no relevant document in its top k."""
NOT_RETRIEVED = "—"


def evaluation_to_html(
    result: Evaluation,
    baselines: Baselines,
    diagnoses: Sequence[Diagnosis],
    queries: Mapping[str, Query],
) -> str:
    """Return the evaluation as one HTML file without scripts or links.

    Args:
        result: The evaluation.
        baselines: The baselines on the same queries.
        diagnoses: The diagnosis of each query.
        queries: The queries by id.
    """
    failing = worst_ranks_first(d for d in diagnoses if d.outcome in FAILING)
    return ENVIRONMENT.get_template("evaluation.html").render(
        evaluation=result,
        generator=EVALUATION_GENERATOR,
        css=style(),
        scope=scope_line(result.batch) if result.batch.certainty else "",
        answers=answers_of(result, baselines),
        left_out=answers.without_relevant(result.without_relevant)
        if result.without_relevant
        else None,
        groups=[f"{group.capitalize()}: {MEANINGS[group]}." for group in result.group_masks()],
        means=list(_means(result)),
        means_head=("queries", "n", "ranking", *_measures(result)),
        changes=list(_changes(result)),
        parts=list(_parts(result)),
        baselines=list(_baselines(baselines)),
        difference="modulated − baseline" if result.has_adapter else "baseline − base",
        weights=baseline_texts.WEIGHTS,
        outcomes=list(judge_outcomes(result).counts.items()),
        outcome_reading=outcome_reading(result),
        causes=_causes(failing),
        when_shown=WHEN_SHOWN,
        failing=[_query(result, d, queries[d.query_id].text) for d in failing],
        failing_head=("id", "query", "outcome", *result.stages, "BM25", "cause", "remedy"),
        measure=NDCG,
    )


def _measures(result: Evaluation) -> tuple[str, ...]:
    """Return the names of all measures; a user can also name Judged@k."""
    return tuple(dict.fromkeys((*result.measures, *judged_measures(result.measures))))


def _means(result: Evaluation) -> Iterator[Row]:
    """Yield the mean of each measure, for each group and ranking."""
    everything = ("all", len(result.query_ids), result.means(), result.judged_means())
    groups = (
        (group, int(mask.sum()), result.means(mask), result.judged_means(mask))
        for group, mask in result.group_masks().items()
    )
    for name, n, means, judged in (everything, *groups):
        for system, values in means.items():
            shown = {**values, **judged[system]}
            yield (name, str(n), SYSTEM_NAMES.get(system, system), *map(decimal, shown.values()))


def _changes(result: Evaluation) -> Iterator[Row]:
    """Yield the test of modulated − base on each measure, for each group."""
    groups: list[Group | None] = [None, *result.group_masks()] if result.has_adapter else []
    for group in groups:
        corrected = result.corrected_p(group)
        for measure, test in result.tests(group).items():
            row = (signed(test.change), interval(test.interval), p_value(corrected[measure]))
            yield (group or "all", str(test.queries), measure, *row)


def _parts(result: Evaluation) -> Iterator[str]:
    """Yield what unjudged documents could change, and what each part of the adapter adds."""
    if not result.has_adapter:
        return
    if result.ndcg_range is not None:
        yield range_line(result.ndcg_range)
    if result.gain is not None:
        yield from gain_lines(result.gain)
    yield share_line(result.shares)


def _baselines(baselines: Baselines) -> Iterator[Row]:
    """Yield the test with each baseline, for each group."""
    for group, mask in baselines.masks().items():
        for row in baselines.tests(mask):
            name, weight = row.baseline.name, baseline_texts.weight(row.baseline)
            figures = (signed(row.test.change), interval(row.test.interval), p_value(row.p))
            yield (group, str(row.test.queries), name, weight, decimal(row.mean), *figures)


def _causes(failing: Sequence[Diagnosis]) -> list[tuple[str, int]]:
    """Return each cause that is shown for a failing query, with its number of queries."""
    named = [d.tried.causes if d.tried else [] for d in failing]
    names = (own or [d.causes] for own, d in zip(named, failing, strict=True))
    return Counter(name for own in names for name in own).most_common()


def _query(result: Evaluation, diagnosis: Diagnosis, text: str) -> Row:
    ranks = (*diagnosis.ranks, diagnosis.bm25_rank)
    shown = (str(rank or NOT_RETRIEVED) for rank in ranks)
    remedy = remedy_line(diagnosis)
    return (diagnosis.query_id, text, diagnosis.outcome, *shown, diagnosis.causes, remedy)
