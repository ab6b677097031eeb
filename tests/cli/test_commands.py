"""The command line.

Values as JSON, and every mistake as one line, exit code 2 and nothing left behind.
"""

from __future__ import annotations

import io
import json
import math
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import ir_measures
import numpy as np
import pytest
import torch

from imrnns_core.cli import app as cli
from imrnns_core.cli import console as terminal
from imrnns_core.cli.options import resolve
from imrnns_core.config import MEASURES
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.data.readers.load import LAYOUT
from imrnns_core.model.adapter_card import RecipeMeasure, RecipeSelection, TrainingOutcome
from imrnns_core.model.checkpoint import load_adapter, save_adapter, tensors_digest
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.training.config import BEST, RECIPE_PURPOSES, RECIPES
from imrnns_core.types import STAGES
from tests.grown_sample import NEW, write_grown_sample
from tests.toys import adapter, document, still_model, write_dataset

LOG3 = math.log2(3)
DOCUMENTS = [{"_id": f"d{i}", "title": f"Title {i}", "text": f"text {i}"} for i in range(3)]
QUERIES = [{"_id": f"q{i}", "text": f"question {i}?"} for i in range(4)]
QRELS = "query-id\tcorpus-id\tscore\nq0\td2\t2\nq0\td1\t1\nq1\td0\t1\nq2\td1\t3\nq3\td0\t0\n"
# The adapter keeps the sign of x₁ − x₂ alone: modulated scores are ±1, ties stand in corpus order
DOCUMENT_VECTORS = [[1, 0], [0.8, 0.6], [0, 1]]
QUERY_VECTORS = [[0.6, 0.8], [1, 0], [0.8, 0.6], [0, 1]]


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Call the command line in this process."""
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["imrnns-lens", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return Result(int(caught.value.code or 0), *capsys.readouterr())

    return call


NO_CHANGE = {
    "change": 0.0,
    "ci95": [None, None],
    "p": 1.0,
    "queries": 3,
    "changed": 0,
    "studentized_ci95": [0.0, 0.0],
    "standard_error": 0.0,
    "clusters": 2,
    "changed_clusters": 0,
    "detectable": None,
}
"""The test of three queries that do not change."""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder with a data set, its vectors and an adapter that was trained on d1."""
    folder = tmp_path / "toy"
    write_dataset(folder, DOCUMENTS, QUERIES, QRELS)
    (folder / "vectors").mkdir()
    for stem, one, records, vectors in (
        ("documents", "document", DOCUMENTS, DOCUMENT_VECTORS),
        ("queries", "query", QUERIES, QUERY_VECTORS),
    ):
        matrix = EmbeddingMatrix(tuple(r["_id"] for r in records), np.array(vectors, np.float32))
        save_embeddings(matrix, folder / "vectors", stem, one)
    save_adapter(adapter(still_model(2), ["d1"]), folder / "toy.safetensors")
    return folder


def command(folder: Path, name: str = "evaluate", *more: object) -> tuple[object, ...]:
    return (
        name,
        folder,
        *more,
        "--adapter",
        folder / "toy.safetensors",
        "--embeddings",
        folder / "vectors",
    )


# Values


def test_evaluate_writes_the_record_of_the_design(run: Run, toy: Path, tmp_path: Path):
    target = tmp_path / "new" / "result.json"
    result = run(*command(toy), "--json", target)
    assert (result.code, result.err.strip()) == (0, "")
    assert list(target.parent.iterdir()) == [target]
    record = json.loads(target.read_text())
    first, last = (1 + 2 / LOG3) / (2 + 1 / LOG3), 2.5 / (2 + 1 / LOG3)
    heads = {k: record[k] for k in ("schema", "dataset", "split", "adapter", "n_queries")}
    assert heads == {
        "schema": 4,
        "dataset": "toy",
        "split": "test",
        "adapter": "toy",
        "n_queries": 3,
    }
    found = {"R@10": 1.0, "R@100": 1.0}
    best = {"nDCG@10": 1.0, "RR@10": 1.0, "AP": 1.0, "Success@1": 1.0, **found}
    base = {**best, "nDCG@10": (first + 2) / 3}
    modulated = {
        "nDCG@10": (last + 1 + 1 / LOG3) / 3,
        "RR@10": 2.5 / 3,
        "AP": (5 / 6 + 1 + 1 / 2) / 3,
        "Success@1": 2 / 3,
        **found,
    }
    assert record["measures"]["base"] == pytest.approx(base, abs=1e-6)
    assert record["measures"]["modulated"] == pytest.approx(modulated, abs=1e-6)
    groups = record["groups"]
    assert (groups["seen"]["n"], groups["unseen"]["n"]) == (2, 1)
    assert groups["unseen"]["base"] == pytest.approx(best)
    seen = {
        "nDCG@10": (last + 1 / LOG3) / 2,
        "RR@10": 0.75,
        "AP": 2 / 3,
        "Success@1": 1 / 2,
        **found,
    }
    assert groups["seen"]["modulated"] == pytest.approx(seen, abs=1e-6)
    assert groups["seen"]["significance"]["RR@10"] == {
        "change": -0.25,
        "ci95": [None, None],
        "p": 1.0,
        "queries": 2,
        "changed": 1,
        "studentized_ci95": [None, None],
        "standard_error": pytest.approx(0.25),
        "clusters": 1,
        "changed_clusters": 1,
        "detectable": None,
        "p_holm": 1.0,
    }
    assert record["shares"] == pytest.approx(
        {"projector": 0, "constant": 1, "query_specific": 0}, abs=1e-5
    )
    change = record["significance"]["nDCG@10"]["change"]
    parts = {name: record["gain"][name] for name in ("projector", "constant", "query_specific")}
    assert [part["change"] for part in parts.values()] == pytest.approx([0, change, 0])
    assert parts["constant"]["left_out"] == pytest.approx(-change)
    assert (record["gain"]["measure"], record["gain"]["projector_first"]) == ("nDCG@10", False)
    # of three documents, q0 has two judgments and the others have one; d1 is judged for q0 and q2
    shares = {"Judged@10": 4 / 9, "Judged@100": 4 / 9, "Judged@1": 1}
    assert record["judged"]["base"] == pytest.approx(shares)
    assert record["judged"]["modulated"] == pytest.approx({**shares, "Judged@1": 2 / 3})
    assert set(record["judged"]["bm25"].values()) == {0.0}  # no question has a word of a document
    assert groups["seen"]["judged"]["base"]["Judged@10"] == pytest.approx(1 / 2)
    # d0 gets grade 2 for q0; the other two queries reach 1 when every document is relevant
    best_base = (1 + 2 / LOG3 + 1) / (2 + 2 / LOG3 + 0.5)
    assert record["ndcg_range"]["base"] == pytest.approx([(first + 2) / 3, (best_base + 2) / 3])
    assert record["ndcg_range"]["modulated"][1] == pytest.approx(1)
    assert record["ndcg_range"]["change"] == pytest.approx([change, (1 - best_base) / 3])
    significance = record["significance"]["RR@10"]
    assert (significance["queries"], significance["changed"]) == (3, 1)
    assert significance["change"] == pytest.approx(-1 / 6)
    assert significance["ci95"] == [None, None]  # two clusters
    assert significance["p"] == 1.0
    assert record["significance"]["R@10"] == {**NO_CHANGE, "p_holm": 1.0}
    by_query = {q["query_id"]: q for q in record["queries"]}
    assert list(by_query) == ["q0", "q1", "q2"]
    assert [q["group"] for q in by_query.values()] == ["seen", "unseen", "seen"]
    assert [q["outcome"] for q in by_query.values()] == ["improved", "unchanged", "worsened"]
    assert by_query["q2"]["base"] == pytest.approx(best)
    worse = {"nDCG@10": 1 / LOG3, "RR@10": 0.5, "AP": 0.5, "Success@1": 0, **found}
    assert by_query["q2"]["modulated"] == pytest.approx(worse, abs=1e-6)


