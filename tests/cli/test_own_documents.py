"""Queries that are documents of the corpus: what `prepare` and `evaluate` say and store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imrnns_core.cli.app import app as cli
from imrnns_core.storage.workspace import Workspace
from tests.toys import write_dataset

LINE = "1 query is also in the corpus, same id and text."


def run(*arguments: object) -> None:
    assert not cli([str(a) for a in arguments], standalone_mode=False)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    texts = ["Eat less meat.", "Meat is good for you.", "Cities grow.", "Trains are fast."]
    documents = [{"_id": f"a{i}", "title": "Debate", "text": t} for i, t in enumerate(texts)]
    queries = [{"_id": "a0", "text": texts[0]}, {"_id": "a2", "text": "Are trains fast?"}]
    qrels = "query-id\tcorpus-id\tscore\na0\ta1\t1\na2\ta3\t1\n"
    return write_dataset(tmp_path / "debate", documents, queries, qrels)


def test_the_choice_is_said_and_stays_with_the_data_set(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    record = tmp_path / "record.json"

    def evaluated() -> dict:
        run("evaluate", "debate", "--json", record, "--force", "--run-out", tmp_path / "runs")
        return json.loads(record.read_text())

    run("prepare", data)
    assert "1 query has the id of a document, but another" in capsys.readouterr().out
    left_out = evaluated()
    assert LINE in capsys.readouterr().out
    assert left_out["own_document_left_out"] == ["a0"]
    assert left_out["measures"]["base"]["Success@1"] == 1.0
    run_lines = (tmp_path / "runs" / "base.run").read_text().splitlines()
    assert next(line.split()[2] for line in run_lines if line.startswith("a0 ")) == "a1"

    run("prepare", "debate", "--keep-own")
    assert f"{LINE} This document stays in the rankings" in capsys.readouterr().out
    kept = evaluated()
    assert kept["own_document_left_out"] == []
    assert kept["measures"]["base"]["Success@1"] == 0.5
    # preparing again does not change the choice
    run("prepare", "debate")
    assert Workspace().registrations()["debate"].keep_own
    run("prepare", "debate", "--leave-out-own")
    assert evaluated()["measures"] == left_out["measures"]


def test_a_run_of_another_system_is_measured_without_the_own_document(
    data: Path, tmp_path: Path
) -> None:
    other, record = tmp_path / "other.run", tmp_path / "record.json"
    lines = ["a0 Q0 a0 1 9.0 x", "a0 Q0 a1 2 8.0 x", "a2 Q0 a2 1 9.0 x", "a2 Q0 a3 2 8.0 x"]
    other.write_text("\n".join(lines) + "\n")
    run("evaluate", data, "--against", other, "--json", record)
    queries = json.loads(record.read_text())["against"]["queries"]
    assert {q["query_id"]: q["best_relevant_rank"] for q in queries} == {"a0": 1, "a2": 2}
