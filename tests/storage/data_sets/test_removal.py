"""Data sets are deleted and brought back; files outside the workspace are never touched."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from imrnns_core.errors import LensError
from imrnns_core.storage.data_sets.removal import (
    remove_data_set,
    removed_data_sets,
    restore_data_set,
)
from imrnns_core.storage.data_sets.uploads import save_upload
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.workspace import Workspace


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "space")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each file, without those that are empty lists."""
    files = (path for path in folder.rglob("*") if path.is_file())
    read = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {name: content for name, content in read.items() if content != b"{}"}


def upload(space: Workspace, name: str, content: bytes) -> Path:
    return save_upload(space.root, name, io.BytesIO(content))


def add(space: Workspace, path: Path, queries: Path | None = None) -> Registration:
    """Register a data set, with files that stand for its vectors and its BM25 index."""
    registration = replace(space.resolve(str(path)), queries=queries)
    space.register(registration)
    for kind in ("vectors", "lexical"):
        folder = space.root / kind / registration.name
        (folder / "part").mkdir(parents=True)
        (folder / "part" / "file").write_bytes(f"{kind} of {registration.name}".encode())
    return registration


def test_a_deleted_data_set_comes_back_with_its_files_and_runs(
    space: Workspace, tmp_path: Path
) -> None:
    documents = upload(space, "pages.csv", b"id,text\n1,one\n")
    queries = upload(space, "asked.csv", b"question\nwhat?\n")
    registration = add(space, documents, queries)
    space.runs.put("pages", {"other": tmp_path / "other.run"})
    before = contents(space.root)
    remove_data_set(space.root, "pages")
    assert list(space.registrations()) == ["sample"]
    assert space.runs.files("pages") == {}
    assert {name.partition("/")[0] for name in contents(space.root)} == {"removed"}
    assert list(removed_data_sets(space.root)) == ["pages"]
    restore_data_set(space.root, "pages")
    assert contents(space.root) == before
    assert space.registrations()["pages"] == registration
    assert space.runs.files("pages") == {"other": tmp_path / "other.run"}
    assert removed_data_sets(space.root) == {}
    assert list((space.root / "removed").iterdir()) == []


def test_files_outside_the_workspace_stay(space: Workspace, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "pages.csv").write_text("id,text\n1,one\n")
    (own / "asked.csv").write_text("question\nwhat?\n")
    before = contents(own)
    add(space, own / "pages.csv", own / "asked.csv")
    remove_data_set(space.root, "pages")
    assert contents(own) == before
    restore_data_set(space.root, "pages")
    assert contents(own) == before
    assert space.registrations()["pages"].path == own / "pages.csv"


def test_an_upload_that_another_data_set_uses_stays(space: Workspace) -> None:
    first = upload(space, "first.csv", b"id,text\n1,one\n")
    second = upload(space, "second.csv", b"id,text\n2,two\n")
    queries = upload(space, "asked.csv", b"question\nwhat?\n")
    add(space, first, queries)
    add(space, second, queries)
    remove_data_set(space.root, "first")
    assert (first.exists(), second.exists(), queries.exists()) == (False, True, True)
    assert (space.root / "vectors" / "second").is_dir()
    remove_data_set(space.root, "second")
    assert not queries.exists()
    # of the two, only the second moved the file aside
    restore_data_set(space.root, "first")
    restore_data_set(space.root, "second")
    assert (first.exists(), second.exists(), queries.exists()) == (True, True, True)


def test_of_two_deleted_data_sets_with_one_name_the_last_comes_back(space: Workspace) -> None:
    for text in (b"id,text\n1,one\n", b"id,text\n1,two\n"):
        add(space, upload(space, "pages.csv", text))
        remove_data_set(space.root, "pages")
    restore_data_set(space.root, "pages")
    assert (space.root / "uploads" / "pages.csv").read_bytes() == b"id,text\n1,two\n"
    with pytest.raises(LensError, match="pages: another data set has this name by now"):
        restore_data_set(space.root, "pages")


def test_an_undo_never_replaces_a_file(space: Workspace) -> None:
    add(space, upload(space, "pages.csv", b"old"))
    remove_data_set(space.root, "pages")
    upload(space, "pages.csv", b"new")
    with pytest.raises(LensError, match="another data set has this file by now"):
        restore_data_set(space.root, "pages")
    assert (space.root / "uploads" / "pages.csv").read_bytes() == b"new"
    assert list(removed_data_sets(space.root)) == ["pages"]


@pytest.mark.parametrize(
    ("name", "message"),
    [("sample", "the sample cannot be deleted"), ("none", "no data set has this name")],
)
def test_the_sample_and_unknown_names_are_refused(
    space: Workspace, name: str, message: str
) -> None:
    with pytest.raises(LensError, match=f"{name}: {message}"):
        remove_data_set(space.root, name)
    with pytest.raises(LensError, match="no deleted data set has this name"):
        restore_data_set(space.root, name)
    assert not space.root.exists()