def test_bm25_is_a_column_of_its_own(run: Run, toy: Path, tmp_path: Path):
    """q0 shares words with d2 (most) and d1, q1 with none, q2 with the irrelevant d0 alone."""
    texts = ["red apple", "green pear", "red apple pie"]
    (toy / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": f"d{i}", "text": t}) + "\n" for i, t in enumerate(texts))
    )
    asked = ["apple pie", "zebra", "red", "x"]
    (toy / "queries.jsonl").write_text(
        "".join(json.dumps({"_id": f"q{i}", "text": t}) + "\n" for i, t in enumerate(asked))
    )
    (toy / "qrels" / "test.tsv").write_text("q0\td0\t1\nq1\td0\t1\nq2\td0\t1\nq2\td1\t1\n")
    kept = tmp_path / "workspace" / "lexical" / "toy" / "manifest.json"
    for again in (False, True):  # built, then read from the workspace
        assert kept.is_file() == again
        assert run(*command(toy), "--json", tmp_path / "r.json").code == 0
        record = json.loads((tmp_path / "r.json").read_text())
        queries = {q["query_id"]: q for q in record["queries"]}
        assert [q["best_relevant_rank"]["bm25"] for q in queries.values()] == [2, None, 1]
        assert queries["q0"]["bm25"] == pytest.approx(
            {"nDCG@10": 1 / LOG3, "R@10": 1, "RR@10": 0.5, "AP": 0.5, "R@100": 1, "Success@1": 0}
        )
        assert set(queries["q1"]["bm25"].values()) == {0.0}
        assert (
            queries["q2"]["bm25"]["R@100"] == 0.5
        )  # d1 shares no word, so BM25 does not return it
        assert record["measures"]["bm25"]["RR@10"] == pytest.approx((0.5 + 0 + 1) / 3)
    append(toy / "corpus.jsonl", json.dumps({"_id": "d3", "text": "zebra"}) + "\n")
    append(toy / "qrels" / "test.tsv", "q1\td3\t1\n")
    save_embeddings(
        EmbeddingMatrix(("d0", "d1", "d2", "d3"), np.ones((4, 2), np.float32)),
        toy / "vectors",
        "documents",
        "document",
    )
    assert run(*command(toy), "--json", tmp_path / "r.json").code == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert (
        record["queries"][1]["bm25"]["RR@10"] == 1.0
    )  # BM25 returns d3, so the old index was not used


def test_zero_vectors_are_named_before_the_table(run: Run, toy: Path):
    vectors = np.array(QUERY_VECTORS, np.float32)
    vectors[2] = 0
    np.save(toy / "vectors" / "queries.npy", vectors)
    result = run(*command(toy))
    assert result.code == 0
    assert result.err.startswith(
        "imrnns-lens: 1 of 4 query vectors are zero, the first one of 'q2'"
    )


def test_evaluate_prints_the_same_and_writes_runs(run: Run, toy: Path, tmp_path: Path):
    result = run(*command(toy), "--measure", "P@1", "--run-out", tmp_path / "runs")
    assert result.code == 0
    assert "1 judged query has no relevant document and is left out: q3" in result.out
    lines = {tuple(line.split()[:3]): line.split()[3:] for line in result.out.splitlines()}
    assert lines["all", "3", "BM25"] == ["0.0000"] * 10
    assert lines["all", "3", "base"] == [
        *["0.9532", *["1.0000"] * 6],
        *["0.4444", "0.4444", "1.0000"],
    ]
    assert lines["all", "3", "modulated"] == [
        "0.8604",
        "1.0000",
        "0.8333",
        "0.7778",
        "1.0000",
        "0.6667",
        "0.6667",
        *["0.4444", "0.4444", "0.6667"],
    ]
    assert lines["seen", "2", "BM25"] == ["0.0000"] * 10
    assert "Judged@10" in result.out
    assert (
        "nDCG@10 if every unjudged document in the top 10 is not relevant: base 0.9532, "
        "modulated 0.8604, change −0.0929; if each has the highest grade of its query: "
    ) in result.out
    assert (
        "  projector +0.0000, 95 % interval unknown (few queries); without it 0.8604" in result.out
    )
    assert "  constant modulation −0.0929, 95 % interval unknown (few queries)" in result.out
    assert (
        "Share of each part in the candidates' score changes: projector 0 %, "
        "constant modulation (average over queries) 100 %, query-specific modulation 0 %"
    ) in result.out
    assert (
        "RR@10: modulated − base −0.1667, 95 % interval unknown (few queries), p = 1.0000"
    ) in result.out
    assert "The interval comes from a bootstrap over queries. p comes from a paired" in result.out
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == [
        "base.run",
        "document-modulated.run",
        "modulated.run",
        "projected.run",
    ]


def test_evaluate_explains_why_there_are_no_groups(run: Run, toy: Path, tmp_path: Path):
    save_adapter(adapter(still_model(2)), toy / "toy.safetensors")
    result = run(*command(toy), "--json", tmp_path / "r.json")
    assert "the adapter's card does not list its training documents" in result.out
    against = run(*command(toy), "--against", toy / "toy.safetensors").out
    assert (
        "It is unknown which queries the adapters have seen, so a difference may come from "
        "memorised training documents."
    ) in against
    assert json.loads((tmp_path / "r.json").read_text())["groups"] is None


