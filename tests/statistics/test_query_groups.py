"""Queries that share relevant documents stay in one fold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.statistics.query_groups import query_folds


def qrels(*relevant: str) -> dict[str, dict[str, int]]:
    """Return judgments in which query i has the relevant documents of one text, such as "a b"."""
    return {f"q{i}": dict.fromkeys(names.split(), 1) for i, names in enumerate(relevant)}


def test_queries_that_share_a_relevant_document_are_in_one_fold():
    # q0–q1–q2 are connected by b and c; d is judged not relevant for q3
    judged = {**qrels("a b", "b c", "c", "e", "f", "g", "h"), "q7": {"e": 1, "a": 0}}
    folds = query_folds(judged, 5)
    assert folds[0] == folds[1] == folds[2]
    assert folds[3] == folds[7] != folds[0]
    assert len(set(folds.tolist())) == 5


def test_all_queries_about_one_document_are_one_fold():
    folds = query_folds(qrels(*["a"] * 50), 5)
    assert folds.tolist() == [0] * 50
    assert query_folds(qrels("a"), 5).tolist() == [0]


@given(st.lists(st.sets(st.integers(0, 30), min_size=1, max_size=3), min_size=1, max_size=60))
def test_no_document_is_relevant_in_two_folds(relevant: list[set[int]]):
    folds = query_folds(qrels(*[" ".join(map(str, documents)) for documents in relevant]), 5)
    fold_of: dict[int, int] = {}
    for documents, fold in zip(relevant, folds.tolist(), strict=True):
        for document in documents:
            assert fold_of.setdefault(document, fold) == fold
