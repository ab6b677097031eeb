"""Judge these ten, without a browser: what is offered, and what the page says of the change."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import background, caching, catalog, judging_ten
from dashboard.services.judging_ten import Ten
from dashboard.views.remedies import judge_ten
from imrnns_core.config import NO_ADAPTER, SAMPLE, SAMPLE_ADAPTER
from imrnns_core.data.dataset import Dataset
from tests.toys import collection

ENDS = re.compile(r"; ([+−]\d\.\d{4}) to ([+−]\d\.\d{4}), whatever grades the ([\d,]+) unjudged")


@pytest.fixture(autouse=True)
def _fresh(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)


def draw() -> None:
    from dashboard import state
    from dashboard.views.remedies import page

    state.start()
    page.show()


def open_page(**parameters: str) -> AppTest:
    app = AppTest.from_function(draw, default_timeout=120)
    chosen = {"data": SAMPLE, "adapter": NO_ADAPTER, "remedy": "base + BM25", **parameters}
    for name, value in chosen.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return " ".join(str(box.proto) for box in [*app.get("html"), *app.caption, *app.header])


def ten_of(app: AppTest) -> Ten:
    ten: Ten = app.session_state["open_ten"].job.result()
    return ten


def ends(app: AppTest) -> tuple[float, float, int]:
    found = ENDS.search(said(app))
    assert found
    low, high, unjudged = (text.replace("−", "-").replace(",", "") for text in found.groups())
    return float(low), float(high), int(unjudged)


def judge(pairs: list[tuple[str, str]], grade: int = 0) -> None:
    caching.judgments().add(catalog.dataset(SAMPLE), [(*pair, grade) for pair in pairs], "anna")
    caching.notice_judgments()


def test_the_range_and_ten_unjudged_pairs_of_the_chosen_remedy() -> None:
    app = open_page()
    assert "Is “base + BM25” better than the base ranking on these 236 queries?" in said(app)
    assert judge_ten.OPEN in said(app)
    assert "Mean change of nDCG@10: +0.0652 if unjudged documents are not relevant" in said(app)
    assert "Before these ten" not in said(app)
    low, high, unjudged = ends(app)
    assert low < 0 < 0.0652 < high
    pairs = ten_of(app).pairs
    judged = catalog.dataset(SAMPLE).splits["test"]
    assert len(set(pairs)) == 10
    assert all(document not in judged[query] for query, document in pairs)
    assert unjudged > 1000
    assert "Is “RM3” better" in said(open_page(remedy="RM3"))


def test_with_an_adapter_its_ranking_is_compared() -> None:
    app = open_page(adapter=SAMPLE_ADAPTER)
    assert "Is the modulated ranking better than the base ranking on these 236" in said(app)
    assert "Mean change of nDCG@10: +0.0844 if" in said(app)


def test_judgments_narrow_the_range_and_the_next_ten_are_others() -> None:
    app = open_page()
    ten, before = ten_of(app), ends(app)
    judge(list(ten.pairs[:4]))
    app.run()  # the remedies are measured again; the same documents go on
    low, high, unjudged = ends(app)
    assert ten_of(app) is ten
    assert before[0] <= low < high <= before[1]
    assert high - low < before[1] - before[0]
    assert unjudged == before[2] - 4
    assert "Before these ten: −0." in said(app)
    judge(list(ten.pairs[4:]))
    app.run()
    assert judge_ten.DONE[0] in said(app)
    app.button(key="next_ten").click().run()
    assert not app.exception
    following = ten_of(app)
    assert not set(following.pairs) & set(ten.pairs)
    assert following.before.unjudged == before[2] - 10
    assert "Before these ten" not in said(app)


def test_the_page_says_when_the_sign_is_certain() -> None:
    ten = ten_of(open_page())
    judged = catalog.dataset(SAMPLE).splits["test"]
    rankings = zip(ten.rankings.query_ids, ten.rankings.documents, strict=True)
    judge([(q, d) for q, documents in rankings for d in documents if d not in judged[q]])
    app = open_page()
    assert judge_ten.CERTAIN[True] in said(app)
    assert ten_of(app).pairs == ()
    assert judge_ten.NOTHING_LEFT[0] in said(app)
    assert "+0.0652 if unjudged documents are not relevant; +0.0652 to +0.0652" in said(app)


def test_a_split_without_negative_judgments_offers_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def data(qrels: dict[str, dict[str, int]]) -> Dataset:
        return collection([[1, 0], [0, 1]], [[1, 0]], qrels).dataset

    cases = [({"q0": {"d0": 1}}, False), ({"q0": {"d0": 1, "d1": 0}}, True)]
    for qrels, offered in cases:
        monkeypatch.setattr(catalog, "dataset", lambda _, own=qrels: data(own))
        assert judging_ten.is_offered("toy", "test") is offered
    by_people = data({"q0": {"d0": 1}}).with_people([], {"q0": {"d1": 2}})
    monkeypatch.setattr(catalog, "dataset", lambda _: by_people)
    assert judging_ten.is_offered("toy", "test")
    assert not judging_ten.is_offered("toy", "no such split")


def test_the_section_is_left_out_where_nobody_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judging_ten, "is_offered", lambda *_: False)
    app = open_page()
    assert judge_ten.TITLE not in said(app)
    assert "open_ten" not in app.session_state