def test_evaluate_compares_with_baselines(run: Run, toy: Path, tmp_path: Path):
    result = run(*command(toy), "--json", tmp_path / "r.json")
    lines = {tuple(line.split()[:-7]): line.split()[-7:] for line in result.out.splitlines()}
    # 0.5: three queries are too few to choose a weight
    assert lines["base", "+", "BM25", "all", "3"][:2] == ["0.5", "0.9532"]
    assert (
        "base + BM25 has the fixed weight 0.5, because fewer than 20 queries are left"
        in " ".join(result.out.split())
    )
    assert f"imrnns-lens prepare {toy} --sentences" in result.out.replace("\n", "")
    record = json.loads((tmp_path / "r.json").read_text())
    systems = record["baselines"]["systems"]
    assert list(systems) == [
        "base",
        "BM25",
        "reciprocal rank fusion",
        "base + BM25",
        "adapter + BM25",
    ]
    assert systems["base"]["groups"]["all"]["measures"] == record["measures"]["base"]
    assert systems["BM25"]["groups"]["all"]["measures"] == record["measures"]["bm25"]


def test_prepare_encodes_sentences_for_max_sim(run: Run, toy: Path, tmp_path: Path):
    assert run("prepare", toy, "--embeddings", toy / "vectors", "--sentences").code == 2
    folder = write_dataset(tmp_path / "small")
    assert "2 sentences: ready" in run("prepare", folder, "--sentences").out.splitlines()
    save_adapter(adapter(still_model(384)), folder / "still.safetensors")
    result = run("evaluate", "small", "--adapter", folder / "still.safetensors")
    assert "sentence max-sim" in result.out
    assert "--sentences" not in result.out


@pytest.mark.parametrize("question", ["q0", "question 0?", "  question 0? "])
def test_search_prints_and_writes_both_rankings(run: Run, toy: Path, tmp_path: Path, question: str):
    result = run(*command(toy, "search", question), "-k", 2, "--json", tmp_path / "r.json")
    assert result.code == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert (record["query_id"], record["query"]) == ("q0", "question 0?")
    hits = {
        stage: [(h["document_id"], h["rank"], h["base_rank"], h["relevance"]) for h in ranked]
        for stage, ranked in record["rankings"].items()
    }
    assert hits["base"] == hits["projected"] == [("d1", 1, 1, 1), ("d2", 2, 2, 2)]
    assert hits["document-modulated"] == hits["modulated"] == [("d2", 1, 2, 2), ("d0", 2, 3, -1)]
    assert [h["score"] for h in record["rankings"]["base"]] == pytest.approx([0.96, 0.8], abs=1e-6)
    assert [h["title"] for h in record["rankings"]["modulated"]] == ["Title 2", "Title 0"]
    assert [line.split() for line in result.out.splitlines() if "Title 2" in line] == [
        ["2", "1", "0.8000", "2", "d2", "Title", "2"],
        ["1", "2", "1.0000", "2", "d2", "Title", "2"],
    ]


def test_train_writes_an_adapter_that_evaluate_reads(run: Run, toy: Path, tmp_path: Path):
    target = tmp_path / "out" / "mine.safetensors"
    result = run(
        "train",
        toy,
        "--out",
        target,
        "--embeddings",
        toy / "vectors",
        "--train-split",
        "test",
        "--valid-split",
        "test",
    )
    assert result.code == 0
    assert sorted(p.name for p in target.parent.iterdir()) == ["mine.safetensors"]
    card = load_adapter(target).card
    assert (card.name, card.dataset, card.train_split) == ("mine", "toy", "test")
    assert card.texts is not None
    assert set(card.texts.positives) == {document(f"d{i}").text_hash for i in range(3)}
    assert run("evaluate", toy, "--adapter", target, "--embeddings", toy / "vectors").code == 0


def test_prepare_registers_and_adapters_are_imported_and_shown(run: Run, toy: Path, tmp_path: Path):
    result = run("prepare", toy, "--embeddings", toy / "vectors")
    assert (
        "toy: 3 documents, 4 queries, 2 dimensions, cosine similarity; judged splits: test (4)"
        in result.out.splitlines()
    )
    assert run("adapters", "import", toy / "toy.safetensors").out.startswith("toy: imported to ")
    shown = json.loads(run("adapters", "show", "toy").out)
    assert shown["texts"] == {
        **{"positives": 1, "used": 0, "uses": [], "validation_queries": 0},
        **{"positive_shingles": 0, "used_shingles": 0, "queries": 0},
        **{"positive_sentences": 0, "used_sentences": 0},
    }
    assert run("adapters", "show", "toy").err == ""  # it has no later epochs to explain
    listed = run("adapters", "list").out.splitlines()
    assert any(line.split()[:2] == ["toy", "2→2"] for line in listed)
    by_name = run("search", "toy", "q0", "--adapter", "toy", "--json", tmp_path / "r.json")
    assert by_name.code == 0
    assert (
        json.loads((tmp_path / "r.json").read_text())["rankings"]["modulated"][0]["document_id"]
        == "d2"
    )


def test_a_ranking_by_dot_product_is_shown_and_stays(run: Run, toy: Path):
    result = run("prepare", toy, "--embeddings", toy / "vectors", "--similarity", "dot")
    shown = "toy: 3 documents, 4 queries, 2 dimensions, dot product; judged splits: test (4)"
    assert shown in result.out.splitlines()
    result = run("prepare", "toy")
    assert shown in result.out.splitlines()
    result = run("evaluate", "toy", "--adapter", toy / "toy.safetensors")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("imrnns-lens: toy is ranked by dot product, but adapters work")
    assert run("evaluate", "toy").code == 0
    result = run("prepare", "toy", "--similarity", "cosine")
    assert shown.replace("dot product", "cosine similarity") in result.out.splitlines()
    assert run("evaluate", "toy", "--adapter", toy / "toy.safetensors").code == 0


def test_adapters_export_writes_both_formats(run: Run, toy: Path, tmp_path: Path):
    copy = tmp_path / "copy.safetensors"
    assert run("adapters", "export", "sample-paper", copy).out == (
        f"sample-paper: exported to {copy}\n"
    )
    original = load_adapter(ASSETS_FOLDER / "sample-paper.safetensors")
    assert load_adapter(copy).card == original.card
    assert run("adapters", "export", "sample-paper", tmp_path / "copy.pt").code == 0
    theirs = load_adapter(tmp_path / "copy.pt")
    assert tensors_digest(theirs.model.state_dict()) == tensors_digest(original.model.state_dict())
    again = run("adapters", "export", "sample-paper", copy)
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert "use --force to overwrite it" in again.err
    assert run("adapters", "export", "sample-paper", copy, "--force").code == 0


@pytest.mark.parametrize(
    ("name", "file", "message"),
    [
        (
            "sample-adapter",  # a sentence memory
            "x.pt",
            "sample-adapter: the reference package cannot load this adapter, because its hidden "
            "layers have 2,820 and 384 units, not 128 and 64; export it as .safetensors",
        ),
        ("nowhere", "x.pt", "nowhere: no adapter has this name"),
        ("sample-adapter", "x.bin", "adapters are written as .safetensors"),
    ],
)
def test_adapters_export_says_in_one_line_what_it_cannot_write(
    run: Run, tmp_path: Path, name: str, file: str, message: str
):
    failed = run("adapters", "export", name, tmp_path / file)
    assert (failed.code, failed.err.count("\n"), failed.out) == (2, 1, "")
    assert message in failed.err
    assert list(tmp_path.glob("x.*")) == []


