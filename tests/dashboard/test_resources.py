"""What is measured once is not measured again: the same object comes back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard import jobs, resources, state
from imrnns_core.embeddings import EmbeddingMatrix
from imrnns_core.workspace import Workspace


@pytest.fixture
def fresh(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
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
    by_split = {split: resources.evaluation("sample", "sample-adapter", split, 10) for split in ("train", "dev", "test")}
    found = resources.outcomes("sample", "sample-adapter", 10)
    assert found == {q: b for measured in by_split.values() for q, b in zip(measured.query_ids, measured.buckets(), strict=True)}


def test_one_diagnosis_equals_that_of_all(fresh: None) -> None:
    found = [d for d in resources.diagnoses("sample", "sample-adapter", "dev", 10) if d.findings]
    assert len(found) > 10
    for expected in found[:10]:
        assert resources.diagnosis("sample", "sample-adapter", expected.query_id) == expected


@pytest.mark.parametrize("count", [0, 1])
def test_documents_stand_for_queries_where_there_are_none_to_average(fresh: None, monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    whole = resources.collection("sample")
    few = replace(whole, queries=EmbeddingMatrix(whole.queries.ids[:count], whole.queries.vectors[:count]))
    monkeypatch.setattr(resources, "collection", lambda data: few)
    found = resources.ranges("sample", "sample-adapter")
    assert np.isfinite(found.mean_shift).all()
    assert min(*found.shift, *found.scale, found.contribution) > 1e-6, "one query less its own mean would be nothing"


def making() -> None:
    from dashboard import state
    from dashboard.components import making_map

    state.start()
    making_map.show(10)


def test_a_second_reader_waits_for_the_same_map_and_stops_for_itself_only(
    fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started, reader = list[FakeMap](), [""]
    monkeypatch.setattr(resources, "_map_path", lambda data, adapter: tmp_path / "map.npz")
    monkeypatch.setattr(state, "session", lambda: reader[0])
    monkeypatch.setattr(jobs.MapJob, "start", lambda *_: started.append(FakeMap()) or started[-1])
    pages = {name: AppTest.from_function(making) for name in "ab"}

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
