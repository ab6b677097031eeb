"""Which queries are documents of the corpus themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.own_documents import OwnDocuments
from imrnns_core.data.records import Document, Query
from imrnns_core.reporting.import_lines import own_document_lines

DOCUMENTS = (
    Document("a1", "Animals", "Eat less meat."),
    Document("a2", "", "How do I learn Python?"),
    Document("a3", "Cities", "Live in a city."),
)


@pytest.mark.parametrize(
    ("query_id", "text", "row"),
    [
        ("a2", "How do I learn Python?", 1),  # as in Quora
        ("a1", "Eat less meat.", 0),  # as in ArguAna: the text without the title
        ("a1", "Animals Eat less meat.", 0),  # title and text
        ("a1", "animals\n EAT  less meat.", 0),  # case and white space do not count
        ("a1", "Animals", None),  # the title alone is another text
        ("a1", "Eat less meat", None),
        ("a3", "Eat less meat.", None),  # the same text under another id
        ("q1", "Eat less meat.", None),
    ],
)
def test_id_and_text_must_be_the_same(query_id: str, text: str, row: int | None):
    found = OwnDocuments.find(DOCUMENTS, [Query(query_id, text)])
    assert found.rows == ({} if row is None else {query_id: row})
    chance = row is None and query_id != "q1"
    assert found.other_text == ((query_id,) if chance else ())


def dataset(**changed: object) -> Dataset:
    queries = [Query("a1", "Eat less meat."), Query("a3", "Which city?"), Query("q", "Python")]
    qrels = {"a1": {"a1": 1, "a2": 1, "gone": 1}, "a3": {"a3": 1}, "q": {"a1": 0, "a2": 1}}
    made = Dataset("toy", Path("toy"), DOCUMENTS, {q.id: q for q in queries}, {"test": qrels})
    return replace(made, **changed)  # type: ignore[arg-type]


def test_only_the_judgment_of_the_own_document_does_not_count():
    assert dataset().judgments == {"a1": {"a2": 1}, "a3": {"a3": 1}, "q": {"a1": 0, "a2": 1}}
    assert dataset(keep_own=True).judgments["a1"] == {"a1": 1, "a2": 1}
    # measures see all judgments, as trec_eval does
    assert dataset().judged_queries("test")["a1"] == {"a1": 1, "a2": 1, "gone": 1}


def test_rows_that_are_left_out():
    rows = dataset().left_out_rows(["q", "a1", "", "a3"])
    assert rows is not None
    assert rows.tolist() == [-1, 0, -1, -1]
    assert dataset(keep_own=True).left_out_rows(["a1"]) is None
    assert dataset(queries={"q": Query("q", "Python")}).left_out_rows(["q"]) is None
    # of a single document, nothing would be left
    assert dataset(documents=DOCUMENTS[:1]).left_out == {}


def test_a_kept_question_with_the_id_of_a_document_is_compared_too():
    extended = dataset().with_people([Query("a2", "how do I learn python?")], {})
    assert extended.left_out == {"a1": 0, "a2": 1}


def test_it_is_said():
    same, chance = own_document_lines(dataset(), ["a1", "a3", "q"])
    assert same == (
        "1 query is also in the corpus, same id and text. This document is left out of the "
        "rankings of its query, and a judgment of it does not count. To keep it: imrnns-lens "
        "prepare DATA --keep-own"
    )
    assert chance == (
        "1 query has the id of a document, but another text: such a document stays in the rankings"
    )
    kept = own_document_lines(dataset(keep_own=True), ["a1"])
    assert kept == [
        "1 query is also in the corpus, same id and text. This document stays in the rankings of "
        "its query, as you chose"
    ]
    assert own_document_lines(dataset(), ["q"]) == []
