"""TREC run files."""

from __future__ import annotations

from pathlib import Path

import pytest

from imrnns_core.evaluation import evaluate
from imrnns_core.ranking import Ranker
from imrnns_core.records import Hit
from imrnns_core.runs import comparison_run, run_lines, write_runs
from tests.core.toys import adapter, collection, still_model


@pytest.fixture
def ranker() -> Ranker:
    return Ranker(
        collection([[1, 0], [0.8, 0.6], [0, 1]], [[0.6, 0.8], [1, 0]], {"q1": {"d0": 1}, "q0": {"d2": 1}}), adapter(still_model(2))
    )


def test_lines():
    assert run_lines("q", [Hit("a", 1, 0.5, 2), Hit("b", 2, -0.25, -1)], "base") == ["q Q0 a 1 0.5000000 base", "q Q0 b 2 -0.2500000 base"]


def test_one_query(ranker: Ranker):
    lines = [line.split() for line in comparison_run(ranker.compare_id("q0"), "base").splitlines()]
    assert [line[:4] for line in lines] == [["q0", "Q0", "d1", "1"], ["q0", "Q0", "d2", "2"], ["q0", "Q0", "d0", "3"]]
    assert [float(line[4]) for line in lines] == pytest.approx([0.96, 0.8, 0.6], abs=1e-6)


def test_a_run_for_each_stage(ranker: Ranker, tmp_path: Path):
    paths = write_runs(evaluate(ranker, "test"), ranker.collection.dataset.document_ids, tmp_path / "runs")
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == sorted(p.name for p in paths)
    assert [p.name for p in paths] == ["base.run", "projected.run", "document-modulated.run", "modulated.run"]
    fields = [line.split() for line in paths[-1].read_text().splitlines()]
    assert [(f[0], f[2], f[3], f[5]) for f in fields] == [
        ("q1", "d0", "1", "modulated"),
        ("q1", "d1", "2", "modulated"),
        ("q1", "d2", "3", "modulated"),
        ("q0", "d2", "1", "modulated"),
        ("q0", "d0", "2", "modulated"),
        ("q0", "d1", "3", "modulated"),
    ]
    assert paths[0].read_text().splitlines()[3:] == comparison_run(ranker.compare_id("q0"), "base").splitlines()
