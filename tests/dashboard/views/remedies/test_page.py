"""What the page Remedies says and lists."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.selection import Selection
from dashboard.services import catalog, remedies
from dashboard.views.remedies import queries
from imrnns_core.config import NO_ADAPTER, SAMPLE
from imrnns_core.remedies.bench import Bench


def draw() -> None:
    from dashboard import state
    from dashboard.views.remedies import page

    state.start()
    page.show()


@pytest.fixture
def bench(fresh: None) -> Bench:
    job = remedies.measured(SAMPLE, NO_ADAPTER, "test")
    for _ in range(600):
        if job.finished:
            break
        time.sleep(0.1)
    return job.result()


def texts(**parameters: str) -> str:
    app = AppTest.from_function(draw, default_timeout=60)
    for name, value in {"data": SAMPLE, "adapter": NO_ADAPTER, **parameters}.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    boxes = [*app.get("html"), *app.caption, *app.subheader]
    return " ".join(str(box.proto) for box in boxes)


def test_the_page_says_what_to_change_first(bench: Bench) -> None:
    said = texts()
    # the adapters of the data set are tried although none is chosen
    assert "On 134 of the 236 queries (those whose judgments the training of no" in said
    assert "It fixes 1 of these queries and breaks 0." in said
    assert "What “adapter sample-adapter” fixes and breaks" in said
    assert "What “RM3” fixes and breaks" in texts(remedy="RM3")
    assert "What “adapter sample-adapter” fixes and breaks" in texts(remedy="no such remedy")


def test_titles_and_passages_are_encoded_on_request(bench: Bench) -> None:
    assert "1,386 texts are encoded" in texts()
    remedies.encode(SAMPLE).result()
    again = remedies.measured(SAMPLE, NO_ADAPTER, "test").result()
    names = {own.remedy.name for own in again.measured}
    assert names - {own.remedy.name for own in bench.measured} == {
        *("titles left out", "titles twice", "passages"),
    }
    assert "texts are encoded" not in texts()


def test_fixed_and_broken_queries_have_their_ranks(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "current", lambda: Selection(data=SAMPLE))
    fusion = next(t for t in bench.tests["all"] if t.measured.remedy.name.startswith("reciprocal"))
    rows = queries.changed(bench, fusion)
    assert [row.effect for row in rows] == ["fixed"] * 6 + ["broken"] * 10
    asked = catalog.dataset(SAMPLE).queries
    for row in rows:
        assert (1 <= row.remedy <= 10) == (row.effect == "fixed")
        assert (1 <= row.base <= 10) == (row.effect == "broken")
        assert row.query == asked[row.id].text