def test_adapters_show_says_why_an_earlier_epoch_is_selected(run: Run):
    shown = run("adapters", "show", "sample-adapter")
    outcome = json.loads(shown.out)["outcome"]
    assert shown.err.startswith(f"Epoch {outcome['best_epoch']} is selected, although later epochs")
    assert f"epoch {outcome['best_epoch']} has {outcome['validation']:.4f}" in shown.err


def test_adapters_show_lists_the_recipes_that_best_compared(run: Run, toy: Path, tmp_path: Path):
    trained = load_adapter(toy / "toy.safetensors")
    measures = {"paper": RecipeMeasure(0.41, 0.0123), "reference": RecipeMeasure(0.52, 0.02)}
    selection = RecipeSelection("reference", 30, 3, 0.5, measures)
    card = replace(trained.card, outcome=TrainingOutcome("trained", selection=selection))
    save_adapter(replace(trained, card=card), tmp_path / "x.safetensors")
    shown = run("adapters", "show", tmp_path / "x.safetensors")
    assert json.loads(shown.out)["outcome"]["selection"]["recipe"] == "reference"
    lines = [line.split() for line in shown.err.splitlines()]
    assert lines[0] == [
        "Recipes,",
        "cross-validated",
        "on",
        "30",
        "judged",
        "queries",
        "in",
        "3",
        "folds",
    ]
    assert lines[2:] == [
        ["base", "ranking", "(identity)", "0.5000"],
        ["reference", "0.5200", "+0.0200", "0.0200", "chosen"],
        ["paper", "0.4100", "−0.0900", "0.0123"],
    ]


def test_the_help_of_train_describes_every_recipe():
    assert sorted(RECIPE_PURPOSES) == sorted((BEST, *RECIPES))


def test_evaluate_against_a_run_and_an_adapter(run: Run, toy: Path, tmp_path: Path):
    """Relevant documents are at ranks 1 (d2; d1 at 3), 1 and 2; in the run at 1, none and 1."""
    theirs, target = tmp_path / "theirs.run", tmp_path / "r.json"
    theirs.write_text("q0 Q0 d1 1 9.5 x\nq0 Q0 d2 2 9 x\nq2 Q0 d1 1 3 x\nq2 Q0 d0 2 2 x\n")
    result = run(*command(toy), "--against", theirs, "--json", target)
    assert (result.code, result.err) == (0, "")
    record = json.loads(target.read_text())["against"]
    assert (record["name"], record["kind"], record["missing_queries"]) == ("theirs.run", "run", 1)
    assert {q["query_id"]: q["change"]["RR@10"] for q in record["queries"]} == {
        "q0": 0,
        "q1": 1,
        "q2": -0.5,
    }
    assert record["significance"]["RR@10"]["change"] == pytest.approx(1 / 6)
    assert record["groups"]["unseen"]["other"]["RR@10"] == 0
    lines = [line.split() for line in result.out.splitlines()]
    assert ["all", "3", "RR@10", "0.8333", "0.6667", "+0.1667"] in [line[:6] for line in lines]
    assert [line[0] for line in lines if line[-1] in ("1?", "2?", "0?")] == [
        "q1",
        "q2",
        "q0",
    ]  # by difference of nDCG@10
    assert "1 query is missing from the run, of 3. Missing queries count as 0." in result.out
    assert run(*command(toy), "--against", toy / "toy.safetensors", "--json", target).code == 0
    itself = json.loads(target.read_text())["against"]
    assert (itself["kind"], itself["significance"]["nDCG@10"]) == (
        "adapter",
        {**NO_CHANGE, "p_holm": 1.0},
    )


def test_run_and_judgments_out_and_in_again(run: Run, toy: Path, tmp_path: Path):
    assert (
        run(
            *command(toy),
            "--run-out",
            tmp_path / "runs",
            "--qrels-out",
            tmp_path / "my.qrels",
            "--json",
            tmp_path / "a.json",
        ).code
        == 0
    )
    (toy / "qrels" / "test.tsv").unlink()
    again = (
        "--qrels",
        tmp_path / "my.qrels",
        "--against",
        tmp_path / "runs" / "base.run",
        "--json",
        tmp_path / "b.json",
    )
    assert run(*command(toy), *again).code == 0
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("a.json", "b.json"))
    assert (before["split"], after["split"]) == ("test", "my")
    assert before["without_relevant"] == ["q3"]
    assert "q3" not in (tmp_path / "my.qrels").read_text()  # the files reproduce the table
    for stage in STAGES:
        metrics = ir_measures.calc_aggregate(
            [ir_measures.parse_measure(name) for name in MEASURES],
            list(ir_measures.read_trec_qrels(str(tmp_path / "my.qrels"))),
            list(ir_measures.read_trec_run(str(tmp_path / "runs" / f"{stage}.run"))),
        )
        assert {str(measure): value for measure, value in metrics.items()} == pytest.approx(
            before["measures"][stage], abs=1e-9
        )
    assert after["queries"] == before["queries"]
    assert after["against"]["measures"] == before["measures"]["base"]
    assert after["against"]["significance"] == before["significance"]


