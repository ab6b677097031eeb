"""Every page with a run as the base has the values of the engine, or says what it needs."""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.selection import Selection
from dashboard.services import background, caching, comparisons, evaluations, judging, remedies
from dashboard.services.data_sets import imports
from dashboard.services.data_sets.imports import Wanted
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.retrieval.run_ranker import ENCODER, RunRanker
from imrnns_core.storage.registry import Registration
from tests.dashboard.views.test_without_adapter import draw, shown
from tests.toys import write_dataset

RUN = (
    "q007 Q0 rio-grande 1 9.5 t\nq007 Q0 kelvin 2 9 t\nq007 Q0 costa-rican-colon 3 8 t\n"
    "q003 Q0 guatemalan-quetzal 1 4 t\nq003 Q0 nowhere 2 3 t\n"
)
WITHOUT = {
    "map": "The map needs vectors, and the run “engine” has none",
    "modulation": "Modulation needs vectors, and the run “engine” has none",
    "explain": "The explanation of a score needs vectors, and the run “engine” has none",
}
ENCODE = "make them with: imrnns-lens prepare toy --encoder all-MiniLM-L6-v2"


@pytest.fixture(autouse=True)
def _ready(fresh: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The sample has a run `engine`, and so has the data set `toy`, which has no vectors."""
    monkeypatch.setattr(background, "FIRST_PAGE_SECONDS", 0.0)
    space = caching.workspace()
    (tmp_path / "engine.run").write_text(RUN)
    space.runs.add(tmp_path / "engine.run", space.open("sample").dataset)
    queries = [{"_id": f"q{n}", "text": f"which {n}?"} for n in (1, 2, 3)]
    known = space.resolve(str(write_dataset(tmp_path / "toy", queries=queries)))
    space.register(Registration("toy", known.path, None, known.encoder, without_vectors=True))
    (tmp_path / "toy.run").write_text("q1 Q0 d2 1 2 t\nq1 Q0 d1 2 1 t\nq2 Q0 d1 1 1 t\n")
    space.runs.add(tmp_path / "toy.run", space.open("toy").dataset, "engine")


def run(page: str, **parameters: str) -> AppTest:
    app = AppTest.from_function(draw, default_timeout=120, args=(page,))
    values = {"data": "sample", "base": "engine", "query": "q007", **parameters}
    for name, value in values.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def ranker() -> RunRanker:
    space = caching.workspace()
    found = space.ranker(space.open("sample"), "run:engine")
    assert isinstance(found, RunRanker)
    return found


def test_the_selection_names_the_run_as_the_system() -> None:
    assert Selection(adapter="a").system == "a"
    assert Selection(adapter="a").run == ""
    assert Selection(adapter="a", base="engine").system == "run:engine"
    assert Selection(adapter="a", base="engine").run == "engine"


def test_overview_has_the_measures_of_the_run_and_of_the_encoder() -> None:
    app = run("overview")
    measured = evaluate(ranker(), "test")
    measures = app.dataframe[1].value.set_index("ranking")
    assert measures.loc["base"].to_dict() == pytest.approx(measured.mean("base"))
    base = caching.workspace().ranker(ranker().collection, "none")
    assert measures.loc["encoder"].to_dict() == pytest.approx(evaluate(base, "test").mean("base"))
    text = shown(app)
    assert "How good is the run “engine”?" in text
    assert "2 of 236 queries have a relevant document in the top 10" in text
    assert "The run “engine” ranks no document for 234 queries of this split" in text


def test_the_causes_of_a_run_have_remedies_without_vectors() -> None:
    tried = remedies.causes("sample", "run:engine", "test").result()
    names = {own.remedy.name for own in tried["q001"].outcomes}
    assert names >= {"reciprocal rank fusion", "base + BM25", "RM3", "ranking by the vectors"}
    assert "Rocchio" not in names
    assert tried["q001"].base_rank == 0
    assert all(tried["q001"].is_better(own) for own in tried["q001"].outcomes)
    text = shown(run("compare", query="q007"))
    assert "Causes and remedies" in text
    found = evaluations.diagnoses("sample", "run:engine", "test", 10, tried)
    ranks = {d.query_id: d.ranks for d in found}
    assert (ranks["q007"], ranks["q003"], ranks["q001"]) == ((3,), (1,), (0,))


def test_remedies_are_measured_on_the_queries_that_the_run_ranks() -> None:
    bench = remedies.measured("sample", "run:engine", "test").result()
    assert (bench.query_ids, bench.run, bench.not_ranked) == (("q003", "q007"), "engine", 234)
    assert bench.base.best_ranks.tolist() == [1, 3]
    names = {own.remedy.name: own for own in bench.measured}
    assert {"base + BM25", "ranking by the vectors"} < set(names)
    fused, alone = names["run and vectors, rank fusion"], names["ranking by the vectors"]
    encoder = caching.workspace().ranker(ranker().collection, "none")
    for i, query_id in enumerate(bench.query_ids):
        by_vectors = encoder.compare(query_id)
        assert alone.metrics.best_ranks[i] == by_vectors.best_relevant_rank("base")
        run_ids = [r.split()[2] for r in RUN.splitlines() if r.startswith(query_id)]
        points = dict[str, float]()
        for order in (run_ids, by_vectors.document_ids):
            for rank, document in enumerate((d for d in order if d != "nowhere"), 1):
                points[document] = points.get(document, 0) + 1 / (60 + rank)
        assert fused.top[query_id][0] == max(points, key=points.__getitem__)
    text = shown(run("remedies"))
    assert "The run engine ranks no document for 234 of the judged queries." in text
    assert "No remedy is shown to help" in text


def test_remedies_of_a_run_without_vectors() -> None:
    text = shown(run("remedies", data="toy", query="q1"))
    assert "What should I change first?" in text
    assert "Encode and try them" not in text


def test_compare_lists_the_run_beside_other_rankings() -> None:
    table = run("compare").dataframe[0].value.set_index("document")
    assert table["base rank"].dropna().to_dict() == {
        "rio-grande": 1,
        "kelvin": 2,
        "costa-rican-colon": 3,
    }
    assert table.loc["kelvin", "base score"] == 9.0
    base = caching.workspace().ranker(ranker().collection, "none").compare("q007")
    hit = base.hit("base", "costa-rican-colon")
    assert hit is not None
    assert table.loc["costa-rican-colon", "encoder rank"] == hit.rank
    app = run("compare", beside="encoder", document="kelvin", editing="yes", edited_query="river")
    # the texts of a run cannot be scored, and nobody is advised
    assert not {"What if?", "Advice to authors"} & {h.value for h in (*app.header, *app.subheader)}
    run("compare", where="kelvin")


def test_a_query_that_the_run_lacks_has_other_rankings() -> None:
    for parameters in ({"query": "q001"}, {"query": "", "text": "currency of Mexico"}):
        app = run("compare", **parameters)
        assert "The run “engine” ranks no document for this query" in shown(app)
        table = app.dataframe[0].value
        assert table["base rank"].isna().all()
        assert table["BM25 rank"].min() == table["encoder rank"].min() == 1


@pytest.mark.parametrize("page", WITHOUT)
def test_what_needs_vectors_says_so(page: str) -> None:
    text = shown(run(page))
    assert WITHOUT[page] in text
    assert "Choose “Encoder” as the base in the sidebar." in text
    assert "An adapter would add" not in text
    without = shown(run(page, data="toy", query="q1"))
    assert WITHOUT[page] in without
    assert ENCODE in without


@pytest.mark.parametrize("page", ["overview", "failures", "compare", "judging", "data"])
def test_pages_work_without_vectors(page: str) -> None:
    app = run(page, data="toy", query="q1")
    assert not app.error
    assert "cannot be shown" not in shown(app)


def test_queries_without_judgments_that_the_run_lacks_are_counted() -> None:
    text = shown(run("failures", data="toy", query="q1", split="unjudged"))
    assert "The run ranks no document for 1 query of this split. They are not listed." in text
    text = shown(run("overview", data="toy", query="q1", split="unjudged"))
    assert "The run “engine” ranks no document for 1 further query." in text


def test_the_page_adapters_says_that_adapters_need_vectors() -> None:
    text = shown(run("adapters", data="toy", query="q1"))
    assert "Adapters need vectors" in text
    assert ENCODE in text


def test_judging_offers_the_top_documents_of_run_bm25_and_encoder() -> None:
    offered = {
        d
        for _, d in judging.shuffled(
            judging.pool("sample", "run:engine", ["q007"]).result(), "seed"
        )
    }
    compared = comparisons.comparison("sample", "run:engine", "q007", "", frozenset())
    tops = [compared.ranking(system, 10) for system in ("base", "BM25", ENCODER)]
    assert offered == {hit.document_id for hits in tops for hit in hits}
    toy = {
        d for _, d in judging.shuffled(judging.pool("toy", "run:engine", ["q1"]).result(), "seed")
    }
    assert toy == {"d1", "d2"}


def test_a_new_version_of_the_file_is_read(tmp_path: Path) -> None:
    def top() -> str:
        caching.notice_registry()
        compared = comparisons.comparison("sample", "run:engine", "q007", "", frozenset())
        return compared.document_ids[0]

    assert top() == "rio-grande"
    (tmp_path / "engine.run").write_text("q007 Q0 kelvin 1 1 t\n")
    assert top() == "kelvin"


def _table(app: AppTest, column: str) -> pd.DataFrame:
    """Return the first table of the page that has this column."""
    return next(frame.value for frame in app.dataframe if column in frame.value)


def test_the_page_data_lists_adds_and_removes_runs(tmp_path: Path) -> None:
    app = run("data")
    frame = _table(app, "run")
    assert frame[["run", "queries", "longest ranking", "read", "rejected"]].values.tolist() == [
        ["engine", 2, 3, 4, 1]
    ]
    assert _table(app, "problem")["problem"].tolist() == [
        "of a document that the corpus does not have, so lower documents move up"
    ]
    (tmp_path / "second.csv").write_text("query,document,score\nq001,kelvin,1\n")
    app.text_input(key="run_file").set_value(str(tmp_path / "second.csv"))
    app.text_input(key="run_name").set_value("solr")
    app.button(key="add_run_button").click().run()
    assert not app.exception
    assert _table(app, "run")["run"].tolist() == ["engine", "solr"]
    app.text_input(key="run_file").set_value(str(tmp_path / "none.run"))
    app.button(key="add_run_button").click().run()
    assert "This run cannot be added" in shown(app)
    app.selectbox(key="removed_run").set_value("engine")
    app.button(key="remove_run").click().run()
    assert list(caching.workspace().runs.files("sample")) == ["solr"]
    assert _table(app, "run")["run"].tolist() == ["solr"]


def test_a_run_whose_file_is_gone_is_named_and_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "engine.run").unlink()
    app = run("data", base="encoder")
    assert "The run “engine” cannot be read" in shown(app)
    app.button(key="remove_run").click().run()
    assert caching.workspace().runs.files("sample") == {}


@pytest.mark.parametrize("encoded", [False, True])
def test_a_data_set_is_imported_with_a_run(tmp_path: Path, encoded: bool) -> None:
    folder = write_dataset(tmp_path / f"own-{encoded}")
    wanted = Wanted(str(folder), run=str(tmp_path / "toy.run"), encoded=encoded)
    assert imports.registered(wanted) is None
    job = imports.ImportJob.start(wanted.registration, wanted.run)
    deadline = time.monotonic() + 60
    while not job.finished and time.monotonic() < deadline:
        time.sleep(0.02)
    assert (job.finished, job.error) == (True, "")
    name = imports.registered(wanted)
    assert name == folder.name
    space = caching.workspace()
    assert space.runs.files(name) == {"toy": tmp_path / "toy.run"}
    assert space.open(name).has_vectors is encoded
    # the same files without the run are registered, too, but not with another choice of vectors
    assert imports.registered(Wanted(str(folder), encoded=encoded)) == name
    assert imports.registered(Wanted(str(folder), encoded=not encoded)) is None


def test_a_run_ranks_kept_questions(tmp_path: Path) -> None:
    kept = judging.keep("sample", "a question of mine", "me")
    (tmp_path / "engine.run").write_text(f"{kept} Q0 kelvin 1 1 t\n")
    caching.notice_registry()
    compared = comparisons.comparison("sample", "run:engine", kept, "", frozenset())
    assert compared.document_ids == ("kelvin",)
