"""Each page says what is missing where there is nothing to show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import background, caching
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.model.checkpoint import save_adapter
from tests import toys

NOT_JUDGED = "query-id\tcorpus-id\tscore\n"
ONE_DOCUMENT = [{"_id": "d1", "title": "One", "text": "first"}]


def draw(name: str) -> None:
    """Draw one page, as AppTest runs it: in a script of its own."""
    import importlib

    from dashboard import state

    state.start()
    importlib.import_module(f"dashboard.views.{name}.page").show()


def register(
    folder: Any,
    documents: Sequence[dict[str, str]] = (),
    queries: Sequence[str] = ("q1",),
    qrels: str | None = NOT_JUDGED,
    still: bool = False,
) -> None:
    """Prepare a data set “mine” with vectors of four dimensions, and an adapter “toy”."""
    data = toys.write_dataset(
        folder / "mine", documents, [{"_id": q, "text": "which?"} for q in queries] or [{}], qrels
    )
    if not queries:
        (data / "queries.jsonl").write_text("")
        (data / "qrels" / "test.tsv").unlink()
    space, vectors = caching.workspace(), folder / "vectors"
    vectors.mkdir()
    ids = tuple(d["_id"] for d in documents) or ("d1", "d2")
    save_embeddings(EmbeddingMatrix(ids, toys.letters(ids)), vectors, "documents", "document")
    asked = tuple(queries)
    found = toys.letters(asked) if asked else np.zeros((0, 4), np.float32)
    save_embeddings(EmbeddingMatrix(asked, found), vectors, "queries", "query")
    space.register(space.resolve(str(data), vectors))
    model = toys.still_model(4) if still else toys.random_model(0, 4, 4)
    save_adapter(toys.adapter(model, None, "toy"), space.root / "adapters" / "toy.safetensors")


def run(page: str, **parameters: str) -> str:
    """Draw a page of “mine”; return all that it says."""
    app = AppTest.from_function(draw, default_timeout=60, args=(page,))
    for name, value in {"data": "mine", "adapter": "toy", **parameters}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    boxes = [*app.get("html"), *app.caption, *app.header, *app.title]
    tables = [str(table.value.to_numpy().tolist()) for table in app.dataframe]
    return " ".join([*(str(box.proto) for box in boxes), *tables])


@pytest.fixture(autouse=True)
def _empty(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)


@pytest.mark.parametrize("page", ["overview", "failures", "remedies", "judging"])
def test_a_data_set_without_queries(page: str, tmp_path: Any) -> None:
    register(tmp_path, queries=())
    assert "This data set has no queries" in run(page)


def test_overview_of_one_query_and_one_without_a_relevant_document(tmp_path: Any) -> None:
    register(tmp_path, queries=("q1", "q2"), qrels="q1\td1\t2\nq2\td1\t0\n")
    said = run("overview")
    assert "1 judged query has no relevant document and is left out" in said
    assert "<br>q2<" in said
    assert said.count("At least 2 queries are needed to split a change into parts.") == 2
    # one of the two documents is judged; if both had grade 2, every order would be ideal
    assert "['base', '50 %', '0.6309', '1.0000']" in said
    assert "['change', '', '+0.0000', '+0.0000']" in said


def test_overview_of_queries_without_judgments(tmp_path: Any) -> None:
    register(tmp_path)
    shown = run("overview", split="unjudged")
    assert "These queries have no relevance judgments" in shown
    assert "Unknown without judgments" in shown


@pytest.mark.parametrize("page", ["failures", "remedies"])
def test_failures_among_queries_without_judgments(page: str, tmp_path: Any) -> None:
    register(tmp_path)
    assert "These queries have no relevance judgments" in run(page, split="unjudged")


def test_compare_of_a_query_without_judgments(tmp_path: Any) -> None:
    register(tmp_path)
    assert "Query q1 · no relevance judgments" in run("compare", query="q1")


def test_compare_without_a_relevant_document(tmp_path: Any) -> None:
    register(tmp_path, qrels=f"{NOT_JUDGED}q1\td1\t0\n")
    shown = run("compare", query="q1", where="nowhere")
    assert "Query q1 · no document is judged relevant" in shown
    assert "Causes and remedies" not in shown
    assert "No document has this id or address, and no title contains all of these words." in shown


def test_modulation_that_does_nothing_and_one_feedback_document(tmp_path: Any) -> None:
    register(tmp_path, ONE_DOCUMENT, still=True)
    shown = run("modulation", query="q1", shift="whole")
    assert "s is ½ on every dimension, so the chart has no row for s." in shown
    assert "b is 0 on every dimension, so the chart has no row for b." in shown
    shown = run("modulation", query="q1", part="query refined")
    assert "Only one document refines the query" in shown


def test_map_that_was_not_made(tmp_path: Any) -> None:
    register(tmp_path)
    shown = run("map", query="q1", view="neighbourhood")
    assert "This map does not exist yet" in shown
    assert "imrnns-lens prepare mine --adapter toy" in shown


def test_explain_without_words(tmp_path: Any) -> None:
    register(tmp_path)
    shown = run("explain", query="q1")
    assert "Words cannot be explained for this encoder and these vectors" in shown
    assert "Rank " in shown  # the account needs no words


def test_adapters_without_judgments(tmp_path: Any) -> None:
    register(tmp_path)
    shown = run("adapters", split="unjudged")
    assert "This data set has no judgments" in shown
    assert "Without judgments, it is unknown which of two rankings is better" in shown


def test_adapters_of_a_data_set_that_no_adapter_fits(tmp_path: Any) -> None:
    register(tmp_path, qrels="query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    (caching.workspace().root / "adapters" / "toy.safetensors").unlink()
    shown = run("adapters")
    assert "An adapter needs 4 dimensions" in shown
    assert "There is nothing to compare yet" in shown


def test_adapters_of_a_data_set_without_queries(tmp_path: Any) -> None:
    register(tmp_path, queries=())
    shown = run("adapters")
    assert "This data set has no judgments" in shown
    assert "This data set has no queries" in shown


def test_adapters_warns_where_one_query_is_judged(tmp_path: Any) -> None:
    register(tmp_path, qrels="query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    assert "1 judged query is too few to learn from" in run("adapters")
