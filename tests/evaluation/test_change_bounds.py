"""The bounds of a change against all grades that unjudged documents can have."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imrnns_core.evaluation.change_bounds import OpenChange, TwoRankings
from imrnns_core.statistics.measures import measure_rankings, parse_measures

NDCG = parse_measures(["nDCG@10"])
MANY = [f"m{i:02}" for i in range(12)]


def change_of(
    base: list[str], other: list[str], judged: dict[str, int], top_grade: int = 3
) -> OpenChange:
    rankings = TwoRankings.of({"q": base}, {"q": other})
    return OpenChange.of(rankings, {"q": judged}, top_grade)


def all_changes(
    base: list[str], other: list[str], judged: dict[str, int], top_grade: int
) -> np.ndarray:
    """Return the change of nDCG@10, by trec_eval, for each way to judge what is unjudged."""
    unjudged = sorted({*base[:10], *other[:10]} - set(judged))
    ways = itertools.product(range(top_grade + 1), repeat=len(unjudged))
    # trec_eval needs a judgment for each query
    qrels = {
        str(n): {"nowhere": 0, **judged, **dict(zip(unjudged, way, strict=True))}
        for n, way in enumerate(ways)
    }
    values = [measure_rankings(NDCG, qrels, dict.fromkeys(qrels, r))[:, 0] for r in (base, other)]
    return np.asarray(values[1] - values[0])


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[str], list[str], dict[str, int], int]:
    """Draw two rankings of few documents, some of them judged, and documents in neither."""
    documents = [f"d{i}" for i in range(draw(st.integers(1, 6)))]
    base, other = draw(st.permutations(documents)), draw(st.permutations(documents))
    shorter = draw(st.integers(0, len(documents)))
    # sometimes the rankings are longer than ten, and the ideal has more than ten documents
    front = draw(st.sampled_from([[], MANY[:4], MANY]))
    grades = st.integers(0, 5)  # above the highest grade of unjudged documents, too
    judged = draw(st.dictionaries(st.sampled_from([*documents, "outside", "far"]), grades))
    judged |= dict.fromkeys(front, draw(grades))
    place = draw(st.integers(0, len(other)))
    other = [*other[:place], *front, *other[place:]]
    return [*base[:shorter], *front], other, judged, draw(st.integers(1, 3))


@settings(max_examples=200)
@given(cases())
def test_the_bounds_are_the_extremes_over_all_grades(
    case: tuple[list[str], list[str], dict[str, int], int],
) -> None:
    expected, change = all_changes(*case), change_of(*case)
    assert change.low[0] == pytest.approx(expected.min(), abs=1e-12)
    assert change.high[0] == pytest.approx(expected.max(), abs=1e-12)
    # the first way to judge has every unjudged document not relevant
    assert change.now[0] == pytest.approx(expected[0], abs=1e-12)


def test_a_grade_between_the_lowest_and_the_highest_can_be_the_extreme() -> None:
    base, other, judged = ["a", "b"], ["b", "a"], {"b": 1}
    # a with grade 3 and b with grade 1: base has the ideal order, the other 1 + 3 / log2(3)
    third = 1 / math.log2(3)
    change = change_of(base, other, judged)
    assert change.low[0] == pytest.approx((1 + 3 * third) / (3 + third) - 1)
    assert change.high[0] == pytest.approx(1 - third)
    # x has grade 2; the other ranking has it first, and a second, the base has only x, at rank 10.
    # With a at grade 2, the other ranking is ideal; grade 3 would put a first in the ideal
    few = [f"n{i}" for i in range(9)]
    judged = {"x": 2, **dict.fromkeys(few, 0)}
    expected = all_changes([*few, "x"], ["x", "a"], judged, 3)
    assert expected.argmax() == 2
    assert change_of([*few, "x"], ["x", "a"], judged).high[0] == pytest.approx(expected[2])


def test_a_query_without_a_relevant_document_changes_nothing_so_far() -> None:
    change = change_of(["a"], ["b"], {})
    assert (change.now[0], change.low[0], change.high[0]) == (0, -1, 1)
    assert change_of(["a"], ["b"], {"a": 0, "b": 0}).high[0] == 0


@given(cases(), st.data())
def test_a_judgment_only_narrows_and_equals_judging_it_before(
    case: tuple[list[str], list[str], dict[str, int], int], data: st.DataObject
) -> None:
    base, other, judged, top_grade = case
    change = change_of(*case)
    columns = np.flatnonzero(change.unjudged[0])
    if not len(columns):
        return
    column = data.draw(st.sampled_from(columns.tolist()))
    grade = data.draw(st.integers(0, top_grade))
    document = TwoRankings.of({"q": base}, {"q": other}).documents[0][column]
    answered = change.judged(np.array([0]), np.array([column]), grade)
    again = change_of(base, other, {**judged, document: grade}, max(top_grade, *judged.values(), 0))
    for name in ("now", "low", "high"):
        assert getattr(answered, name) == pytest.approx(getattr(again, name), abs=1e-12)
    assert change.low[0] - 1e-12 <= answered.low[0] <= answered.high[0] <= change.high[0] + 1e-12


def test_high_grades_need_no_level_for_each_number() -> None:
    base, other, judged = ["a", "b", "c"], ["c", "x", "a"], {"a": 1000, "x": 0, "c": 40}
    change = change_of(base, other, judged)
    assert change.levels.tolist() == [1, 2, 3, 40, 1000]
    values = []
    for grade in range(4):  # as people judge on the pages
        one = {"q": {**judged, "b": grade}}
        top, own = (measure_rankings(NDCG, one, {"q": r})[0, 0] for r in (base, other))
        values.append(own - top)
    assert change.low[0] == pytest.approx(min(values), abs=1e-12)
    assert change.high[0] == pytest.approx(max(values), abs=1e-12)


def test_queries_of_different_sizes_are_bounded_together() -> None:
    rankings = TwoRankings.of({"p": ["a"], "q": ["b", "c"]}, {"p": ["a"], "q": ["d", "c", "b"]})
    assert rankings.documents == (("a",), ("b", "c", "d"))
    qrels = {"p": {"a": 0}, "q": {"b": 1}}
    change = OpenChange.of(rankings, qrels, 3)
    single = change_of(["b", "c"], ["d", "c", "b"], {"b": 1})
    assert change.low.tolist() == pytest.approx([0, *single.low])
    assert change.high.tolist() == pytest.approx([0, *single.high])
    assert change.unjudged.tolist() == [[False, False, False], [False, True, True]]
