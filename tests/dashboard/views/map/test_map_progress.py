"""Several readers of one map that is being made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.services import (
    maps,
)
from dashboard.services.map_job import MapJob


def making() -> None:
    from dashboard import state
    from dashboard.views.map import map_progress

    state.start()
    map_progress.show(10)


def test_a_second_reader_waits_for_the_same_map_and_stops_for_itself_only(
    fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    started, reader = list[FakeMap](), [""]
    monkeypatch.setattr(maps, "_path", lambda data, adapter: tmp_path / "map.npz")
    monkeypatch.setattr(maps, "corpus_map", lambda data, adapter: None)  # the sample's ships
    monkeypatch.setattr(state, "session", lambda: reader[0])
    monkeypatch.setattr(MapJob, "start", lambda *_: started.append(FakeMap()) or started[-1])
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
    assert turn("a") == ["again_map"]
    assert turn("b") == ["make_map"]  # b did not wait for it


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