def test_without_judgments_evaluate_measures_the_overlap(run: Run, toy: Path, tmp_path: Path):
    """Base orders d1 d2 d0 and d2 d1 d0 for q0 and q3; modulated d2 d0 d1 for both."""
    (toy / "qrels" / "test.tsv").write_text("q1\td0\t1\nq2\td0\t0\n")
    queries = (toy / "queries.jsonl").read_text().splitlines()
    long = json.dumps(json.loads(queries[0]) | {"text": "long " * 20})
    (toy / "queries.jsonl").write_text("\n".join([long, *queries[1:]]))
    result = run(
        *command(toy),
        "--split",
        "unjudged",
        "--json",
        tmp_path / "r.json",
        "--run-out",
        tmp_path / "runs",
    )
    assert (result.code, result.err) == (0, "")
    record = json.loads((tmp_path / "r.json").read_text())
    assert [record[k] for k in ("split", "n_queries", "measures", "groups", "significance")] == [
        "unjudged",
        2,
        None,
        None,
        None,
    ]
    q0, q3 = record["queries"]
    assert [q["top_documents"] for q in (q0, q3)] == [
        {"base": "d1", "modulated": "d2"},
        {"base": "d2", "modulated": "d2"},
    ]
    # (1 − p)/p · Σ p^d X_d/d + p³: X is 0 1 3 for q0 and 1 1 3 for q3
    assert q0["rbo"] == pytest.approx(0.1 / 0.9 * (0.81 / 2 + 0.729) + 0.729)
    assert q3["rbo"] == pytest.approx(0.1 / 0.9 * (0.9 + 0.81 / 2 + 0.729) + 0.729)
    assert record["overlap"] == pytest.approx(
        {
            "rbo": (q0["rbo"] + q3["rbo"]) / 2,
            # of a ranking and its reverse, X is 0 1 3
            "lowest_rbo": 0.1 / 0.9 * (0.81 / 2 + 0.729) + 0.729,
            "depth": 3,
            "top_k_overlap": 3,
            "top_document_changed": 0.5,
        }
    )
    assert "(1: identical; 0.8550: the lowest possible for lists of 3 documents)" in result.out
    assert (
        "toy, adapter toy: 2 queries without judgments. The figures show how much the ranking "
        "changes, not whether it is better." in result.out
    )
    sentence = "The document at rank 1 differs for 50 % of the queries."
    assert sentence in " ".join(result.out.split())  # it is wrapped at the width of the terminal
    assert [line.split()[0] for line in result.out.splitlines()[-2:]] == [
        "q0",
        "q3",
    ]  # largest change first
    # a text that is cut says so
    assert result.out.splitlines()[-2].rstrip().endswith("long long…")
    assert (tmp_path / "runs" / "modulated.run").read_text().splitlines()[0].split()[:3] == [
        "q0",
        "Q0",
        "d2",
    ]
    (toy / "qrels" / "test.tsv").unlink()  # without any judgments, `unjudged` is the default
    assert run(*command(toy), "--json", tmp_path / "r.json").code == 0
    assert json.loads((tmp_path / "r.json").read_text())["n_queries"] == 4


def test_scifact_dev_through_the_command_line(run: Run, test_data: Path, tmp_path: Path):
    data, file = test_data / "scifact", test_data / "peer" / "imrnns-minilm-scifact.pt"
    result = run(
        "evaluate",
        data,
        "--adapter",
        file,
        "--embeddings",
        data / "embeddings",
        "--split",
        "dev",
        "--json",
        tmp_path / "r.json",
    )
    assert result.code == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["n_queries"] == len(record["queries"]) == 170
    assert record["groups"] is None
    figures = {"base": (0.69437, 0.83186, 0.65806), "modulated": (0.80008, 0.91716, 0.77055)}
    for stage, expected in figures.items():
        values = [record["measures"][stage][m] for m in ("nDCG@10", "R@10", "RR@10")]
        assert values == pytest.approx(expected, abs=1e-4)
        means = [
            np.mean([q[stage][m] for q in record["queries"]]) for m in ("nDCG@10", "R@10", "RR@10")
        ]
        assert means == pytest.approx(values, abs=1e-9)
    lexical = [record["measures"]["bm25"][m] for m in ("nDCG@10", "R@10", "RR@10")]
    assert lexical == pytest.approx(
        [0.6485, 0.7721, 0.6164], abs=2e-4
    )  # docs/method.md, "Reference figures"
    assert record["shares"] == pytest.approx(
        {"projector": 0.73, "constant": 0.18, "query_specific": 0.09}, abs=0.01
    )


# Mistakes


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def other_dimensions(toy: Path) -> None:
    save_adapter(adapter(still_model(3)), toy / "toy.safetensors")


def drop(name: str) -> Callable[[Path], None]:
    return lambda toy: (toy / name).unlink()


def one_document(toy: Path) -> None:
    (toy / "corpus.jsonl").write_text(json.dumps(DOCUMENTS[0]) + "\n")
    (toy / "qrels" / "test.tsv").write_text("q0\td0\t1\nq1\td0\t1\n")


def spoil_vector(toy: Path, stem: str, value: float) -> None:
    vectors = np.load(toy / "vectors" / f"{stem}.npy")
    vectors[1, 0] = value
    np.save(toy / "vectors" / f"{stem}.npy", vectors)


MISTAKES: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing corpus": (drop("corpus.jsonl"), f"{{toy}}: contains no document; {LAYOUT}"),
    "other dimensions": (
        other_dimensions,
        "toy: the adapter expects 3 dimensions, these embeddings have 2; prepare the data with "
        "the adapter's encoder "
        "(not named in the file) or use another adapter",
    ),
    "no adapter": (
        drop("toy.safetensors"),
        (
            "{toy}/toy.safetensors: file not found; train one with: imrnns-lens train DATA --out "
            "toy.safetensors"
        ),
    ),
    "a document without a vector": (
        lambda toy: append(toy / "corpus.jsonl", '{"_id": "d3", "text": "x"}\n'),
        (
            "{toy}/vectors/document_ids.txt: 1 of 4 ids have no vector, first 'd3'; compute the "
            "embeddings again from this data set"
        ),
    ),
    "no vectors": (
        drop("vectors/queries.npy"),
        (
            "{toy}/vectors/queries.npy: file not found; a folder of embeddings contains "
            "documents.npy, document_ids.txt, queries.npy and query_ids.txt"
        ),
    ),
    "no relevant document": (
        lambda toy: (toy / "qrels" / "test.tsv").write_text("q0\td1\t0\n"),
        (
            "{toy}: no query of the split 'test' has a relevant document; give at least one "
            "document a grade above 0"
        ),
    ),
    "all documents relevant": (
        lambda toy: (toy / "qrels" / "test.tsv").write_text(
            "".join(f"q{i}\td{j}\t1\n" for i in range(4) for j in range(3))
        ),
        (
            "{toy}: all documents are equally relevant, so no ranking is better "
            "than another; add documents that are not relevant"
        ),
    ),
    "one document": (
        lambda toy: one_document(toy),
        "{toy}: one document cannot be ranked; add documents",
    ),
    "NaN in a document's vector": (
        lambda toy: spoil_vector(toy, "documents", np.nan),
        "{toy}/vectors/documents.npy: row 1 ('d1') holds NaN or infinity; encode this text again",
    ),
    "infinity in a query's vector": (
        lambda toy: spoil_vector(toy, "queries", np.inf),
        "{toy}/vectors/queries.npy: row 1 ('q1') holds NaN or infinity; encode this text again",
    ),
}


def files(folder: Path) -> dict[str, bytes]:
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def one_line(result: Result, expected: str) -> None:
    assert (result.code, result.out) == (2, "")
    # an empty line may stand before it; see test_no_empty_line_stands_before_the_one_line
    assert result.err.lstrip("\n") == f"imrnns-lens: {expected}\n"


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_and_leaves_nothing(run: Run, toy: Path, tmp_path: Path, case: str):
    spoil, expected = MISTAKES[case]
    spoil(toy)
    before = files(tmp_path)
    one_line(
        run(*command(toy), "--json", tmp_path / "new" / "r.json", "--run-out", tmp_path / "runs"),
        expected.format(toy=toy),
    )
    assert files(tmp_path) == before
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "runs").exists()


