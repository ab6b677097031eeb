"""The page Judging, and judging on Compare, without a browser."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import background, caching, catalog, judging
from dashboard.views.judging.exchange import judgments_frame
from imrnns_core.data.dataset import JUDGED_SPLIT
from imrnns_core.storage.judgments import JudgmentStore, user_name

HOSTILE = "<img src=x onerror=alert(1)> **b** $x$"


def draw(name: str) -> None:
    """Draw one page, as AppTest runs it: in a script of its own."""
    import importlib

    from dashboard import state

    state.start()
    importlib.import_module(f"dashboard.views.{name}.page").show()


def open_page(name: str, **parameters: str) -> AppTest:
    app = AppTest.from_function(draw, default_timeout=120, args=(name,))
    for key, value in {"data": "sample", "adapter": "sample-adapter", **parameters}.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    boxes = [*app.get("html"), *app.caption, *app.header, *app.text]
    return " ".join(str(box.proto) for box in boxes)


def store() -> JudgmentStore:
    return caching.judgments()


@pytest.fixture(autouse=True)
def _fresh(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)


def test_nobody_has_judged_yet(tmp_path: Path) -> None:
    app = open_page("judging", query="q054", judged_queries="this")
    assert app.selectbox(key="input_judged_queries").value == "this"
    assert app.text_input(key="input_who").value == user_name()
    assert "Nobody judged documents of this data set yet" in said(app)
    app.text_input(key="judgments_file").set_value(str(tmp_path / "missing.tsv"))
    app.button[0].click().run()
    assert "This file cannot be imported" in said(app)
    assert not store().database.exists()


def test_every_document_is_judged() -> None:
    pool = judging.shuffled(judging.pool("sample", "sample-adapter", ["q054"]).result(), "")
    store().add(catalog.dataset("sample"), [(*pair, 0) for pair in pool], "anna")
    caching.notice_judgments()
    app = open_page("judging", query="q054", judged_queries="this")
    assert "Every document of these queries is judged" in said(app)
    assert f"{len(pool)} judgments by 1 person, the latest first." in said(app)
    assert len(app.dataframe[0].value) == len(pool)


def test_a_file_is_imported_under_the_name_that_was_typed(tmp_path: Path) -> None:
    path = tmp_path / "mine.qrels"
    path.write_text("q054 0 bern 1\nq054 0 the-hague 5\nq999 0 bern 1\nq054 0 nowhere 1\n")
    app = open_page("judging")
    app.text_input(key="input_who").set_value(HOSTILE).run()
    app.text_input(key="judgments_file").set_value(str(path))
    app.button[0].click().run()
    assert not app.exception
    assert "2 judgments imported" in said(app)
    assert (
        "grades above 3 are stored as 3, which can change nDCG: 1; the first is 5 of document"
        in said(app)
    )
    assert "rejected: 1 of a document that the corpus does not have" in said(app)
    assert "2 judgments by 1 person" in said(app), "what is above is not older than the import"
    given = store().current("sample")
    assert {(j.query_id, j.document_id, j.grade, j.who) for j in given} == {
        ("q054", "bern", 1, HOSTILE),
        ("q054", "the-hague", 3, HOSTILE),
    }
    app.run()
    assert app.dataframe[0].value["who"].tolist() == [HOSTILE] * 2
    compare = open_page("compare", query="q054", document="bern")
    assert "&lt;img src=x" in said(compare)
    assert "<img" not in said(compare)


def test_a_document_is_judged_in_place_and_the_judgment_is_undone() -> None:
    app = open_page("compare", query="q054", document="ecb")
    control = app.segmented_control[0]
    assert (control.options, control.value) == (["0", "1", "2", "3"], None)
    assert f"Not judged yet. You judge as {user_name()}." in said(app)
    control.select("3").run()
    assert not app.exception
    assert app.segmented_control[0].value == 3
    assert f"Relevant (grade 3): judged by {user_name()} on " in said(app)
    assert "ecb · relevant (grade 3)" in said(app)
    assert [(j.document_id, j.grade) for j in store().current("sample")] == [("ecb", 3)]
    app.button(key="compare_document_undo").click().run()
    assert app.segmented_control[0].value is None
    assert store().current("sample") == []
    explain = open_page("explain", query="q054", document="the-hague")
    assert "Relevant (grade 2): from the files of the data set." in said(explain)
    judged = explain.segmented_control[1]
    judged.select("0").run()
    assert not explain.exception
    assert "Not relevant: judged by" in said(explain)


def test_a_typed_question_gets_its_document_and_is_kept() -> None:
    text = "which river is a border"
    app = open_page("compare", text=text)
    assert "Your own question; no relevance judgments" in said(app)
    app = open_page("compare", text=text, expected="rio-grande", top_k="1")
    assert "best relevant document: base 2, modulated 2" in said(app)
    assert "outcome: ✕ ranked too low" in said(app)
    assert "has no judgment. If it answers the query" in said(app)
    app.button(key="keep_question").click().run()
    assert not app.exception
    (question,) = store().questions("sample")
    assert question.text == text
    assert catalog.dataset("sample").splits[JUDGED_SPLIT] == {question.id: {"rio-grande": 3}}
    assert f"Query {question.id} · rank of the best relevant document: base 2" in said(app)


def test_judging_a_document_of_a_typed_question_keeps_the_question() -> None:
    text = "which river is a border"
    app = open_page("compare", text=text, expected="rio-grande", document="danube-long")
    app.segmented_control[0].select("1").run()
    (question,) = store().questions("sample")
    assert [(j.query_id, j.document_id, j.grade) for j in store().current("sample")] == [
        (question.id, "rio-grande", 3),
        (question.id, "danube-long", 1),
    ]
    assert "danube-long · relevant (grade 1)" in said(app), "the document stays open"


def test_an_unknown_expected_document_in_a_link_is_ignored() -> None:
    app = open_page("compare", text="which river is a border", expected="nowhere")
    assert "Your own question; no relevance judgments" in said(app)


def test_the_table_names_judgments_that_do_not_count() -> None:
    dataset = catalog.dataset("sample")
    store().add(dataset, [("q054", "bern", 2)], "anna")
    (item,) = judging.listed("sample") or judging.listed("sample")

    rows = judgments_frame(
        [item, replace(item, changed=True), replace(item, query_id=None)], dataset
    )
    assert rows["note"].tolist() == [
        "",
        "text changed since",
        "not in the data set now; does not count",
    ]
    assert rows["document"].tolist() == ["Federal city of Bern"] * 3
    assert rows["query"].tolist()[2] == ""
    assert rows["query id"].tolist() == ["q054"] * 3


def test_a_damaged_database_is_named_on_the_page() -> None:
    app = open_page("compare", query="q054", document="ecb")
    path = caching.workspace().root / "judgments.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("damaged " * 1000)
    app.segmented_control[0].select("3").run()
    shown = " ".join(str(e.message) for e in app.exception) + said(app)
    assert "not a database" in shown
