"""The gate finds planted faults, and rounding or another order of documents raises no alarm."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from benchmarks.gate import harmless, record_of, wrong_vectors
from imrnns_core.cli.app import app as cli
from imrnns_core.errors import LensError
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.evaluation.gate import NewFailure, lost_queries, new_failures
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.types import relevant_ids

CASES = ["none", "sample-adapter"]


@pytest.fixture(scope="module", params=CASES)
def ranker(request: pytest.FixtureRequest, sample: Collection) -> Ranker:
    file = ASSETS_FOLDER / f"{request.param}.safetensors"
    return Ranker(sample, load_adapter(file) if file.exists() else None)


@pytest.fixture(scope="module")
def measured(ranker: Ranker) -> Evaluation:
    return evaluate(ranker, "dev")


def changed(ranker: Ranker, collection: Collection) -> tuple[Evaluation, dict[str, int]]:
    now = Ranker(collection, ranker.optional_adapter)
    return evaluate(now, "dev"), collection.documents.row


@pytest.mark.parametrize("seed", [0, 1])
def test_rounding_and_order_raise_no_alarm(ranker: Ranker, measured: Evaluation, seed: int) -> None:
    now = changed(ranker, harmless(ranker.collection, seed))
    assert now[0].query_ids == measured.query_ids
    assert new_failures(now[0], record_of(measured), now[1]) == []


def test_wrong_vectors_are_found(ranker: Ranker, measured: Evaluation) -> None:
    now, row = changed(ranker, wrong_vectors(ranker.collection, 0))
    failures = new_failures(now, record_of(measured), row)
    assert len(failures) > 2
    for own in failures:
        i = now.query_ids.index(own.query_id)
        assert own.before == measured.best_rank(own.stage)[i] <= 10
        assert own.now == now.best_rank(own.stage)[i]
        assert own.now == 0 or own.now > 10


def test_the_first_stage_that_fails_is_named(ranker: Ranker, measured: Evaluation) -> None:
    record, last = record_of(measured), measured.final
    ranks = measured.best_rank(last)
    below = [i for i, rank in enumerate(ranks.tolist()) if rank > 12]
    assert below
    queries: Any = record["queries"]
    for i in below:
        queries[i]["best_relevant_rank"] = {"base": None, last: 3}
    row = measured_rows(ranker)
    assert new_failures(measured, record, row) == [
        NewFailure(measured.query_ids[i], last, 3, int(ranks[i])) for i in below
    ]


def measured_rows(ranker: Ranker) -> dict[str, int]:
    return ranker.collection.documents.row


@pytest.mark.parametrize(("gap", "fails"), [(0.001, False), (0.004, True)])
def test_only_documents_clearly_below_the_top_are_failures(
    sample: Collection, gap: float, fails: bool
) -> None:
    measured = evaluate(Ranker(sample), "dev")
    batch, row = measured.batch, sample.documents.row
    relevant = [[row[d] for d in relevant_ids(own)] for own in measured.qrels.values()]
    is_relevant = np.stack([np.isin(*own) for own in zip(batch.rows, relevant, strict=True)])
    scores = np.where(is_relevant, 0.5 - gap, 0.5).astype(np.float32)[:, None]
    near = replace(measured, batch=replace(batch, scores=scores))
    assert bool(new_failures(near, record_of(measured), row)) == fails


def test_queries_that_are_no_longer_measured_are_named(measured: Evaluation) -> None:
    record = record_of(measured)
    queries: Any = record["queries"]
    queries.append({"query_id": "gone", "best_relevant_rank": {"base": 1}})
    assert lost_queries(measured, record) == ["gone"]


def test_the_command_exits_with_one_and_links_to_the_query(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    file = tmp_path / "base.json"

    def run(*arguments: object) -> Any:
        return cli([str(a) for a in arguments], standalone_mode=False)

    run("evaluate", "sample", "--split", "test", "--json", file)
    assert not run("gate", "sample", "--baseline", file)
    assert "passed: none of 236 queries fails that did not fail before" in capsys.readouterr().out
    record = json.loads(file.read_text())
    own = next(q for q in record["queries"] if q["query_id"] == "q048")
    assert own["best_relevant_rank"]["base"] == 15
    own["best_relevant_rank"]["base"] = 3
    file.write_text(json.dumps(record))
    try:
        code = run("gate", "sample", "--baseline", file, "--dashboard", "http://lens:80")
    except typer.Exit as ended:
        code = ended.exit_code
    assert code == 1
    printed = "".join(capsys.readouterr().out.split())
    assert "q048base315http://lens:80/compare?data=sample&adapter=none&query=q048" in printed
    assert "failed:1queryfailsnow,andnotbefore" in printed
    for text in ("{}", "no JSON"):
        file.write_text(text)
        with pytest.raises(LensError, match="this is no record of an evaluation"):
            run("gate", "sample", "--baseline", file)
    file.write_text(json.dumps({**record, "adapter": "sample-adapter"}))
    with pytest.raises(LensError, match="has the adapter sample-adapter; name it"):
        run("gate", "sample", "--baseline", file)
    file.write_text(json.dumps({**record, "dataset": "other"}))
    with pytest.raises(LensError, match=r"is an evaluation of other \(test\), not of sample"):
        run("gate", "sample", "--baseline", file)