TRAINING_MISTAKES: dict[str, tuple[Callable[[Path], object], tuple[str, ...], str]] = {
    "no train split": (
        lambda toy: (toy / "qrels" / "dev.tsv").write_text("q0\td1\t1\n"),
        (),
        (
            "{toy}: no split 'train'; available splits: dev, test (use --train-split), or "
            "train without judgments: --recipe unlabeled"
        ),
    ),
    "no split at all": (
        drop("qrels/test.tsv"),
        (),
        ("{toy}: no split 'train'; add judgments, or train without judgments: --recipe unlabeled"),
    ),
    "no relevant document": (
        lambda toy: (toy / "qrels" / "test.tsv").write_text("q0\td1\t0\n"),
        ("--train-split", "test"),
        (
            "toy: 0 training and 0 validation queries have a relevant document; judge more "
            "queries, or name another split with --train-split or --valid-split"
        ),
    ),
    "all documents relevant": (
        lambda toy: (toy / "qrels" / "test.tsv").write_text(
            "".join(f"q{i}\td{j}\t1\n" for i in range(4) for j in range(3))
        ),
        ("--train-split", "test", "--valid-split", "test"),
        "toy: all documents are relevant to every query, so there is no negative; add documents",
    ),
    "one document": (
        one_document,
        ("--train-split", "test", "--valid-split", "test"),
        "toy: one document cannot be ranked; add documents to the corpus",
    ),
    "NaN in a document's vector": (
        lambda toy: spoil_vector(toy, "documents", np.nan),
        ("--train-split", "test"),
        "{toy}/vectors/documents.npy: row 1 ('d1') holds NaN or infinity; encode this text again",
    ),
    "no such recipe": (
        drop("corpus.jsonl"),  # the recipe is checked before anything is read
        ("--recipe", "magic"),
        f"recipe 'magic' does not exist; available recipes: {', '.join((BEST, *RECIPES))}",
    ),
}


@pytest.mark.parametrize("case", TRAINING_MISTAKES)
def test_what_cannot_be_trained_on_is_one_line_and_leaves_nothing(
    run: Run, toy: Path, tmp_path: Path, case: str
):
    spoil, options, expected = TRAINING_MISTAKES[case]
    spoil(toy)
    before = files(tmp_path)
    result = run(
        "train",
        toy,
        "--out",
        tmp_path / "new" / "a.safetensors",
        "--embeddings",
        toy / "vectors",
        *options,
    )
    one_line(result, expected.format(toy=toy))
    assert files(tmp_path) == before


def test_a_recipe_without_judgments_needs_no_split(run: Run, toy: Path, tmp_path: Path):
    (toy / "qrels" / "test.tsv").unlink()
    result = run(
        "train",
        toy,
        "--out",
        tmp_path / "a.safetensors",
        "--embeddings",
        toy / "vectors",
        "--recipe",
        "unlabeled",
    )
    assert result.code == 0
    assert "epoch 0 of 0, not validated" in result.out
    assert (tmp_path / "a.safetensors").is_file()


class Payload:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


@pytest.mark.parametrize(
    "save", [torch.save, lambda payload, path: path.write_bytes(pickle.dumps(payload, 2))]
)
@pytest.mark.parametrize("arguments", [("adapters", "import"), ("adapters", "show")])
def test_a_pickle_with_a_command_is_refused_and_never_run(
    run: Run, tmp_path: Path, save: Callable, arguments: tuple[str, ...]
):
    path, target = tmp_path / "bad.pt", tmp_path / "ran"
    save(
        {
            "metadata": {"checkpoint_format": "imrnns-final-v1"},
            "model_state": {"projector.weight": Payload(target)},
        },
        path,
    )
    before = files(tmp_path)
    one_line(
        run(*arguments, path),
        (
            f"{path}: not an adapter of the reference package; name a .pt file that has only "
            "tensors and plain metadata"
        ),
    )
    assert files(tmp_path) == before


def test_other_mistakes(run: Run, toy: Path, tmp_path: Path):
    vectors = ("--embeddings", toy / "vectors")
    one_line(
        run("prepare", tmp_path / "nowhere"),
        (
            f"{tmp_path}/nowhere: neither a folder, a file nor a registered name; registered "
            "names: sample"
        ),
    )
    one_line(
        run("train", toy, "--out", tmp_path / "a.pt", *vectors),
        (
            f"{tmp_path}/a.pt: adapters are written as .safetensors; use --out "
            f"{tmp_path}/a.safetensors"
        ),
    )
    one_line(
        run(*command(toy, "search", "  ")), "the question is empty; type one, or the id of a query"
    )
    result = run(
        "train",
        toy,
        "--out",
        tmp_path / "a.safetensors",
        "--recipe",
        "magic",
        "--train-split",
        "test",
        *vectors,
    )
    assert (result.code, result.err.strip().count("\n")) == (2, 0)
    assert result.err.strip().startswith(
        "imrnns-lens: recipe 'magic' does not exist; available recipes: "
    )
    result = run(*command(toy), "--measure", "Foo@3")
    one_line(
        result,
        (
            "measure 'Foo@3' is unknown; write it as ir-measures does, for example nDCG@10, R@100, "
            "RR@10, AP"
        ),
    )
    assert not (tmp_path / "a.safetensors").exists()
    one_line(
        run(*command(toy), "--against", "rival"),
        "rival: no such adapter, run or file; name a TREC run, or an adapter: sample-adapter, "
        "sample-paper",
    )
    (tmp_path / "x.run").write_text("q3 Q0 d1 1 9 x\n")
    one_line(
        run(*command(toy), "--against", tmp_path / "x.run"),
        (
            "x.run: ranks none of the judged queries of split test (3); name the split of this run "
            "with --split"
        ),
    )
    (tmp_path / "x.run").write_text("q0 d1\n")
    one_line(
        run(*command(toy), "--against", tmp_path / "x.run"),
        f"{tmp_path}/x.run:1: 2 columns; write query Q0 document rank score tag, or a table with "
        "the columns query,document,score",
    )
    one_line(
        run(*command(toy), "--split", "unjudged"),
        f"{toy}/queries.jsonl: every query has judgments; name a judged split with --split: test",
    )
    (toy / "qrels" / "test.tsv").unlink()
    one_line(
        run(*command(toy), "--against", "sample-adapter"),
        (
            "there are no judgments, which --against, --html and --qrels-out need; name a file of "
            "judgments with --qrels"
        ),
    )
    (tmp_path / "x.qrels").write_text("q9 0 d1 4\n")
    one_line(
        run(*command(toy), "--qrels", tmp_path / "x.qrels"),
        f"{tmp_path}/x.qrels: contains no judgment of its queries (x.qrels:1: 1 of a query that "
        "the data set does not have); name its queries by their ids",
    )


