"""The command `remedies`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imrnns_core.cli.app import app as cli
from imrnns_core.errors import LensError


def run(*arguments: object) -> None:
    assert not cli([str(a) for a in arguments], standalone_mode=False)


def test_the_table_and_the_record_say_what_to_do_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    file = tmp_path / "remedies.json"
    run("remedies", "sample", "--split", "test", "--json", file)
    record = json.loads(file.read_text())
    assert (record["command"], record["adapter"]) == ("remedies", None)
    names = [remedy["name"] for remedy in record["remedies"]]
    # the adapters of the data set are tried without being named
    ways = ("", ", larger pool", ", whole corpus")
    adapters = [f"adapter {own}{way}" for own in ("sample-adapter", "sample-paper") for way in ways]
    assert names == [
        *(*adapters, "base + BM25", "reciprocal rank fusion", "Rocchio", "RM3"),
        "spelling corrected",
    ]
    (group,) = record["cause_groups"]
    assert (group["cause"], group["remedy"], group["broken"]) == (
        *("keyword mismatch", "base + BM25", 0),
    )
    assert 5 <= len(group["fixed"]) <= len(group["queries"]) <= record["failing"]
    printed = capsys.readouterr().out
    assert "First: adapter sample-adapter. On 134 of the 236 queries (those whose" in printed
    assert record["first"] == "adapter sample-adapter"
    assert record["remedies"][0]["groups"].keys() == {"all"}
    assert record["remedies"][3]["groups"].keys() == {"all", "seen", "text used"}
    assert "Not tried: titles left out, titles twice, passages." in printed
    table = next(line for line in printed.splitlines() if line.startswith(" base + BM25"))
    assert table.split()[-3:-1] == ["6", "0"]
    file.write_text("mine")
    with pytest.raises(LensError, match="was not written by imrnns-lens remedies"):
        run("remedies", "sample", "--json", file)


def test_a_run_can_be_the_base(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    engine, other = tmp_path / "engine.run", tmp_path / "other.run"
    engine.write_text("q007 Q0 rio-grande 1 9 t\nq007 Q0 costa-rican-colon 12 8 t\n")
    other.write_text("q001 Q0 kelvin 1 9 t\n")
    run("prepare", "sample", "--run", engine, "--run", other)
    run("remedies", "sample", "--base", "engine", "--json", tmp_path / "remedies.json")
    record = json.loads((tmp_path / "remedies.json").read_text())
    assert (record["run"], record["adapter"], record["queries"]) == ("engine", None, 1)
    assert record["not_ranked"] == 235
    assert "ranks no document for 235 of the judged queries" in capsys.readouterr().out
    with pytest.raises(LensError, match="the run other ranks no document for any of the"):
        run("remedies", "sample", "--base", "other", "--split", "train")


def test_without_judgments_the_command_says_what_to_add(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    pages, asked = tmp_path / "pages.csv", tmp_path / "asked.csv"
    pages.write_text("id,text\na,Open a ticket.\nb,Sixteen weeks.\n")
    asked.write_text("query\nHow long?\n")
    run("prepare", pages, "--queries", asked)
    with pytest.raises(LensError, match="has no judgments"):
        run("remedies", "pages")


def test_with_an_adapter_of_unknown_training_the_other_remedies_are_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.chdir(tmp_path)
    run("adapters", "export", "sample-paper", "unknown.pt")
    run("adapters", "import", "unknown.pt")
    capsys.readouterr()
    run("remedies", "sample", "--adapter", "unknown", "--split", "test")
    printed = " ".join(capsys.readouterr().out.split())
    assert "First: adapter sample-adapter. On 134 of the 236 queries" in printed
    assert "The default setting is used for adapter unknown, adapter unknown, larger" in printed
    assert "Cannot come first here: adapter unknown. The training of an adapter used" in printed
