"""Judgments on the command line: import, list, evaluate with them, export."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from imrnns_core.cli import app as cli
from imrnns_core.storage.database import FILE, VARIABLE
from imrnns_core.storage.judgments import JudgmentStore
from tests.cli.test_commands import Result, toy  # noqa: F401

MINE = "query-id\tcorpus-id\tscore\nq1\td1\t0\nq1\td2\t3\nq9\td1\t1\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("IMRNNS_WORKSPACE", str(tmp_path / "workspace"))

    def call(*arguments: object) -> Result:
        monkeypatch.setattr(sys, "argv", ["imrnns-lens", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return Result(int(caught.value.code or 0), *capsys.readouterr())

    return call


def test_imported_judgments_change_the_evaluation_and_are_exported(
    run,
    toy: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    def evaluated(record: Path) -> dict:
        options = ("--adapter", toy / "toy.safetensors", "--embeddings", toy / "vectors")
        done = run("evaluate", toy, *options, "--json", record, "--qrels-out", tmp_path / "q.trec")
        assert done.code == 0, done.err
        return {**json.loads(record.read_text()), "out": done.out}

    before = evaluated(tmp_path / "before.json")
    assert before["judged_by_people"] == 0
    assert "who judged here" not in before["out"]
    (tmp_path / "mine.tsv").write_text(MINE)
    imported = run("judgments", "import", toy, tmp_path / "mine.tsv", "--who", "Anna")
    assert (imported.code, imported.err) == (0, "")
    assert "rejected: 1 of a query that the data set does not have" in imported.out
    assert imported.out.endswith("toy: 2 new judgments of 3 in the file\n")
    listed = run("judgments", "list", toy).out.splitlines()
    assert [line.split()[:4] for line in listed[1:3]] == [
        ["q1", "d1", "0", "Anna"],
        ["q1", "d2", "3", "Anna"],
    ]
    assert listed[-1] == "2 judgments of toy"
    after = evaluated(tmp_path / "after.json")
    assert after["judged_by_people"] == 2
    assert "2 of" in after["out"]
    assert "judgments of this split come from people who judged here" in after["out"]
    assert after["measures"]["base"]["nDCG@10"] != before["measures"]["base"]["nDCG@10"]
    assert "q1 0 d1 0\nq1 0 d2 3\n" in (tmp_path / "q.trec").read_text() + "\n"
    target = tmp_path / "out.tsv"
    assert run("judgments", "export", toy, "--out", target).code == 0
    assert target.read_text() == MINE.replace("q9\td1\t1\n", "")
    refused = run("judgments", "export", toy, "--out", target, "--format", "trec")
    assert (refused.code, refused.err) == (
        2,
        f"imrnns-lens: {target}: this file exists; name another one, or use --force\n",
    )
    assert run("judgments", "export", toy, "--out", target, "--format", "trec", "--force").code == 0
    assert target.read_text() == "q1 0 d1 0\nq1 0 d2 3\n"


def test_texts_of_the_data_reach_the_terminal_as_text(run, toy: Path, tmp_path: Path) -> None:  # noqa: F811
    store = JudgmentStore(tmp_path / "workspace")
    store.keep("toy", "[bold]what\x1b[31m?", "anna")
    assert "[bold]what[31m?" in run("judgments", "list", toy).out


def test_a_kept_question_is_removed_and_brought_back(run, toy: Path, tmp_path: Path) -> None:  # noqa: F811
    store = JudgmentStore(tmp_path / "workspace")
    kept = store.keep("toy", "what is it?", "anna")
    removed = run("judgments", "remove-question", toy, kept.id, "--who", "Ben")
    assert (removed.code, removed.out) == (0, f"toy: {kept.id} was removed\n")
    assert store.questions("toy") == []
    assert f"{kept.id} (removed by Ben): what is it?\n" in run("judgments", "list", toy).out
    again = run("judgments", "remove-question", toy, kept.id)
    assert (again.code, again.err.count("\n")) == (2, 1)
    assert f"toy has no kept question '{kept.id}'" in again.err
    back = run("judgments", "remove-question", toy, kept.id, "--undo")
    assert (back.code, back.out) == (0, f"toy: {kept.id} is back\n")
    assert store.questions("toy") == [kept]


def test_errors_are_one_line(
    run,
    toy: Path,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    nobody = run("judgments", "export", toy, "--out", tmp_path / "out.tsv")
    assert (nobody.code, nobody.err) == (
        2,
        "imrnns-lens: toy: nobody judged its documents yet; use the page Judging\n",
    )
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / FILE).write_text("damaged " * 1000)
    for command in (("judgments", "list", toy), ("search", toy, "q1")):
        options = (
            ("--adapter", toy / "toy.safetensors", "--embeddings", toy / "vectors")
            if command[0] == "search"
            else ()
        )
        damaged = run(*command, *options)
        assert (damaged.code, damaged.err.count("\n")) == (2, 1)
        assert f"{FILE}: file is not a database; " in damaged.err
    monkeypatch.setenv(VARIABLE, "postgresql://u:s3cret@[half/d")
    wrong = run("judgments", "list", toy)
    assert (wrong.code, "s3cret" in wrong.err) == (2, False)