def test_a_result_that_cannot_be_written_is_one_line(run: Run, toy: Path, tmp_path: Path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "kept").write_text("kept")
    result = run(*command(toy), "--json", target)
    assert result.code == 2
    message = result.err.strip()
    assert "\n" not in message
    assert message.startswith("imrnns-lens: ")
    assert message.endswith("; check the path, the permissions and the free disk space")
    assert [p.name for p in target.iterdir()] == ["kept"]
    assert not list(tmp_path.rglob("*.tmp"))


def test_a_result_that_cannot_be_written_is_named_as_it_was_asked_for(
    run: Run, toy: Path, tmp_path: Path
):
    (tmp_path / "folder").mkdir()
    assert f"{tmp_path}/folder: " in run(*command(toy), "--json", tmp_path / "folder").err


def test_no_empty_line_stands_before_the_one_line(run: Run, toy: Path):
    (toy / "corpus.jsonl").unlink()
    assert run(*command(toy)).err.count("\n") == 1


def test_an_interruption_is_one_line(run: Run, toy: Path, monkeypatch: pytest.MonkeyPatch):
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("imrnns_core.storage.workspace.Workspace.open", stop)
    result = run("prepare", toy)
    assert (result.code, result.err.lstrip("\n")) == (
        130,
        "imrnns-lens: stopped; run the same command again to continue\n",
    )


def subprocess_run(*arguments: object, workspace: Path) -> Result:
    environment = {
        **os.environ,
        "IMRNNS_WORKSPACE": str(workspace),
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "imrnns_core.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    return Result(done.returncode, done.stdout, done.stderr)


def test_a_mistake_in_a_process_of_its_own(toy: Path, tmp_path: Path):
    (toy / "corpus.jsonl").unlink()
    before = files(tmp_path)
    result = subprocess_run(
        *command(toy), "--json", tmp_path / "r.json", workspace=tmp_path / "workspace"
    )
    one_line(result, f"{toy}: contains no document; {LAYOUT}")
    assert files(tmp_path) == before


def test_a_result_in_a_process_of_its_own(toy: Path, tmp_path: Path):
    result = subprocess_run(
        *command(toy, "search", "q0"),
        "--json",
        tmp_path / "r.json",
        workspace=tmp_path / "workspace",
    )
    assert (result.code, result.err.strip()) == (0, "")
    assert (
        json.loads((tmp_path / "r.json").read_text())["rankings"]["modulated"][0]["document_id"]
        == "d2"
    )


def test_explain_prints_and_writes_record_and_report(run: Run, tmp_path: Path):
    record_file, page = tmp_path / "e.json", tmp_path / "e.html"
    result = run(
        "explain",
        "sample",
        "--query",
        "q054",
        "--document",
        "the-hague",
        "--adapter",
        "sample-adapter",
        "--json",
        record_file,
        "--html",
        page,
    )
    assert result.code == 0
    record = json.loads(record_file.read_text())
    parts = record["accounting"]
    shown = (
        f"Score: base {parts['base']:.4f} {parts['projector']:+.4f} (projector) "
        f"{parts['document_modulation']:+.4f} (document modulation) "
        f"{parts['query_refinement']:+.4f} (query refinement) = modulated {parts['modulated']:.4f}"
    )
    assert shown.replace(" -", " −") in result.out
    first = max(record["words"]["document"], key=lambda word: abs(word["change"]))
    assert f"{first['word']} {first['change']:+.4f}".replace(" -", " −").split() == next(
        line.split()[:2]
        for line in result.out.splitlines()
        if line.strip().startswith(f"{first['word']} ")
    )
    assert record["verified"] == {}
    assert "The Hague" in page.read_text()


def test_explain_lists_the_words_with_the_largest_effect_of_either_sign(run: Run, tmp_path: Path):
    record_file = tmp_path / "e.json"
    pair = ("--query", "q048", "--document", "mauritius-mauritania")
    result = run("explain", "sample", *pair, "--adapter", "sample-adapter", "--json", record_file)
    words = json.loads(record_file.read_text())["words"]["query"]
    expected = sorted(words, key=lambda word: -abs(word["change"]))[:5]
    assert expected[0]["change"] < 0  # the word that explains why the document lost score
    table = result.out.split("Words of the query: estimated drops")[1].splitlines()[2:7]
    assert [line.split()[0] for line in table] == [word["word"] for word in expected]
    near = "Vocabulary near the query's change (as in the paper): the 10 nearest words, none of "
    assert f"{near}them closer than chance: " in result.out
    assert "chance level" not in result.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("--query", "q054", "--document", "nothing"),
            "sample has no document 'nothing'; name one that `search` lists",
        ),
        (
            ("--query", " ", "--document", "the-hague"),
            "the question is empty; type one, or the id of a query",
        ),
    ],
)
def test_explain_rejects_what_it_cannot_explain(
    run: Run, arguments: tuple[str, ...], expected: str
):
    one_line(run("explain", "sample", *arguments, "--adapter", "sample-adapter"), expected)


