"""The baselines as a table for the terminal, and the sentences about them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imrnns_core.evaluation.baselines import (
    ADAPTER_LEXICAL,
    BASE,
    MAX_SIM,
    Baseline,
    Baselines,
    BaselineVerdict,
)
from imrnns_core.evaluation.cross_validation import DEFAULT_WEIGHT, FOLDS, MIN_QUERIES
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.reporting.formatting import (
    counted,
    decimal,
    interval,
    p_equals,
    p_value,
    signed,
)
from imrnns_core.reporting.terminal import table_of
from imrnns_core.statistics.significance import LEVEL

if TYPE_CHECKING:
    from rich.console import RenderableType

WEIGHTS = (
    "The weight is that of the part named last (for sentence max-sim, of the best sentence). It is "
    f"chosen in {FOLDS} folds of the judged queries: the queries of a fold get the weight that is "
    "best for the other folds. Queries with a common relevant document are in one fold."
)
MAX_SIM_MEANING = (
    f"{MAX_SIM.capitalize()} is a weighted sum of two cosines with the query: that of the whole "
    "document, and that of its most similar sentence."
)
ADAPTER_WEIGHT = (
    f"The weight of {ADAPTER_LEXICAL} is chosen without the queries of the groups “seen” and "
    "“validation”."
)


def baselines(result: Baselines, data: str) -> Iterator[RenderableType]:
    """Yield the baselines with their tests, and the comparison with the strongest one.

    Args:
        result: The baselines.
        data: The data set, as the command `prepare` accepts it.
    """
    yield _table(result)
    yield f"{WEIGHTS} {ADAPTER_WEIGHT}" if result.evaluation.has_adapter else WEIGHTS
    yield from notes(result, data)
    verdict = result.judge()
    yield ". ".join(filter(None, (headline(verdict), figures(verdict))))


def _table(result: Baselines) -> RenderableType:
    final = result.evaluation.final
    difference = "modulated − baseline" if result.evaluation.has_adapter else "baseline − base"
    table = table_of(
        f"Baselines: {NDCG}, and {difference}",
        *("ranking", "query group", "queries", "weight", NDCG),
        *("difference", "95 % interval", "p"),
    )
    for group, mask in result.masks().items():
        queries = str(int(mask.sum()))
        mean = float(result.evaluation.column(final)[mask].mean())
        table.add_row(final, group, queries, "", decimal(mean), "", "", "")
        for row in result.tests(mask):
            table.add_row(
                *(row.baseline.name, group, queries, weight(row.baseline), decimal(row.mean)),
                *(signed(row.test.change), interval(row.test.interval), p_value(row.p)),
            )
    return table


def weight(system: Baseline) -> str:
    """Return the weight of a baseline, or the range of the weights of its folds."""
    if system.weights is None:
        return ""
    first, *_, last = (*system.weights.distinct, system.weights.distinct[-1])
    return f"{first:.1f}" if first == last else f"{first:.1f}–{last:.1f}"


def notes(result: Baselines, data: str) -> Iterator[str]:
    """Yield what is missing: weights that could not be chosen, and sentence max-sim."""
    for system in result.systems:
        if system.weights is not None and not system.weights.cross_validated:
            yield (
                f"{system.name} has the fixed weight {DEFAULT_WEIGHT}, because fewer than "
                f"{MIN_QUERIES} queries are left to choose one."
            )
    if not result.has_sentences and result.evaluation.run is None:
        yield (
            "Sentence max-sim is missing, because the sentences are not encoded. Encode them with: "
            f"imrnns-lens prepare {data} --sentences"
        )


def headline(verdict: BaselineVerdict) -> str:
    """Return the comparison of adapter or base with the strongest baseline, in one sentence.

    It is empty if the base ranking is the strongest, or if too few queries differ.
    """
    strongest = verdict.strongest
    name = strongest.baseline.name
    if name == BASE or verdict.effect == "too few queries":
        return ""
    p = p_equals(strongest.p)
    if verdict.reference == "base":
        if verdict.effect == "helps":
            return f"{name[0].upper()}{name[1:]} is better than base ({p})"
        return f"No baseline is shown to be better than base; the strongest is {name} ({p})"
    if verdict.excluded:
        queries = counted(strongest.test.queries, "query", "queries")
        p += f", on the {queries} that are neither “seen” nor “validation”"
    if verdict.effect == "helps":
        return f"It is better than the strongest baseline without training, {name} ({p})"
    if verdict.effect == "harms":
        comparison = "is better"
    else:
        # neither mean is evidence that both are equally good: the difference is only not shown
        comparison = (
            "has an equal or higher mean" if strongest.mean >= verdict.adapter else "may be as good"
        )
        p = f"no difference is shown, {p}"
    return f"{name[0].upper()}{name[1:]}, without training, {comparison} ({p})"


def second_interval(p: float) -> str:
    """Return why a small p value gives no verdict; empty for a large one."""
    if p > LEVEL:
        return ""
    return " The p value is small, but one of two 95 % intervals contains zero: no verdict."


def figures(verdict: BaselineVerdict) -> str:
    """Return the figures behind the comparison with the strongest baseline."""
    strongest, test = verdict.strongest, verdict.strongest.test
    name = strongest.baseline.name
    if name == BASE:
        return f"No baseline without training has a higher mean {NDCG} than base."
    queries = counted(test.queries, "query", "queries")
    sentences = [
        f"{NDCG} on {queries}: {name} {decimal(strongest.mean)}, {verdict.reference} "
        f"{decimal(verdict.adapter)}, difference {signed(test.change)} (95 % interval "
        f"{interval(test.interval)}, {p_equals(strongest.p)}, Holm-corrected for the number of "
        "baselines)."
    ]
    if name == MAX_SIM:
        sentences.append(MAX_SIM_MEANING)
    if verdict.excluded:
        queries = counted(verdict.excluded, "query is", "queries are")
        sentences.append(
            f"{queries} left out here, because training used judgments of their relevant documents."
        )
    if verdict.favoured:
        sentences.append(
            f"Training used, or may have used, the judgments of {verdict.favoured:,} of these "
            "queries, which favours the adapter."
        )
    if verdict.effect == "too few queries":
        sentences.append("Too few queries differ for a verdict.")
    detectable = test.detectable(verdict.tests)
    if verdict.effect == "not shown":
        sentences[0] += second_interval(strongest.p)
    if verdict.effect == "not shown" and detectable:
        sentences.append(
            f"If as many queries differ again, a true difference of {decimal(detectable)} would "
            "probably be significant, a smaller one often not."
        )
    return " ".join(sentences)
