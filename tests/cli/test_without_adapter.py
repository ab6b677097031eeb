"""The commands without an adapter: values of the base alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imrnns_core.cli.app import app as cli


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    return tmp_path


def run(*arguments: object) -> None:
    assert not cli([str(a) for a in arguments], standalone_mode=False)


def test_evaluate_has_the_base_figures_of_the_same_command_with_an_adapter(space: Path) -> None:
    run("evaluate", "sample", "--json", space / "base.json", "--run-out", space / "runs")
    run("evaluate", "sample", "--adapter", "sample-adapter", "--json", space / "adapter.json")
    base, adapted = (json.loads((space / f"{n}.json").read_text()) for n in ("base", "adapter"))
    assert base["adapter"] is None
    assert base["significance"] is None
    assert base["gain"] is None
    assert base["measures"] == {name: adapted["measures"][name] for name in ("bm25", "base")}
    systems, others = base["baselines"]["systems"], adapted["baselines"]["systems"]
    for name, system in systems.items():
        group = system["groups"]["all"]
        assert group["measures"] == others[name]["groups"]["all"]["measures"]
        difference = group["measures"]["nDCG@10"] - base["measures"]["base"]["nDCG@10"]
        assert group["baseline_minus_base"]["change"] == pytest.approx(difference)
    assert {query["outcome"] for query in base["queries"]} == {
        "found",
        "ranked too low",
        "not retrieved",
    }
    assert [path.name for path in (space / "runs").iterdir()] == ["base.run"]


def test_none_names_no_adapter(space: Path) -> None:
    run("evaluate", "sample", "--adapter", "none", "--json", space / "none.json")
    assert json.loads((space / "none.json").read_text())["adapter"] is None


def test_search_prints_base_and_fusion(space: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("search", "sample", "q128", "-k", "3", "--json", space / "found.json")
    record = json.loads((space / "found.json").read_text())
    assert record["adapter"] is None
    assert list(record["rankings"]) == ["base", "reciprocal rank fusion", "BM25"]
    best = record["rankings"]["BM25"][1]
    assert (best["document_id"], best["relevance"], best["base_rank"]) == ("rio-grande", 2, 24)
    printed = capsys.readouterr().out
    assert "Base ranking" in printed
    assert "Reciprocal rank fusion ranking" in printed


def test_explain_measures_words_of_the_base_score(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ("--json", space / "why.json", "--html", space / "why.html")
    run("explain", "sample", "--query", "q128", "--document", "rio-grande", "--verify", *files)
    record = json.loads((space / "why.json").read_text())
    assert record["ranks"] == {"base": 24}
    assert record["accounting"] == {"base": pytest.approx(record["scores"]["base"])}
    words = {word["word"]: word for word in record["words"]["document"]}
    assert words["Chamizal"]["change"] == 0.0
    assert words["Chamizal"]["score"] == max(word["score"] for word in words.values())
    report = (space / "why.html").read_text()
    assert "at rank 24?" in report
    assert "modulated" not in report
    assert "drop of change" not in capsys.readouterr().out


def test_prepare_makes_the_map_of_the_base_embeddings(
    space: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("umap")
    table = space / "pages.csv"
    rows = [f"{i},Title {i},some words about subject {i % 7} and {i}" for i in range(30)]
    table.write_text("\n".join(["id,title,text", *rows]))
    run("prepare", table, "--adapter", "none")
    assert "Map for base embeddings: ready" in capsys.readouterr().out
    assert len(list((space / "workspace" / "maps").glob("*.npz"))) == 1
