"""What if? and the advice to authors on Compare: what is computed, and for which document."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import background, catalog, explanations, remedies
from imrnns_core.config import NO_ADAPTER
from imrnns_core.errors import EncoderError
from imrnns_core.explanation.pair import rescore
from imrnns_core.reporting.causes import advice_lines
from tests.dashboard.views.test_without_adapter import run, shown

SAMPLE = {"adapter": "sample-adapter", "query": "q749"}
QUERY = "the drink that killed Socrates"


@pytest.fixture(autouse=True)
def _ready(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)


def outcome(app: AppTest) -> dict[str, str]:
    """Return stage → ranks in the table of the edited texts."""
    (table,) = [box.proto.body for box in app.get("html") if "<th>rank</th>" in box.proto.body]
    cells = [re.findall("<td>(.*?)</td>", row) for row in table.split("<tr>")]
    return {own[0]: own[1] for own in cells if own}


def headings(app: AppTest) -> set[str]:
    return {box.value for box in (*app.header, *app.subheader)}


def test_a_closed_section_encodes_and_explains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any) -> None:
        raise AssertionError

    for name in ("word_drops", "pair", "explainer"):
        monkeypatch.setattr(explanations, name, never)
    app = run("compare", **SAMPLE)
    assert "What if?" in headings(app)
    assert not app.text_area


def test_the_best_relevant_document_is_edited_unless_another_one_is_selected() -> None:
    app = run("compare", editing="yes", **SAMPLE)
    assert outcome(app) == {
        "base": "27 → 27",
        "projected": "46 → 46",
        "document-modulated": "43 → 43",
        "modulated": "52 → 52",
    }
    assert "Document: “Conium maculatum”. Click a card to edit another one." in [
        box.value for box in app.text
    ]
    other = run("compare", editing="yes", document="hemlock-trees", **SAMPLE)
    assert outcome(other)["base"] == "14 → 14"
    # without a relevant candidate, the first one
    app = run("compare", editing="yes", adapter="sample-adapter", query="q708")
    assert outcome(app)["modulated"] == "1 → 1"


def test_an_edited_query_has_the_ranks_of_the_engine_also_in_the_whole_corpus() -> None:
    ranker = catalog.ranker("sample", "corpus:sample-adapter")
    compared = ranker.compare("q749")
    vector = ranker.collection.encode(QUERY)
    edited = ranker.with_ranks(rescore(compared, ranker.model, vector))
    at = compared.position["poison-hemlock"]
    app = run("compare", edited_query=QUERY, scope="corpus", **SAMPLE)
    assert outcome(app) == {
        stage: f"{compared.rank(stage)[at]} → {edited.rank(stage)[at]}" for stage in edited.stages
    }
    assert outcome(app)["base"] == "27 → 1"


def test_an_edited_document_is_edited_only_while_it_is_selected() -> None:
    text = "Poison hemlock"
    app = run("compare", document="poison-hemlock", edited_document=text, **SAMPLE)
    assert outcome(app)["base"] == "27 → 1"
    assert [box.value for box in app.text_area][1] == text
    # a link without the document
    app = run("compare", edited_document=text, **SAMPLE)
    assert outcome(app)["base"] == "27 → 27"
    app.text_area[1].set_value(text).run()
    assert outcome(app)["base"] == "27 → 1"
    assert app.query_params["document"] == "poison-hemlock"
    assert app.query_params["edited_document"] == text
    app.text_area[1].set_value(" ").run()
    assert "An empty text cannot be scored" in shown(app)
    assert outcome(app)["base"] == "27 → 27"
    assert "edited_document" not in app.query_params


def test_the_switch_closes_the_editors_and_keeps_the_edit() -> None:
    app = run("compare", edited_query=QUERY, **SAMPLE)
    app.toggle(key="input_editing").set_value(False).run()
    assert not app.text_area
    app.toggle(key="input_editing").set_value(True).run()
    assert app.text_area[0].value == QUERY


def test_texts_that_cannot_be_encoded_are_not_edited(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise EncoderError("no encoder is at hand")

    monkeypatch.setattr(explanations, "explainer", fail)
    app = run("compare", editing="yes", **SAMPLE)
    assert "no encoder is at hand" in shown(app)
    assert not app.text_area


def test_explain_leads_to_the_editors() -> None:
    app = run("explain", edited_query=QUERY, **SAMPLE)
    assert not app.text_area
    assert "What if?" not in headings(app)
    assert app.button(key="edit_texts").label == "Edit the texts on Compare"


@pytest.mark.parametrize("adapter", [NO_ADAPTER, "sample-adapter"])
def test_advice_is_below_the_causes_and_has_the_ranks_of_the_engine(adapter: str) -> None:
    app = run("compare", query="q749", adapter=adapter)
    job = remedies._advice(
        "sample", adapter, "q749", "", frozenset(), frozenset(["poison-hemlock"])
    )
    advice = job.result()
    assert advice is not None
    assert (advice.modulated is None) == (adapter == NO_ADAPTER)
    text = html.unescape(shown(app))
    for line in advice_lines(advice, "Conium maculatum"):
        assert line in text
    assert "Advice to authors" in headings(app)
    # of the causes, there is still none
    assert "No cause is shown" in text


@pytest.mark.parametrize("fault", ["encoder", "endpoint", "not better"])
def test_without_advice_nothing_is_said(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise EncoderError("no encoder is at hand")

    if fault == "encoder":
        monkeypatch.setattr(remedies, "advise", fail)
    elif fault == "endpoint":
        monkeypatch.setattr(remedies, "is_endpoint", lambda _: True)
    app = run("compare", query="q898" if fault == "not better" else "q749", adapter=NO_ADAPTER)
    assert "Advice to authors" not in headings(app)
    assert "no encoder is at hand" not in shown(app)
    assert "Causes and remedies" in headings(app)