def test_faithfulness_writes_its_record_where_the_dashboard_finds_it(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    from imrnns_core.explanation import deletion_test as faithfulness

    monkeypatch.setattr(faithfulness, "STEP_WIDTH", 1)
    target = tmp_path / "f.json"
    result = run(
        "faithfulness",
        "sample",
        "--adapter",
        "sample-adapter",
        "--split",
        "dev",
        "--pairs",
        "2",
        "--json",
        target,
    )
    assert result.code == 0
    record = json.loads(target.read_text())
    assert record["n_pairs"] == 2
    assert f"{record['document']['change']['k1']:.3f}" in result.out
    (kept,) = (tmp_path / "workspace" / "faithfulness").glob("*.json")
    stored = json.loads(kept.read_text())
    assert len(stored.pop("#sha256")) == 64
    assert record == {"command": "faithfulness", **stored}
    one_line(
        run("faithfulness", "sample", "--adapter", "sample-adapter", "--split", "late"),
        "sample has no split 'late'; available splits: dev, test, train (use --split)",
    )


# Texts and names are printed unchanged


EVIL = "\x1b]0;owned\x07\x1b[31mred\x9b2J\r\x7f[bold]x[/bold] [/nothing] :smile:"
SHOWN = "]0;owned[31mred2J[bold]x[/bold] [/nothing] :smile:"


def controls(*texts: str) -> set[str]:
    return {
        c
        for text in texts
        for c in text
        if (ord(c) < 32 or 127 <= ord(c) < 160) and c not in "\n\t"
    }


def test_texts_reach_the_terminal_unchanged(run: Run, toy: Path):
    (toy / "corpus.jsonl").write_text(
        "".join(json.dumps({**d, "title": EVIL}) + "\n" for d in DOCUMENTS)
    )
    (toy / "queries.jsonl").write_text(
        "".join(json.dumps({**q, "text": f"{q['_id']} {EVIL}"}) + "\n" for q in QUERIES)
    )
    commands = {
        "search": ("search", toy, "q0"),
        "unknown": ("explain", toy, "--query", "q0", "--document", EVIL),
        "against": ("evaluate", toy, "--against", EVIL),
        "split": ("faithfulness", toy, "--split", EVIL),
    }
    for name, arguments in commands.items():
        result = run(
            *arguments, "--adapter", toy / "toy.safetensors", "--embeddings", toy / "vectors"
        )
        assert not controls(result.out, result.err), name
        shown = (result.out + result.err).replace("\n", "")
        assert SHOWN in shown or repr(EVIL) in shown, name


@pytest.mark.parametrize("name", ["my[bold]set[v2]", "ev:smile:al", "\x1b[31mred"])
def test_names_of_data_sets_and_adapters_are_printed_unchanged(
    run: Run, toy: Path, tmp_path: Path, name: str
):
    folder, shown = toy.rename(tmp_path / name), name.replace("\x1b", "")
    file = (folder / "toy.safetensors").rename(folder / f"{name}.safetensors")
    prepared = run("prepare", folder, "--embeddings", folder / "vectors", "--adapter", file)
    imported, listed = run("adapters", "import", file), run("adapters", "list")
    measured = run("evaluate", folder, "--embeddings", folder / "vectors", "--adapter", file)
    card = run("adapters", "show", file)
    for result in (prepared, imported, listed, measured, card):
        assert (result.code, result.err, controls(result.out)) == (0, "", set())
    assert f"\n{shown}: 3 documents, 4 queries" in prepared.out
    assert imported.out.replace("\n", "").startswith(f"{shown}: imported to ")
    assert imported.out.replace("\n", "").endswith(f"/adapters/{shown}.safetensors")
    assert shown in listed.out
    assert f"{shown} test, adapter toy" in measured.out
    assert json.loads(card.out)["name"] == "toy"


def test_progress_is_not_read_as_markup(monkeypatch: pytest.MonkeyPatch):
    screen = io.StringIO()
    console = terminal.Terminal(file=screen, force_terminal=True, width=100)
    monkeypatch.setattr(terminal, "err", console)
    with terminal.progress_bar() as progress:
        progress.add_task("encode [bold]x[/nothing] \x9b2J", total=3)
    assert "encode [bold]x[/nothing] 2J" in screen.getvalue()
    assert "\x9b" not in screen.getvalue()


@pytest.mark.parametrize("name", ["evaluate", "search", "adapters"])
def test_a_reader_that_stops_early_does_not_stop_the_command(toy: Path, tmp_path: Path, name: str):
    """As after `| head`: the files are written, and there is no error message."""
    more = {
        "evaluate": command(
            toy, "evaluate", "--json", tmp_path / "r.json", "--run-out", tmp_path / "runs"
        ),
        "search": command(toy, "search", "q0", "--json", tmp_path / "r.json"),
        "adapters": ("adapters", "show", toy / "toy.safetensors"),
    }
    given = [sys.executable, "-m", "imrnns_core.cli", *map(str, more[name])]
    environment = {**os.environ, "IMRNNS_WORKSPACE": str(tmp_path / "workspace")}
    process = subprocess.Popen(
        given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(60) == 0
    assert (tmp_path / "r.json").is_file() == (name != "adapters")
    assert (tmp_path / "runs").is_dir() == (name == "evaluate")


@pytest.mark.parametrize("given", ["./enc", "enc", "~/enc", "../home/enc"])
def test_the_folder_of_an_encoder_is_kept_as_absolute(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
):
    home = tmp_path / "home"
    (home / "enc").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    _, registration = resolve(str(toy), toy / "vectors", given, None, None, tmp_path / "workspace")
    assert registration.encoder.name == str(home / "enc")


@pytest.mark.parametrize("given", ["all-MiniLM-L6-v2", "intfloat/e5-small"])
def test_the_name_of_an_encoder_is_kept_as_it_is(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
):
    (tmp_path / "all-MiniLM-L6-v2").mkdir()
    monkeypatch.chdir(tmp_path)
    _, registration = resolve(str(toy), toy / "vectors", given, None, None, tmp_path / "workspace")
    assert registration.encoder.name == given


def test_no_command_overwrites_a_file_that_it_did_not_write(run: Run, toy: Path, tmp_path: Path):
    """evaluate --json once overwrote the card of an adapter."""
    notes, record = tmp_path / "notes.json", tmp_path / "r.json"
    notes.write_text("mine")
    for name in ("evaluate", "search", "explain"):
        arguments = command(toy, *((name, "q0") if name == "search" else ()))
        if name == "explain":
            arguments = (
                "explain",
                toy,
                "--query",
                "q0",
                "--document",
                "d0",
                *command(toy)[2:],
            )
        one_line(
            run(*arguments, "--json", notes),
            f"{notes}: this file exists and was not written by imrnns-lens {name}; "
            "name another file, or use --force to overwrite it",
        )
        assert notes.read_text() == "mine"
    assert run(*command(toy), "--json", record).code == 0
    assert run(*command(toy), "--json", record).code == 0  # a command may overwrite its own file
    assert run(*command(toy, "search", "q0"), "--json", record).code == 2
    assert json.loads(record.read_text())["command"] == "evaluate"
    assert run(*command(toy, "search", "q0"), "--json", record, "--force").code == 0
    assert json.loads(record.read_text())["command"] == "search"
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "base.run").write_text("my thesis")
    assert run(*command(toy), "--run-out", tmp_path / "runs").code == 2
    assert run(*command(toy), "--run-out", tmp_path / "runs", "--force").code == 0
    assert run(*command(toy), "--run-out", tmp_path / "runs").code == 0
    qrels = tmp_path / "my.qrels"
    for _ in range(2):
        assert run(*command(toy), "--qrels-out", qrels).code == 0
    assert run(*command(toy), "--qrels-out", notes).code == 2
    assert notes.read_text() == "mine"


@pytest.mark.parametrize("of_another_encoder", [False, True])
def test_a_new_document_is_added_to_the_memory_or_the_reader_is_warned(
    run: Run, tmp_path: Path, of_another_encoder: bool
):
    folder = write_grown_sample(tmp_path / "grown", of_another_encoder)
    options = ("--embeddings", folder / "embeddings", "--adapter", "sample-adapter")
    result = run("search", folder, "q001", *options)
    assert result.code == 0
    expected = (
        "imrnns-lens: the sentence memory of sample-adapter lacks 1 of 694 documents, the first "
        f"one is '{NEW.id}', and cannot be extended, so these documents are ranked too low; train "
        "the adapter again"
    )
    assert (expected in result.err) == of_another_encoder
    extended = list((tmp_path / "workspace").glob("extended/*.safetensors"))
    assert len(extended) == (0 if of_another_encoder else 1)
