"""Pages with an adapter that ranks the whole corpus have the values of the engine."""

from __future__ import annotations

import pytest

from dashboard.selection import Selection, parameters, parse
from dashboard.services import background, caching, catalog, comparisons, judging, maps
from imrnns_core.config import NO_ADAPTER
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.reporting.change_lines import certainty_line, scope_line
from tests.dashboard.views.test_without_adapter import run, shown
from tests.toys import adapter, random_model

WIDE = {"adapter": "random", "scope": "corpus"}
KEY = ("sample", "corpus:random")


@pytest.fixture(autouse=True)
def _ready(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter that has little in common with the base, so that it finds other documents."""
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)
    folder = caching.workspace().root / "adapters"
    save_adapter(adapter(random_model(7, 384, 32), name="random"), folder / "random.safetensors")


def test_a_link_keeps_the_scope() -> None:
    selection = Selection(data="sample", adapter="a", scope="corpus")
    assert parameters(selection)["scope"] == "corpus"
    assert parse(parameters(selection)) == selection
    assert parse({"scope": "everything"}).scope == "candidates"
    assert selection.system == "corpus:a"
    # a run, and the base alone, have no scope
    assert Selection(adapter="a", scope="corpus", base="mine").system == "run:mine"
    assert Selection(adapter=NO_ADAPTER, scope="corpus").system == NO_ADAPTER


def test_compare_shows_the_ranking_of_the_corpus_and_its_certainty() -> None:
    compared = comparisons.comparison(*KEY, "q128", "", frozenset())
    assert compared.certainty is not None
    text = shown(run("compare", query="q128", **WIDE))
    assert certainty_line(compared.certainty) in text
    assert "of the whole corpus" in text
    assert "cosine without an adapter" not in text
    narrow = shown(run("compare", query="q128", adapter="random"))
    assert "The modulated top" not in narrow


def test_compare_gives_the_ranks_of_a_relevant_document_outside_the_candidates() -> None:
    ranker = catalog.ranker("sample", "random")
    compared = ranker.compare("q128")
    outside = next(i for i in ranker.collection.documents.ids if i not in compared.position)
    judging.writer("sample", "anna").store(("q128", outside), 3)
    caching.notice_judgments()
    ranks = ranker.corpus_ranks(compared, outside)
    app = run("compare", query="q128", adapter="random")
    (line,) = [t.value for t in app.text if "is not among the candidates" in t.value]
    named = f"base rank is {ranks['base']:,} and its modulated rank is {ranks['modulated']:,}"
    assert named in line
    assert ("the adapter finds it." in line) == (ranks["modulated"] <= 100)


def test_only_base_candidates_can_be_excluded() -> None:
    compared = comparisons.comparison(*KEY, "q128", "", frozenset())
    (choice,) = run("compare", query="q128", **WIDE).multiselect
    assert len(choice.options) == len(compared.candidate_ids) == 100
    assert len(compared.document_ids) == 200


@pytest.mark.parametrize("page", ["explain", "modulation"])
@pytest.mark.parametrize("part", ["documents moved", "query refined", "score accounting"])
def test_other_pages_show_a_document_outside_the_candidates(page: str, part: str) -> None:
    compared = comparisons.comparison(*KEY, "q128", "", frozenset())
    outside = next(
        hit.document_id
        for hit in compared.ranking("modulated")
        if hit.document_id not in compared.candidate_ids
    )
    run(page, query="q128", document=outside, part=part, **WIDE)


def test_overview_measures_the_ranking_of_the_corpus() -> None:
    measured = evaluate(catalog.ranker(*KEY), "test")
    text = shown(run("overview", split="test", **WIDE))
    assert scope_line(measured.batch) in text
    assert maps._key(*KEY) == maps._key("sample", "random")
