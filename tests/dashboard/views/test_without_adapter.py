"""Every page without an adapter has the values of the engine, and says what an adapter adds."""

from __future__ import annotations

import html
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.services import background, caching, evaluations, remedies
from imrnns_core.config import NO_ADAPTER
from imrnns_core.data.records import Query
from imrnns_core.evaluation.baseline_rankings import measure_baselines
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.reporting.causes import NONE, cause_lines
from imrnns_core.retrieval.hybrid import LEXICAL, RANK_FUSION, Hybrid
from imrnns_core.retrieval.ranker import Ranker

PAGES = ("overview", "failures", "remedies", "compare", "modulation", "map", "explain")


def draw(name: str) -> None:
    """Draw one page, as AppTest runs it: in a script of its own."""
    import importlib

    from dashboard import state

    state.start()
    importlib.import_module(f"dashboard.views.{name}.page").show()


@pytest.fixture(autouse=True)
def _ready(fresh: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)


@pytest.fixture
def base() -> Ranker:
    space = caching.workspace()
    return Ranker(space.open(space.resolve("sample")))


def run(page: str, **parameters: str) -> AppTest:
    app = AppTest.from_function(draw, default_timeout=120, args=(page,))
    values = {"data": "sample", "adapter": NO_ADAPTER, "query": "q128", **parameters}
    for name, value in values.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    boxes = [*app.get("html"), *app.caption, *app.header, *app.title]
    return " ".join(str(box.proto) for box in boxes)


def test_a_link_to_the_effective_query_shows_another_view() -> None:
    said = shown(run("map", view="effective"))
    assert "Before and after" not in said
    assert "cannot be shown" not in said


@pytest.mark.parametrize("page", PAGES)
def test_each_page_says_what_an_adapter_would_add_and_how_to_train_one(page: str) -> None:
    text = shown(run(page))
    assert text.count("An adapter would add") == 1
    assert "imrnns-lens train DATA --out NAME.safetensors" in text


@pytest.mark.parametrize("page", ["compare", "overview", "failures"])
def test_with_an_adapter_nothing_is_said_about_training_one(page: str) -> None:
    assert "An adapter would add" not in shown(run(page, adapter="sample-adapter"))


def test_overview_compares_the_base_with_systems_that_need_no_training(base: Ranker) -> None:
    app = run("overview")
    index = caching.workspace().lexical_index(base.collection.dataset)
    measured = evaluate(base, "test", lexical=index)
    expected = measure_baselines(measured, base.collection, index)
    measures = app.dataframe[1].value.set_index("ranking")
    assert measures.loc["base"].to_dict() == pytest.approx(measured.mean("base"))
    assert measures.loc["BM25"].to_dict() == pytest.approx(measured.means()["bm25"])
    tests = app.dataframe[0].value.set_index("ranking")
    for row in expected.tests(expected.fair)[:2]:
        assert tests.loc[row.baseline.name, "difference"] == pytest.approx(row.test.change)
    found = measured.outcomes().count("found")
    assert f"{found} of 236 queries have a relevant document in the top 10" in shown(app)


def test_failures_begin_with_queries_of_which_nothing_was_retrieved(base: Ranker) -> None:
    from dashboard.services import catalog
    from dashboard.views.failures import frames
    from imrnns_core.remedies.causes import worst_ranks_first

    run("failures")
    measured = evaluations.evaluation("sample", NO_ADAPTER, "test", 10)
    tried = remedies.causes("sample", NO_ADAPTER, "test").result()
    rows = worst_ranks_first(evaluations.diagnoses("sample", NO_ADAPTER, "test", 10, tried))
    frame = frames.judged_queries(rows, catalog.dataset("sample"), measured, "test")
    assert {"base", "BM25", "cause", "remedy"} <= set(frame)
    before = evaluations.diagnoses("sample", NO_ADAPTER, "test", 10, None)
    untried = frames.judged_queries(before, catalog.dataset("sample"), measured, "test")
    assert set(frame) - set(untried) == {"cause", "remedy"}
    assert not {"modulated", "nDCG change", "group"} & set(frame)
    ranks = [
        10**6 if rank is None else rank
        for rank in frame["base"].astype(object).where(frame["base"].notna(), None)
    ]
    assert ranks == sorted(ranks, reverse=True)
    assert frame["outcome"].iloc[0] == "∅ not retrieved"


def test_compare_lists_ranks_of_base_fusion_and_bm25(base: Ranker) -> None:
    table = run("compare").dataframe[0].value.set_index("document")
    compared = base.compare("q128")
    index = caching.workspace().lexical_index(base.collection.dataset)
    hybrid = Hybrid.of(base.collection, compared, index).add_to(compared)
    for system in ("base", RANK_FUSION, LEXICAL):
        hit = hybrid.hit(system, "rio-grande")
        assert hit is not None
        assert table.loc["rio-grande", f"{system} rank"] == hit.rank
    only_bm25 = set(hybrid.rankings[LEXICAL].document_ids) - set(hybrid.document_ids)
    assert only_bm25 <= set(table.index)


def test_compare_scores_an_edited_query_by_the_base(base: Ranker) -> None:
    text = "Chamizal river border"
    app = run("compare", document="rio-grande", edited_query=text)
    expected = float(
        base.collection.encode(text)
        @ base.collection.unit_documents[base.collection.documents.row["rio-grande"]]
    )
    assert f"→ {expected:.4f} (" in shown(app)
    assert "Edited query: words behind the base score" in shown(app)
    assert "Words behind the base score" in shown(run("explain", document="rio-grande"))


def test_map_draws_the_candidates_without_movement(base: Ranker) -> None:
    app = run("map")
    table: Any = app.dataframe[0].value
    assert {"base rank", "BM25 rank"} <= set(table)
    assert "true movement" not in table
    assert table["base rank"].iloc[:3].tolist() == [1, 2, 3]


def test_a_typed_question_with_its_expected_document_has_ranks_and_causes(base: Ranker) -> None:
    """Of one document in the ranking, and of one that the base retriever does not return."""
    text = "Which money do people in Manila pay with?"
    compared = base.compare(Query("", text))
    retrieved = compared.ranking("base", top_k=20)[14].document_id
    outside = base.corpus_ranks(compared, "rio-grande")["base"]
    assert (len(compared.document_ids), outside) == (100, 108)
    for expected, rank in ((retrieved, 15), ("rio-grande", None)):
        app = run("compare", query="", text=text, expected=expected, where=expected, shown="20")
        key = ("sample", NO_ADAPTER, "", text, frozenset([expected]))
        found = remedies.of_query(*key).result()
        assert found.base_rank == (rank or 0)
        page = html.unescape(shown(app))
        for cause, effects in cause_lines(found) or [("No cause is shown", NONE)]:
            assert cause.capitalize() in page
            assert effects.replace("\n", "<br>") in page
        assert f"rank of the best relevant document: base {rank or '—'}" in page
        if rank is None:
            assert "1 relevant document, not retrieved" in page
            assert f"<td>{outside}</td>" in page
        assert app.selectbox(key="input_shown").value == 20
