"""Hostile ids, titles and texts through all commands: nothing is interpreted by the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.cli import app as cli
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.data.readers.load import load_dataset
from tests.toys import write_dataset

ESCAPES = "\x1b[31mred\x1b]0;title\x07\x9b2J"
BIDI = "\u202etxt.exe\u2066\u200f"
MARKUP = "[bold red]x[/] [link=http://evil]y[/link] <img src=x onerror=alert(1)> :smile:"
FORMULA = '=HYPERLINK("http://evil","x")'
IDS = (f"../../{ESCAPES}", f"CON {BIDI}", f"{FORMULA}", "d\n3\r\u2028next")
FORBIDDEN = "\x1b\x07\x9b\r\x7f\u202e\u2066\u200f\u2028"

Run = Callable[..., str]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Call the command line in this process, and return all that it prints."""
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))

    def call(*arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", ["imrnns-lens", *map(str, arguments)])
        with pytest.raises(SystemExit):
            cli.main()
        return "".join(capsys.readouterr())

    return call


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of hostile names, with vectors."""
    documents = [
        {"_id": own, "title": f"{ESCAPES}{BIDI}{MARKUP}", "text": f"{FORMULA} {ESCAPES} {i}"}
        for i, own in enumerate(IDS)
    ]
    queries = [{"_id": f"q{own}", "text": f"which {ESCAPES}{BIDI}{MARKUP} {own}?"} for own in IDS]
    qrels = "query-id\tcorpus-id\tscore\n" + "".join(
        f"{' '.join(f'q{own}'.split())}\t{' '.join(own.split())}\t1\n" for own in IDS[:3]
    )
    folder = write_dataset(tmp_path / f"data {MARKUP[:10]}", documents, queries, qrels)
    return folder


def test_no_command_prints_what_a_terminal_interprets(run: Run, data: Path, tmp_path: Path):
    dataset, vectors = load_dataset(data), np.eye(4, dtype=np.float32)
    folder = tmp_path / "vectors"
    folder.mkdir()
    save_embeddings(EmbeddingMatrix(dataset.document_ids, vectors), folder, "documents", "document")
    save_embeddings(EmbeddingMatrix(tuple(dataset.queries), vectors), folder, "queries", "query")
    query, record = next(iter(dataset.queries)), tmp_path / "record.json"
    report, ranked = tmp_path / "report.html", tmp_path / "runs"
    own = (data, "--embeddings", folder)
    files = ("--json", record, "--html", report, "--run-out", ranked)
    printed = {
        "prepare": run("prepare", *own),
        "search": run("search", data, query, "--embeddings", folder),
        "evaluate": run("evaluate", *own, "--split", "test", *files),
        "gate": run("gate", *own, "--baseline", record),
        "remedies": run("remedies", *own, "--split", "test"),
        "judgments": run("judgments", "list", data),
        "unknown": run("search", data, f"{ESCAPES}{BIDI}", "--adapter", ESCAPES),
        "missing": run("prepare", tmp_path / ESCAPES / BIDI),
    }
    for command, text in printed.items():
        assert text, command
        assert not set(FORBIDDEN) & set(text), (command, text)
    assert "[bold red]x[/]" in printed["search"], printed
    assert "<img src=x" not in report.read_text(encoding="utf-8")
    # an id is one column of a run, whatever it contains
    for path in ranked.iterdir():
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
        assert {len(line.split()) for line in lines} == {6}
