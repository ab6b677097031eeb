"""The range of the mean change, and which judgments narrow it most."""

from __future__ import annotations

import numpy as np
import pytest

from imrnns_core.evaluation.change_bounds import OpenChange, TwoRankings
from imrnns_core.evaluation.informative_judgments import ChangeRange, narrowing_pairs
from imrnns_core.types import Qrels

NOT_RELEVANT = {f"n{i}": 0 for i in range(10)}


def comparison(
    base: dict[str, list[str]], other: dict[str, list[str]], qrels: Qrels
) -> tuple[TwoRankings, OpenChange]:
    rankings = TwoRankings.of(base, other)
    return rankings, OpenChange.of(rankings, qrels, 3)


def test_the_range_is_that_of_the_mean() -> None:
    base, other = {"p": ["a"], "q": ["b"]}, {"p": ["a"], "q": ["c"]}
    _, change = comparison(base, other, {"p": {"a": 1}, "q": {"x": 2, "b": 0}})
    # nDCG of q is 0 or, with c at grade 3, 3 / (3 + 2 / log2(3))
    high = 3 / (3 + 2 / np.log2(3)) / 2
    ends = ChangeRange.of(change)
    assert (ends.now, ends.low, ends.unjudged) == (0, 0, 1)
    assert ends.high == pytest.approx(high)


@pytest.mark.parametrize(
    ("low", "high", "certain"),
    [
        (-0.1, 0.1, False),
        (0.0, 0.1, False),
        (-0.1, 0.0, False),
        (0.01, 0.1, True),
        (-1, -0.1, True),
    ],
)
def test_the_sign_is_certain_if_the_range_excludes_zero(
    low: float, high: float, certain: bool
) -> None:
    assert ChangeRange(0.0, low, high, 3).has_certain_sign is certain


def test_the_document_that_moves_most_is_judged_first() -> None:
    few = list(NOT_RELEVANT)
    base = {"q": ["a", *few[:8], "b"], "r": ["x", "y"]}
    other = {"q": ["b", *few[:8], "c"], "r": ["x", "z"]}
    qrels = {"q": {"there": 1, **NOT_RELEVANT}, "r": {"x": 3, "y": 0}}
    rankings, change = comparison(base, other, qrels)
    # the high end is nearer to zero only for q; x does not move, and z gains less than b
    first = narrowing_pairs(rankings, change, np.random.default_rng(0), 1)
    gains = dict(zip(rankings.documents[0], rankings.weights[0], strict=True))
    assert gains["b"] > 0 > gains["a"]
    assert first in ([("q", "a")], [("q", "b")])
    low, high = change.low.sum(), change.high.sum()
    assert first == [("q", "b" if high < -low else "a")]


def test_each_query_gets_one_document_before_any_gets_two() -> None:
    # each of the six documents of q0 is worth more than those of the others, which are at rank 10
    base = {"q0": ["a", "b", "c"], **{f"q{i}": [*list(NOT_RELEVANT)[:9], "a"] for i in range(1, 6)}}
    other = {q: ["d", "e", "f"] if q == "q0" else ids[:9] for q, ids in base.items()}
    qrels = {q: {"x": 1, **NOT_RELEVANT} for q in base}
    rankings, change = comparison(base, other, qrels)
    generator = np.random.default_rng(0)
    assert [q for q, _ in narrowing_pairs(rankings, change, generator, 1)] == ["q0"]
    assert {q for q, _ in narrowing_pairs(rankings, change, generator, 6)} == set(base)
    ten = narrowing_pairs(rankings, change, generator)
    assert len(set(ten)) == 10
    assert [q for q, _ in ten].count("q0") == 5


def test_only_open_pairs_are_offered() -> None:
    base, other = {"q": ["a", "b"], "same": ["c"]}, {"q": ["b", "a"], "same": ["c"]}
    rankings, change = comparison(base, other, {"q": {"a": 1}, "same": {"x": 1}})
    # the rankings of `same` are equal, so its unjudged document decides nothing
    assert narrowing_pairs(rankings, change, np.random.default_rng(0)) == [("q", "b")]
    assert narrowing_pairs(rankings, change, np.random.default_rng(0), skipped={("q", "b")}) == []


def test_the_order_is_random_and_does_not_follow_the_value() -> None:
    base = {f"q{i}": [*list(NOT_RELEVANT)[: i % 9], "a"] for i in range(10)}
    other = {q: ["b"] for q in base}
    rankings, change = comparison(base, other, {q: {**NOT_RELEVANT, "x": 1} for q in base})
    orders = [
        tuple(narrowing_pairs(rankings, change, np.random.default_rng(seed))) for seed in range(20)
    ]
    assert len({frozenset(order) for order in orders}) == 1
    assert len(set(orders)) > 15
    assert len({order[0] for order in orders}) > 4


def labels_until_certain(
    rankings: TwoRankings, truth: Qrels, generator: np.random.Generator, at_random: bool
) -> int:
    qrels: dict[str, dict[str, int]] = {q: {} for q in truth}
    for number in range(rankings.weights.size):
        change = OpenChange.of(rankings, qrels, 1)
        if ChangeRange.of(change).has_certain_sign:
            assert ChangeRange.of(change).low > 0
            return number
        if at_random:
            row, column = generator.choice(np.argwhere(change.unjudged))
            query, document = rankings.query_ids[row], rankings.documents[row][column]
        else:
            ((query, document),) = narrowing_pairs(rankings, change, generator, 1)
        qrels[query][document] = truth[query][document]
    raise AssertionError("all documents are judged, and the sign is open")


def test_judging_in_this_order_reaches_the_sign_earlier_than_at_random() -> None:
    generator = np.random.default_rng(3)
    documents = [f"d{i}" for i in range(14)]
    base = {f"q{i}": list(generator.permutation(documents)[:10]) for i in range(40)}
    truth = {q: {d: int(generator.random() < 0.2) for d in documents} for q in base}
    # the other ranking has its relevant documents four ranks higher
    other = {
        q: sorted(ids, key=lambda d: ids.index(d) - 4 * truth[q][d]) for q, ids in base.items()
    }
    rankings = TwoRankings.of(base, other)
    own, random = (
        labels_until_certain(rankings, truth, generator, at_random) for at_random in (False, True)
    )
    assert own < random / 2
