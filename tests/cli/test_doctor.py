"""`imrnns-lens doctor`: lists what is damaged, and repairs it."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

from imrnns_core.cli.app import main
from imrnns_core.config import EncoderSpec
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError
from imrnns_core.storage.judgments import JudgmentStore
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.workspace import Workspace

ADAPTER = ASSETS_FOLDER / "sample-paper.safetensors"


def doctor(monkeypatch: pytest.MonkeyPatch, root: Path, *options: str) -> int:
    arguments = ["imrnns-lens", "doctor", "--workspace", str(root), *options]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """A workspace with a list of data sets, an adapter, a map, and three judgments."""
    space = Workspace(tmp_path / "workspace")
    space.register(Registration("toy", tmp_path, None, EncoderSpec()))
    space.import_adapter(ADAPTER)
    queries = {f"q{i}": Query(f"q{i}", f"query {i}") for i in range(3)}
    documents = (Document("d0", "", "text"), Document("d1", "", "other"))
    dataset = Dataset("toy", tmp_path, documents, queries)
    store = JudgmentStore(space.root)
    store.add(dataset, [("q0", "d0", 1), ("q1", "d0", 2), ("q2", "d1", 3)], "anna")
    (space.root / "maps").mkdir()
    return space


def test_a_whole_workspace_is_counted(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(monkeypatch, space.root) == 0
    printed = capsys.readouterr()
    assert printed.out.strip() == f"{space.root}: 4 files whole, 0 with a problem"
    assert printed.err == ""


def test_a_damaged_version_is_named_and_written_again(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for damaged in ("", "{", "[]", '{"!schema": 1}'):
        (space.root / "workspace.json").write_text(damaged)
        assert doctor(monkeypatch, space.root) == 1
        assert "workspace.json: it cannot be read" in capsys.readouterr().err
    assert doctor(monkeypatch, space.root, "--repair") == 0
    space.register(Registration("other", space.root, None, EncoderSpec()))
    assert doctor(monkeypatch, space.root) == 0
    assert (space.root / "workspace.json").exists()


def test_an_empty_workspace_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor(monkeypatch, tmp_path / "new") == 0
    assert not (tmp_path / "new").exists()


def test_damaged_files_are_named_and_repaired(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = space.root / "adapters" / "sample-paper.safetensors"
    content = bytearray(adapter.read_bytes())
    content[-100] ^= 1
    adapter.write_bytes(content)
    (space.root / "maps" / "0123.npz").write_bytes(b"PK no archive")
    left = space.root / "maps" / f".0123.npz.{2**22}-0123abcd.tmp"
    left.touch()
    assert doctor(monkeypatch, space.root) == 1
    printed = capsys.readouterr()
    assert printed.out.strip() == f"{space.root}: 3 files whole, 3 with a problem"
    lines = printed.err.splitlines()
    assert [line.partition(":")[0] for line in lines] == [
        "adapters/sample-paper.safetensors",
        "maps/0123.npz",
        f"maps/{left.name}",
    ]
    assert "doctor --repair moves it aside; then import or train it again" in lines[0]
    assert "doctor --repair deletes it; it is computed again when it is needed" in lines[1]
    assert adapter.exists()
    assert doctor(monkeypatch, space.root, "--repair") == 0
    said = capsys.readouterr().out
    (kept,) = (space.root / "damaged").glob("*/adapters/sample-paper.safetensors")
    assert kept.read_bytes() == content
    assert f"adapters/sample-paper.safetensors: moved to {kept.parent}" in said
    assert list((space.root / "maps").iterdir()) == []
    assert doctor(monkeypatch, space.root) == 0


def test_of_damaged_judgments_the_whole_rows_are_kept(
    space: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store, file = JudgmentStore(space.root), space.root / "judgments.sqlite"
    before = store.current("toy")
    connection = sqlite3.connect(file)
    connection.execute("UPDATE judgments SET grade = 0 WHERE id = 2")  # as a flipped bit
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match=r"row 2 of the table judgments is damaged; .* doctor"):
        store.current("toy")
    assert doctor(monkeypatch, space.root) == 1
    assert "1 rows are damaged; the first is row 2 of" in capsys.readouterr().err
    assert doctor(monkeypatch, space.root, "--repair") == 0
    assert "2 whole rows are kept" in capsys.readouterr().out
    assert store.current("toy") == [before[0], before[2]]
    assert list((space.root / "damaged").glob("*/judgments.sqlite"))


def test_a_judgment_that_is_missing_is_found(space: Workspace) -> None:
    connection = sqlite3.connect(space.root / "judgments.sqlite")
    connection.execute("UPDATE judgments SET dataset = 'toz' WHERE id = 3")
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match="row 3 of the table judgments is damaged"):
        JudgmentStore(space.root).current("toy")


def test_judgments_of_older_versions_have_no_checksum(space: Workspace) -> None:
    connection = sqlite3.connect(space.root / "judgments.sqlite")
    connection.execute("DROP TABLE checksums")
    connection.commit()
    connection.close()
    store = JudgmentStore(space.root)
    assert [judgment.grade for judgment in store.current("toy")] == [1, 2, 3]
    store.keep("toy", "new question", "anna")
    assert [judgment.grade for judgment in store.current("toy")] == [1, 2, 3]
