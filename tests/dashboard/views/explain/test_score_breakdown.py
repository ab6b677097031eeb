"""The summary of Explain names the numbers of its table and chart, with the right sign."""

from __future__ import annotations

import re

import numpy as np
import pytest

from dashboard.figures import accounting as figures
from dashboard.views.explain import score_breakdown
from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.score_accounting import Accounting, account
from imrnns_core.retrieval.ranker import Ranker

NUMBER = re.compile(r"[+−]\d\.\d{4}")


def pair(sample: Ranker, query: str, position: int = 0) -> tuple[Pair, Accounting]:
    comparison = sample.compare(query)
    return Pair(comparison, sample.adapter.model, position), account(comparison)


@pytest.mark.parametrize("query", ["q001", "q054", "q708", "q007"])
@pytest.mark.parametrize("position", [0, 1, 50])
def test_sentence_table_and_chart_have_the_same_numbers(
    sample: Ranker, query: str, position: int
) -> None:
    explained, accounting = pair(sample, query, position)
    _, text = score_breakdown.summary(explained, accounting)
    table = score_breakdown._table(accounting, position)
    assert set(NUMBER.findall(text)) <= {cell for row in table for cell in row}
    bars = figures.waterfall(accounting, position).data[0].text
    assert [row[1] for row in table[:5]] == list(bars)
    assert table[5][0] == "modulated − base"


@pytest.mark.parametrize("query", ["q001", "q054", "q708", "q007"])
@pytest.mark.parametrize("position", range(0, 100, 9))
def test_a_loss_is_never_part_of_a_gain(sample: Ranker, query: str, position: int) -> None:
    explained, accounting = pair(sample, query, position)
    _, text = score_breakdown.summary(explained, accounting)
    gain, loss = (re.search(rf"largest {word}[^(]*\((.)", text) for word in ("gain", "loss"))
    assert gain is None or gain[1] == "+"
    assert loss is None or loss[1] == "−"
    assert gain or loss


def test_a_document_without_a_change_has_no_largest_part(sample: Ranker) -> None:
    explained, accounting = pair(sample, "q007")
    zero = np.zeros_like(accounting.base)
    still = Accounting(
        accounting.base,
        zero,
        zero,
        zero,
        accounting.base,
        accounting.document_by_dimension,
        accounting.query_by_dimension,
    )
    assert score_breakdown.summary(explained, still)[1] == (
        "Its score changed by +0.0000. The average candidate’s score did not change."
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            (-0.0056, -0.2),
            "All candidates lost score (0.1028 on average); this one lost 0.0056, less than "
            "the average.",
        ),
        (
            (-0.3, -0.1),
            "All candidates lost score (0.2000 on average); this one lost 0.3000, more than the "
            "average.",
        ),
        ((0.1, -0.3), "The average candidate lost 0.1000, but this one gained 0.1000."),
        ((0.0, 0.4), "The average candidate gained 0.2000; this one kept its score."),
        ((0.2, 0.2), "All candidates gained score (0.2000 on average); this one did, too."),
    ],
)
def test_the_change_is_compared_with_the_average(
    changes: tuple[float, float], expected: str
) -> None:
    assert score_breakdown._compared(np.array(changes, np.float32), 0) == expected


def test_a_rank_against_the_relative_change_is_explained(sample: Ranker) -> None:
    comparison = sample.compare("q048")
    position = int(np.flatnonzero(comparison.relevance > 0)[0])
    _, text = score_breakdown.summary(
        Pair(comparison, sample.adapter.model, position), account(comparison)
    )
    base, modulated = comparison.rank("base"), comparison.rank("modulated")
    assert (base[position], modulated[position]) == (15, 14)
    overtaken = int(((base < 15) & (modulated > 14)).sum())
    overtaking = int(((base > 15) & (modulated < 14)).sum())
    assert (overtaken, overtaking) == (2, 1)
    assert text.endswith(" It overtook 2 documents, and 1 document overtook it.")


@pytest.mark.parametrize("query", ["q001", "q054", "q708", "q007"])
def test_a_promotion_has_one_explanation(sample: Ranker, query: str) -> None:
    comparison = sample.compare(query)
    accounting = account(comparison)
    changes = accounting.modulated - accounting.base
    for position in range(100):
        explained = Pair(comparison, sample.adapter.model, position)
        text = score_breakdown._overtaking(explained, accounting)
        rose = comparison.rank("modulated")[position] < comparison.rank("base")[position]
        fell = comparison.rank("modulated")[position] > comparison.rank("base")[position]
        relative = changes[position] - changes.mean()
        against = (rose and relative <= -score_breakdown.VISIBLE) or (
            fell and relative >= score_breakdown.VISIBLE
        )
        assert ("It overtook" in text) == against
        assert " 0 " not in text
