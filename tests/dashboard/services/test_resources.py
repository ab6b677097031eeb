"""What is measured once is not measured again: the same object comes back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
import torch
from streamlit.testing.v1 import AppTest

from dashboard import jobs, resources, state
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from tests import toys


@pytest.fixture
def fresh(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    st.cache_resource.clear()
    space = Workspace(tmp_path_factory.mktemp("space"))
    monkeypatch.setattr(resources, "workspace", lambda: space)
    yield
    st.cache_resource.clear()


def test_a_split_is_measured_once_whatever_the_depth(fresh: None) -> None:
    chosen = ("sample", "sample-adapter", "dev")
    ten, one = resources.evaluation(*chosen, 10), resources.evaluation(*chosen, 1)
    assert resources.evaluation(*chosen, 10) is ten
    assert one.values is ten.values
    assert (one.top_k, ten.top_k) == (1, 10)
    assert one.buckets().count("failing in ranking") > ten.buckets().count("failing in ranking")
    assert resources.bm25("sample", "dev") is resources.bm25("sample", "dev")
    assert resources.shares(*chosen) is resources.shares(*chosen)
    first, again = resources.diagnoses(*chosen, 10), resources.diagnoses(*chosen, 1)
    assert all(a.findings is b.findings for a, b in zip(first, again, strict=True))
    assert [d.bucket for d in again] == one.buckets()


def test_tests_of_differences_are_made_once(fresh: None) -> None:
    measured = resources.evaluation("sample", "sample-adapter", "dev", 10)
    assert measured.significance("nDCG@10", "unseen") is measured.significance("nDCG@10", "unseen")


def test_outcomes_come_when_they_are_measured(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FIRST_PAGE_SECONDS", 60.0)
    assert resources.outcomes("sample", "sample-adapter", 10) is None
    by_split = {
        split: resources.evaluation("sample", "sample-adapter", split, 10)
        for split in ("train", "dev", "test")
    }
    found = resources.outcomes("sample", "sample-adapter", 10)
    assert found == {
        q: b
        for measured in by_split.values()
        for q, b in zip(measured.query_ids, measured.buckets(), strict=True)
    }


def test_one_diagnosis_equals_that_of_all(fresh: None) -> None:
    found = [d for d in resources.diagnoses("sample", "sample-adapter", "dev", 10) if d.findings]
    assert len(found) > 10
    for expected in found[:10]:
        assert resources.diagnosis("sample", "sample-adapter", expected.query_id) == expected


@pytest.mark.parametrize("count", [0, 1])
def test_documents_stand_for_queries_where_there_are_none_to_average(
    fresh: None, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    whole = resources.collection("sample")
    few = replace(
        whole, queries=EmbeddingMatrix(whole.queries.ids[:count], whole.queries.vectors[:count])
    )
    monkeypatch.setattr(resources, "collection", lambda data: few)
    found = resources.ranges("sample", "sample-adapter")
    assert np.isfinite(found.mean_shift).all()
    assert min(*found.shift, *found.scale, found.contribution) > 1e-6, (
        "one query less its own mean would be nothing"
    )


# Files that change, and files that cannot be read


def test_an_adapter_imported_again_under_its_name_replaces_everything_made_of_the_old(
    fresh: None, tmp_path: Path
) -> None:
    space = resources.workspace()
    first, second = (
        toys.adapter(toys.random_model(seed, 384, 384), ["d1"] * (seed + 1), "same")
        for seed in (0, 1)
    )
    target = space.root / "adapters" / "same.safetensors"
    save_adapter(first, target)
    before = resources.comparison("sample", "same", "q128", "", frozenset())
    assert resources.comparison("sample", "same", "q128", "", frozenset()) is before
    save_adapter(second, target)
    card, ranker = resources.load_adapter("same").card, resources.ranker("sample", "same")
    assert card.training_positives == ["d1", "d1"]
    assert torch.equal(ranker.adapter.model.projector.weight, second.model.projector.weight)
    after = resources.comparison("sample", "same", "q128", "", frozenset())
    np.testing.assert_array_equal(
        after.scores, Ranker(resources.collection("sample"), second).compare_id("q128").scores
    )
    assert not np.array_equal(before.scores, after.scores)
    assert resources.comparison("sample", "sample-adapter", "q128", "", frozenset()) is not before


def test_a_data_set_that_changed_on_disk_is_read_again(fresh: None, tmp_path: Path) -> None:
    space, data = resources.workspace(), toys.write_dataset(tmp_path / "mine")
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    for stem, ids in (("document", ("d1", "d2")), ("query", ("q1",))):
        plural = {"document": "documents", "query": "queries"}[stem]
        save_embeddings(EmbeddingMatrix(ids, toys.letters(ids)), vectors, plural, stem)
    space.register(space.resolve(str(data), vectors))
    assert resources.collection("mine") is resources.collection("mine")
    assert resources.collection("mine").dataset.queries["q1"].text == "which?"
    (data / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": "why?"}) + "\n")
    assert resources.collection("mine").dataset.queries["q1"].text == "why?"
    save_embeddings(EmbeddingMatrix(("q1",), np.array([[1, 0, 0, 0]])), vectors, "queries", "query")
    np.testing.assert_array_equal(resources.collection("mine").vector("q1"), [1, 0, 0, 0])


def test_one_unreadable_adapter_or_list_of_data_sets_leaves_the_rest_working(fresh: None) -> None:
    space = resources.workspace()
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
    assert resources.data_names() == ["sample"]
    (space.root / "adapters" / "broken.safetensors").unlink()
    assert resources.unreadable_adapters() == {}


def sidebar_alone() -> None:
    from dashboard import state
    from dashboard.shell import sidebar

    state.start()
    sidebar.show()


def making() -> None:
    from dashboard import state
    from dashboard.views.map import map_progress

    state.start()
    map_progress.show(10)


def test_a_second_reader_waits_for_the_same_map_and_stops_for_itself_only(
    fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started, reader = list[FakeMap](), [""]
    monkeypatch.setattr(resources, "_map_path", lambda data, adapter: tmp_path / "map.npz")
    monkeypatch.setattr(resources, "corpus_map", lambda data, adapter: None)  # the sample's ships
    monkeypatch.setattr(state, "session", lambda: reader[0])
    monkeypatch.setattr(jobs.MapJob, "start", lambda *_: started.append(FakeMap()) or started[-1])
    pages = {name: AppTest.from_function(making, default_timeout=60) for name in "ab"}

    def turn(name: str, button: str = "") -> list[str]:
        reader[0], page = name, pages[name]
        page = page.button(key=button).click().run() if button else page.run()
        assert not page.exception
        return [b.key for b in page.button]

    assert turn("a") == turn("b") == ["make_map"]
    assert turn("a", "make_map") == ["stop_map"]
    assert turn("b") == ["join_map"]
    assert turn("b", "join_map") == ["stop_map"]
    assert turn("a", "stop_map") == ["join_map"]
    assert turn("b") == ["stop_map"]
    assert [job.stopped for job in started] == [False]
    assert turn("b", "stop_map") == turn("a") == ["make_map"]
    assert [job.stopped for job in started] == [True]
    assert turn("a", "make_map") == ["stop_map"]
    started[1].finished, started[1].error = True, "no space left"
    assert turn("a") == turn("b") == ["again_map"]


@dataclass
class FakeMap:
    """A map job of which a test says what becomes of it."""

    done: float = 3.0
    total: float = 20.0
    finished: bool = False
    error: str = ""
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True
