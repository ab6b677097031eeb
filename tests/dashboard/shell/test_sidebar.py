"""The sidebar works with what can be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import navigation
from dashboard.services import caching, catalog
from dashboard.shell import tour
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.storage.workspace import Workspace
from tests import toys


def test_one_unreadable_adapter_or_list_of_data_sets_leaves_the_rest_working(fresh: None) -> None:
    space = caching.workspace()
    (space.root / "adapters").mkdir(parents=True)
    (space.root / "adapters" / "broken.safetensors").write_bytes(b"rubbish")
    (space.root / "datasets.json").write_text("{")
    app = AppTest.from_function(sidebar_alone, default_timeout=60).run()
    assert not app.exception
    shown = " ".join(str(box.proto) for box in app.get("html"))
    assert "broken" in shown
    assert "not a safetensors file" in shown
    assert "datasets.json: not a list of data sets" in shown
    assert [box.value for box in app.selectbox][:2] == ["sample", "sample-adapter"]
    assert catalog.data_names() == ["sample"]
    (space.root / "adapters" / "broken.safetensors").unlink()
    assert catalog.unreadable_adapters() == {}


def sidebar_alone() -> None:
    from dashboard import state
    from dashboard.shell import sidebar

    state.start()
    sidebar.show()


def test_zero_vectors_are_named(fresh: None, tmp_path: Path) -> None:
    space, vectors = caching.workspace(), tmp_path / "vectors"
    vectors.mkdir()
    documents = toys.letters(("d1", "d2"))
    documents[1] = 0
    save_embeddings(EmbeddingMatrix(("d1", "d2"), documents), vectors, "documents", "document")
    save_embeddings(EmbeddingMatrix(("q1",), toys.letters(("q1",))), vectors, "queries", "query")
    space.register(space.resolve(str(toys.write_dataset(tmp_path / "mine")), vectors))
    app = AppTest.from_function(sidebar_alone, default_timeout=60)
    app.query_params["data"] = "mine"
    app.run()
    assert "1 of 2 document vectors are zero, the first one of" in " ".join(
        str(box.proto) for box in app.get("html")
    )


def register_mine(tmp_path: Path) -> Workspace:
    """Register two documents and a query with four dimensions as “mine”."""
    space, vectors = caching.workspace(), tmp_path / "vectors"
    vectors.mkdir()
    for stem, plural, ids in (
        ("document", "documents", ("d1", "d2")),
        ("query", "queries", ("q1",)),
    ):
        save_embeddings(EmbeddingMatrix(ids, toys.letters(ids)), vectors, plural, stem)
    space.register(space.resolve(str(toys.write_dataset(tmp_path / "mine")), vectors))
    return space


def test_a_data_set_without_a_fitting_adapter_opens_without_one(
    fresh: None, tmp_path: Path
) -> None:
    register_mine(tmp_path)
    app = AppTest.from_function(sidebar_alone, default_timeout=60)
    app.query_params["data"] = "mine"
    app.run()
    assert not app.exception
    assert [box.value for box in app.selectbox] == ["mine", "none", "q1"]
    assert app.selectbox[1].options == ["None (base only)"]
    assert "Base ranking only. The pages show it beside BM25." in [c.value for c in app.caption]


@pytest.mark.parametrize(("trained_on", "opens_with"), [("elsewhere", "none"), ("mine", "toy")])
def test_own_data_opens_with_an_adapter_only_if_it_was_trained_on_it(
    fresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained_on: str, opens_with: str
) -> None:
    space = register_mine(tmp_path)
    adapter = toys.adapter(toys.random_model(0, 4, 4), None, "toy")
    save_adapter(
        replace(adapter, card=replace(adapter.card, dataset=trained_on)),
        space.root / "adapters" / "toy.safetensors",
    )
    # the data set that `imrnns-lens dashboard mine` opens, and that of a link
    for name, parameters in (("mine", {}), ("", {"data": "mine"})):
        if name:
            monkeypatch.setenv("IMRNNS_DATA", name)
        app = AppTest.from_function(sidebar_alone, default_timeout=60)
        for key, value in parameters.items():
            app.query_params[key] = value
        app.run()
        assert not app.exception
        assert [box.value for box in app.selectbox][:2] == ["mine", opens_with]
        assert set(app.selectbox[1].options) == {"toy", "None (base only)"}


def test_an_adapter_opens_first_and_none_is_the_last_choice(fresh: None) -> None:
    app = AppTest.from_function(sidebar_alone, default_timeout=60)
    app.query_params["data"] = "sample"
    app.run()
    assert app.selectbox[1].value == "sample-adapter"
    assert app.selectbox[1].options == ["sample-adapter", "sample-paper", "None (base only)"]


def test_a_data_set_without_queries_says_so_on_the_page(fresh: None, tmp_path: Path) -> None:
    space, vectors = caching.workspace(), tmp_path / "vectors"
    vectors.mkdir()
    ids = ("d1", "d2")
    save_embeddings(EmbeddingMatrix(ids, toys.letters(ids)), vectors, "documents", "document")
    save_embeddings(EmbeddingMatrix((), np.zeros((0, 4), np.float32)), vectors, "queries", "query")
    data = toys.write_dataset(tmp_path / "mine")
    (data / "queries.jsonl").write_text("")
    for judged in (data / "qrels").glob("*.tsv"):
        judged.unlink()
    space.register(space.resolve(str(data), vectors))
    save_adapter(
        toys.adapter(toys.random_model(0, 4, 4), None, "toy"),
        space.root / "adapters" / "toy.safetensors",
    )
    app = AppTest.from_function(sidebar_alone, default_timeout=60)
    app.query_params["data"] = "mine"
    app.run()
    assert not app.exception
    assert "This data set has no queries" in str([box.proto for box in app.main.get("html")])


def step_through_a_list() -> None:
    from dashboard import state
    from dashboard.shell import query_choice

    state.start()
    state.update(query="q005", text="")
    state.follow(["q100", "q005", "q050"])
    steps = []
    for by in (1, 1, -1, -1):
        query_choice.step(by)
        steps.append(state.current().query)
    assert steps == ["q050", "q100", "q050", "q005"], steps
    state.update(query="q007")  # not in the list: all queries, in the order of the file
    query_choice.step(1)
    assert state.current().query == "q008"
    assert state.followed_list() == ()


def step_from_a_typed_question() -> None:
    from dashboard import state
    from dashboard.services import catalog
    from dashboard.shell import query_choice

    state.start()
    ids = list(catalog.dataset("sample").queries)
    for by, expected in ((1, ids[0]), (-1, ids[-1])):
        state.update(query="", text="which?")
        query_choice.step(by)
        assert state.current().query == expected, by


def test_from_a_typed_question_j_goes_to_the_first_query_and_k_to_the_last(fresh: None) -> None:
    app = AppTest.from_function(step_from_a_typed_question, default_timeout=60).run()
    assert not app.exception


def test_the_tour_follows_the_menu_from_the_start_page() -> None:
    menu, first = list(navigation.PAGES), list(navigation.PAGES).index(navigation.START)
    assert [page for page, _ in tour.STEPS] == menu[first:] + menu[:first]


def test_next_and_previous_follow_the_list_that_a_query_was_opened_from(fresh: None) -> None:
    app = AppTest.from_function(step_through_a_list, default_timeout=60).run()
    assert not app.exception


def sidebar_with_address() -> None:
    from dashboard import state
    from dashboard.shell import sidebar

    state.start()
    sidebar.show()
    state.write_url()


def opened(**parameters: str) -> AppTest:
    app = AppTest.from_function(sidebar_with_address, default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_the_base_can_be_chosen_once_there_is_a_run(fresh: None, tmp_path: Path) -> None:
    space = caching.workspace()
    assert "Base" not in [box.label for box in opened(data="sample").selectbox]
    (tmp_path / "solr.run").write_text("q001 Q0 kelvin 1 1 t\n")
    space.runs.add(tmp_path / "solr.run", space.open("sample").dataset)
    app = opened(data="sample", adapter="sample-adapter")
    base = next(box for box in app.selectbox if box.label == "Base")
    assert (base.value, base.options) == ("encoder", ["Encoder (vectors)", "Run: solr"])
    base.set_value("solr").run()
    assert app.query_params["base"] == "solr"
    assert "Adapter" not in [box.label for box in app.selectbox]
    assert "Adapters need the vectors" in " ".join(box.value for box in app.caption)
    # the adapter is back with the encoder
    next(box for box in app.selectbox if box.label == "Base").set_value("encoder").run()
    assert next(b for b in app.selectbox if b.label == "Adapter").value == "sample-adapter"


def test_a_link_with_an_unknown_run_opens_the_encoder(fresh: None) -> None:
    app = opened(data="sample", base="gone")
    assert "This data set has no run “gone”" in " ".join(str(box.proto) for box in app.get("html"))
    assert app.selectbox[1].label == "Adapter"


def test_without_vectors_and_runs_the_page_says_what_to_do(fresh: None, tmp_path: Path) -> None:
    space = caching.workspace()
    known = space.resolve(str(toys.write_dataset(tmp_path / "mine")))
    space.register(replace(known, without_vectors=True))
    app = opened(data="mine")
    shown = " ".join(str(box.proto) for box in app.get("html"))
    assert "This data set has neither vectors nor a run" in shown
    assert "imrnns-lens prepare mine --encoder all-MiniLM-L6-v2" in shown
    (tmp_path / "own.run").write_text("q1 Q0 d2 1 1 t\n")
    space.runs.add(tmp_path / "own.run", space.open("mine").dataset)
    app = opened(data="mine")
    assert next(box for box in app.selectbox if box.label == "Base").value == "own"
