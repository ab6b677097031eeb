"""`evaluate --html` writes the figures of `--json`, and overwrites only its own reports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imrnns_core.cli.app import app as cli
from imrnns_core.errors import LensError
from imrnns_core.reporting.formatting import decimal, interval
from tests.reporting.test_evaluation_html import Tables


def run(*arguments: object) -> None:
    assert not cli([str(a) for a in arguments], standalone_mode=False)


@pytest.mark.parametrize("adapter", ["sample-adapter", "none"])
def test_the_report_has_the_figures_of_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, adapter: str
) -> None:
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))
    page, file = tmp_path / "report.html", tmp_path / "record.json"
    command = ("evaluate", "sample", "--split", "dev", "--measure", "P@5", "--html", page)
    chosen = () if adapter == "none" else ("--adapter", adapter)
    run(*command, *chosen, "--json", file)
    record, tables = json.loads(file.read_text()), Tables(page.read_text()).tables
    head, *rows = tables["All measures"]
    base = dict(zip(head, next(r for r in rows if r[0] == "all" and r[2] == "base"), strict=True))
    assert len(record["measures"]["base"]) == 7
    for name, mean in record["measures"]["base"].items():
        assert base[name] == decimal(mean)
    if chosen:
        intervals = {row[2]: row[4] for row in tables["Changes"] if row[0] == "all"}
        assert intervals == {
            name: interval(test["ci95"]) for name, test in record["significance"].items()
        }
    failing = {row[0] for row in tables["Failing queries"][1:]}
    assert failing == {
        query["query_id"]
        for query in record["queries"]
        if query["outcome"] in ("broken", "ranked too low", "not retrieved")
    }
    run(*command, *chosen)  # its own report
    with pytest.raises(LensError, match="not written by imrnns-lens explain"):
        run("explain", "sample", "--query", "q054", "--document", "the-hague", "--html", page)
