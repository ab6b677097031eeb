"""A new judgment reaches everything that is computed from judgments, and nothing else again."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from dashboard.services import (
    background,
    caching,
    catalog,
    comparisons,
    evaluations,
    judging,
    remedies,
)
from imrnns_core.data.dataset import JUDGED_SPLIT
from imrnns_core.storage.judgments import JudgmentStore

KEY = ("sample", "sample-adapter")


@pytest.fixture(autouse=True)
def _now(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)


def await_value(read: Callable[[], object]) -> object:
    deadline = time.monotonic() + 120
    while (value := read()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value


def judge(query: str, document: str, grade: int) -> int:
    number = judging.writer("sample", "anna").store((query, document), grade)
    caching.notice_judgments()
    return number


def test_a_judgment_changes_the_outcome_but_no_vector_is_computed_again() -> None:
    before = catalog.ranker(*KEY)
    comparison = comparisons.comparison(*KEY, "q054", "", frozenset())
    split = catalog.dataset("sample").split_of["q054"]
    others = [s for s in catalog.dataset("sample").splits if s != split]
    outcomes = await_value(lambda: evaluations.outcomes(*KEY, 10))
    kept = [evaluations.measured(*KEY, s) for s in others]
    assert outcomes["q054"] == "worsened"  # base 2, modulated 3
    top = comparison.ranking("modulated", 1)[0]
    number = judge("q054", top.document_id, 3)
    after = catalog.ranker(*KEY)
    assert after.transform is before.transform
    assert after.collection.index is before.collection.index
    changed = comparisons.comparison(*KEY, "q054", "", frozenset())
    assert changed.judgments == {**comparison.judgments, top.document_id: 3}
    assert changed.best_relevant_rank("modulated") == 1
    assert await_value(lambda: evaluations.outcomes(*KEY, 10))["q054"] == "improved"
    assert [evaluations.measured(*KEY, s) for s in others] == kept, "not measured again"
    judging.writer("sample", "anna").undo(number)
    caching.notice_judgments()
    again = comparisons.comparison(*KEY, "q054", "", frozenset())
    assert again.judgments == comparison.judgments


def test_judgments_of_another_process_are_noticed() -> None:
    document = catalog.dataset("sample").document_ids[0]
    assert judging.given("sample") == {}
    other = JudgmentStore(caching.workspace().root)
    other.add(catalog.dataset("sample"), [("q054", document, 1)], "ben")
    time.sleep(1.2 * caching.IDENTITY_SECONDS)
    given = judging.given("sample")
    assert {pair: item.judgment.who for pair, item in given.items()} == {("q054", document): "ben"}
    assert catalog.dataset("sample").judgments["q054"][document] == 1


def test_a_kept_question_is_a_query_with_an_outcome() -> None:
    text = "which river is a border"
    typed = comparisons.comparison(*KEY, "", text, frozenset())
    query_id = judging.keep("sample", text, "anna")
    assert judging.keep("sample", f" {text}? ", "ben") == query_id
    judge(query_id, "rio-grande", 3)
    dataset = catalog.dataset("sample")
    assert dataset.splits[JUDGED_SPLIT] == {query_id: {"rio-grande": 3}}
    kept = comparisons.comparison(*KEY, query_id, "", frozenset())
    assert kept.document_ids == typed.document_ids
    outcomes = await_value(lambda: evaluations.outcomes(*KEY, 10))
    assert outcomes[query_id] == "unchanged"  # rank 2 in both
    expected = frozenset(["rio-grande"])
    as_typed = remedies.of_query(*KEY, "", text, expected).result()
    as_query = remedies.of_query(*KEY, query_id, text, expected).result()
    assert as_typed == as_query
    known = dataset.queries["q054"].text
    assert judging.keep("sample", known, "anna") == "q054", "a query of the files stays as it is"


def test_the_pool_has_the_top_documents_of_all_systems_in_random_order() -> None:
    ids = ["q054", "q128"]
    pool = judging.shuffled(judging.pool(*KEY, ids).result(), "seed")
    assert pool == judging.shuffled(judging.pool(*KEY, ids).result(), "seed")
    assert pool != judging.shuffled(judging.pool(*KEY, ids).result(), "another")
    for query_id in ids:
        comparison = comparisons.comparison(*KEY, query_id, "", frozenset())
        systems = [
            [hit.document_id for hit in comparison.ranking(stage, 10)]
            for stage in ("base", "modulated")
        ]
        text = catalog.dataset("sample").queries[query_id].text
        rows = catalog.lexical("sample").matches([text], 10)[0]
        systems.append([catalog.dataset("sample").document_ids[row] for row in rows])
        own = [document for query, document in pool if query == query_id]
        assert set(own) == {document for ranked in systems for document in ranked}
        assert len(own) == len(set(own))
        assert own not in (sorted(own), *systems)
    queries = [query for query, _ in pool]
    assert queries in (sorted(queries), sorted(queries)[::-1]), "documents of a query are together"
    base_only = judging.shuffled(judging.pool("sample", "", ids).result(), "seed")
    assert set(base_only) < set(pool)
    assert judging.shuffled(judging.pool(*KEY, []).result(), "seed") == []


def test_texts_are_judged_once_and_no_document_is_left() -> None:
    pool = judging.shuffled(judging.pool(*KEY, ["q054"]).result(), "seed")
    for query_id, document_id in pool:
        if (query_id, document_id) not in judging.judged_pairs("sample"):
            judge(query_id, document_id, 0)
    judged = judging.judged_pairs("sample")
    assert [pair for pair in pool if pair not in judged] == []
    assert ("q054", "nowhere") not in judged
