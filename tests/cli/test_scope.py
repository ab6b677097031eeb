"""`--scope corpus`: the adapter ranks the whole corpus, and says how certain its top is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imrnns_core.cli.app import app as cli
from imrnns_core.errors import AdapterError, ExplanationError
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.storage.workspace import Workspace
from tests.toys import adapter, random_model

DOCUMENTS = 130
"""More than the candidates, so that some documents are outside them."""


def run(*arguments: object) -> None:
    assert not cli([str(a) for a in arguments], standalone_mode=False)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("adapters") / "random.safetensors"
    save_adapter(adapter(random_model(7, 384, 32), name="random"), path)
    return path


def record(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def test_search_finds_a_document_outside_the_candidates(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "search.json"
    options = ("--adapter", model, "--scope", "corpus", "-k", 5, "--json", file)
    run("search", "sample", "q128", *options)
    stored = record(file)
    assert stored["scope"] == "corpus"
    assert stored["certainty"]["top_k"] == 5
    assert stored["certainty"]["proof"] in ("exact", "proven")
    assert "The modulated top 5 of the whole corpus is" in " ".join(capsys.readouterr().out.split())
    # a random adapter has little in common with the base
    hits = stored["rankings"]["modulated"]
    assert max(hit["base_rank"] for hit in hits) > 100
    space = Workspace()
    ranker = space.ranker(space.open("sample"), str(model))
    narrow = ranker.compare("q128")
    for hit in hits:
        ranks = ranker.corpus_ranks(narrow, hit["document_id"])
        assert (hit["rank"], hit["base_rank"]) == (ranks["modulated"], ranks["base"])
    # such a document can be explained
    outside = next(hit["document_id"] for hit in hits if hit["base_rank"] > 100)
    file = tmp_path / "explain.json"
    pair = ("--query", "q128", "--document", outside, "--adapter", model, "--json", file)
    page = tmp_path / "explain.html"
    run("explain", "sample", *pair, "--scope", "corpus", "--html", page)
    explained = record(file)
    assert explained["ranks"]["modulated"] <= 5
    assert (explained["scope"], explained["certainty"]["top_k"]) == ("corpus", 10)
    assert "Ranks are those among all documents of the corpus. The modulated top 10" in (
        " ".join(page.read_text().split())
    )
    parts = explained["accounting"]
    total = sum(parts[part] for part in ("projector", "document_modulation", "query_refinement"))
    assert parts["base"] + total == pytest.approx(parts["modulated"], abs=1e-6)
    with pytest.raises(ExplanationError, match="the adapter scores candidates only"):
        run("explain", "sample", *pair)


def test_evaluate_measures_the_ranking_of_the_corpus(
    model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "evaluate.json"
    options = ("--adapter", model, "--split", "dev", "--scope", "corpus", "--json", file)
    run("evaluate", "sample", *options)
    stored = record(file)
    assert stored["scope"] == "corpus"
    assert sum(stored["certainty"].values()) == stored["n_queries"]
    assert "not proven" not in stored["certainty"]
    assert "Base and adapter search the whole corpus" in " ".join(capsys.readouterr().out.split())
    space = Workspace()
    ranker = space.ranker(space.open("sample"), str(model))
    measured = evaluate(ranker.with_scope("corpus"), "dev")
    assert stored["measures"]["modulated"] == pytest.approx(measured.mean("modulated"))
    narrow = evaluate(ranker, "dev")
    assert stored["measures"]["base"] == pytest.approx(narrow.mean("base"))
    assert stored["measures"]["modulated"]["R@100"] != pytest.approx(narrow.mean("base")["R@100"])
    assert narrow.to_json()["scope"] == "candidates"
    assert narrow.to_json()["certainty"] is None
    assert {query["certainty"]["top_k"] for query in stored["queries"]} == {10}


def test_without_an_adapter_the_scope_is_refused() -> None:
    with pytest.raises(AdapterError, match="this needs an adapter; name one with --adapter"):
        run("search", "sample", "q128", "--scope", "corpus")
