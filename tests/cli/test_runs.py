"""Runs in the commands: added by `prepare`, the base of `evaluate` and `search`, and exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imrnns_core.cli.app import app as cli
from imrnns_core.errors import LensError
from tests.toys import write_dataset

DOCUMENTS = [
    {"_id": "d1", "title": "VPN", "text": "open a ticket for access"},
    {"_id": "d2", "title": "Leave", "text": "sixteen weeks after a birth"},
    {"_id": "a b", "title": "Meals", "text": "receipts of a lunch"},
]
QUERIES = [
    {"_id": "q1", "text": "baby leave"},
    {"_id": "q2", "text": "lunch receipts"},
    {"_id": "q3", "text": "a ticket"},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\td2\t1\nq2\ta b\t2\nq3\td1\t1\n"
TREC = "q1 Q0 d1 1 7.25 x\nq1 Q0 d2 2 3 x\nq2 Q0 a%20b 1 1 x\nq2 Q0 d9 2 0.5 x\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    write_dataset(tmp_path / "toy", DOCUMENTS, QUERIES, QRELS)
    (tmp_path / "engine.run").write_text(TREC)
    return tmp_path


def run(*arguments: object) -> None:
    assert not cli([str(a) for a in arguments], standalone_mode=False)


@pytest.fixture
def prepared(folder: Path) -> Path:
    run("prepare", folder / "toy", "--no-vectors", "--run", folder / "engine.run")
    return folder


def test_prepare_says_what_was_read(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("prepare", folder / "toy", "--no-vectors", "--run", f"solr={folder / 'engine.run'}")
    printed = capsys.readouterr().out.splitlines()
    assert printed[3:] == [
        "toy: 3 documents, 3 queries, no vectors; judged splits: test (3)",
        f"{folder / 'engine.run'}: 3 of 4 ranked documents, 1 rejected (query-id = 1, document = "
        "3, rank = 4, score = 5)",
        "  ranks documents for 2 of the 3 queries of the data set; for the others, it retrieves "
        "nothing",
        "  rejected: 1 of a document that the corpus does not have, so lower documents move up; "
        "the first is in line 4 (d9)",
        "run solr: ready as the base for 2 queries: --base solr",
    ]
    assert not (folder / "workspace" / "vectors").exists()
    registered = json.loads((folder / "workspace" / "datasets.json").read_text())["toy"]
    assert registered["without_vectors"] is True


def test_evaluate_measures_the_run(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("evaluate", "toy", "--base", "engine", "--json", prepared / "x.json")
    record = json.loads((prepared / "x.json").read_text())
    assert (record["run"], record["adapter"]) == ("engine", None)
    ranks = {q["query_id"]: q["best_relevant_rank"]["base"] for q in record["queries"]}
    assert ranks == {"q1": 2, "q2": 1, "q3": None}
    assert record["measures"]["base"]["RR@10"] == pytest.approx(0.5)
    assert record["measures"]["base"]["Success@1"] == pytest.approx(1 / 3)
    printed = capsys.readouterr()
    assert "toy test, base: run engine: mean of each measure" in printed.out
    assert "The run engine ranks no document for 1 of the 3 queries; they count as 0" in printed.out
    run("evaluate", "toy", "--json", prepared / "y.json")  # without vectors, the run is the base
    assert "toy has no vectors, so its run engine is the base" in capsys.readouterr().err
    assert json.loads((prepared / "y.json").read_text())["measures"] == record["measures"]


def test_what_is_exported_can_be_loaded_as_the_base(prepared: Path) -> None:
    run("evaluate", "toy", "--base", "engine", "--run-out", prepared / "out")
    exported = prepared / "out" / "base.run"
    assert exported.read_text().splitlines()[0] == "q1 Q0 d1 1 7.25 base"
    assert "a%20b" in exported.read_text()
    run("prepare", "toy", "--run", f"again={exported}")
    for name in ("engine", "again"):
        run("evaluate", "toy", "--base", name, "--json", prepared / f"{name}.json")
    first, second = (json.loads((prepared / f"{n}.json").read_text()) for n in ("engine", "again"))
    assert {**first, "run": ""} == {**second, "run": ""}
    run("search", "toy", "q1", "--base", "again", "--run-out", prepared / "one")
    run("search", "toy", "q1", "--base", "again", "--run-out", prepared / "one")  # its own files
    names = sorted(p.name for p in (prepared / "one").iterdir())
    assert names == ["BM25.run", "base.run", "reciprocal-rank-fusion.run"]
    assert (prepared / "one" / "base.run").read_text() == (
        "q1 Q0 d1 1 7.25 imrnns-lens-search\nq1 Q0 d2 2 3 imrnns-lens-search\n"
    )
    with pytest.raises(LensError, match="was not written by imrnns-lens evaluate"):
        run("evaluate", "toy", "--run-out", prepared / "one")


def test_search_prints_the_run(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("search", "toy", "q1", "--json", prepared / "found.json")
    record = json.loads((prepared / "found.json").read_text())
    assert record["run"] == "engine"
    base = record["rankings"]["base"]
    assert [(hit["document_id"], hit["score"]) for hit in base] == [("d1", 7.25), ("d2", 3.0)]
    assert list(record["rankings"]) == ["base", "reciprocal rank fusion", "BM25"]
    capsys.readouterr()
    run("search", "toy", "a ticket please")
    assert "The run engine ranks no document for this query." in capsys.readouterr().out


def test_with_vectors_the_encoder_stands_beside_the_run(folder: Path) -> None:
    run("prepare", folder / "toy", "--run", folder / "engine.run")
    run("search", "toy", "q1", "--base", "engine", "--json", folder / "run.json")
    run("search", "toy", "q1", "--json", folder / "encoder.json")
    own, encoder = (
        json.loads((folder / f"{name}.json").read_text())["rankings"] for name in ("run", "encoder")
    )
    assert [hit["document_id"] for hit in own["base"]] == ["d1", "d2"]
    ids, scores = (
        [[hit[key] for hit in hits] for hits in (own["encoder"], encoder["base"])]
        for key in ("document_id", "score")
    )
    assert ids[0] == ids[1]
    assert scores[0] == scores[1]
    run("evaluate", "toy", "--against", "engine", "--json", folder / "against.json")
    against = json.loads((folder / "against.json").read_text())["against"]
    assert (against["name"], against["kind"], against["missing_queries"]) == ("engine", "run", 1)
    run("evaluate", "toy", "--base", "engine", "--json", folder / "base.json")
    measured = json.loads((folder / "base.json").read_text())
    assert against["measures"] == measured["measures"]["base"]
    assert "encoder" in measured["baselines"]["systems"]


def test_vectors_can_be_made_later(prepared: Path) -> None:
    run("prepare", "toy", "--encoder", "all-MiniLM-L6-v2")
    registered = json.loads((prepared / "workspace" / "datasets.json").read_text())["toy"]
    assert registered["without_vectors"] is False
    assert list((prepared / "workspace" / "vectors" / "toy").iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("evaluate", "toy", "--base", "x"), "toy has no run 'x'; its runs are engine; add one"),
        (
            ("evaluate", "toy", "--base", "engine", "--adapter", "sample-adapter"),
            "--adapter and --base engine: an adapter ranks the candidates of the encoder",
        ),
        (
            ("evaluate", "toy", "--adapter", "sample-adapter"),
            "toy has no vectors, which this needs",
        ),
        (("search", "toy", "q1", "--base", "encoder"), "toy has no vectors, which this needs"),
        (("explain", "toy", "--query", "q1", "--document", "d1"), "toy has no vectors, which this"),
        (("train", "toy", "--out", "x.safetensors"), "toy has no vectors, which this needs"),
        (("prepare", "toy", "--run", "none.run"), "none.run: not found; name a folder, a zip or"),
        (("prepare", "toy", "--run", "encoder=engine.run"), "cannot have the name 'encoder'"),
        (("prepare", "toy", "--strict", "--run", "engine.run"), "engine.run: 1 irregular records"),
        (
            ("prepare", "toy", "--no-vectors", "--sentences"),
            "--no-vectors: --encoder, --embeddings",
        ),
    ],
)
def test_mistakes_are_one_line(
    prepared: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.chdir(prepared)
    with pytest.raises(LensError) as caught:
        run(*arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_vectors_needs_a_run(folder: Path) -> None:
    with pytest.raises(LensError, match="without vectors, only a run can rank the documents"):
        run("prepare", folder / "toy", "--no-vectors")
    assert not (folder / "workspace" / "datasets.json").exists()
