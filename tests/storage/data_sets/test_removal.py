"""Data sets are deleted and brought back; files outside the workspace are never touched."""

from __future__ import annotations

import io
import os
import time
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
from imrnns_core.storage.data_sets.uses import KINDS, note_use
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.removed import KEPT_DAYS, remove_adapter
from imrnns_core.storage.workspace import Workspace


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "space")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of each file, without locks and those that are empty lists."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock")
    read = {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    return {name: content for name, content in read.items() if content.strip() != b"{}"}


def upload(space: Workspace, name: str, content: bytes) -> Path:
    return save_upload(space.root, name, io.BytesIO(content))


DAY = 24 * 3600


def age(path: Path, days: float) -> Path:
    """Let a file be this old, or what is in a folder of `removed`; return its new path."""
    then = time.time() - days * DAY
    if path.is_file():
        os.utime(path, (then, then))
        return path
    return path.rename(path.with_name(f"{int(then * 1e9):020d}"))


def computed(space: Workspace, kind: str, *names: str) -> Path:
    """Write a file that was computed for these data sets."""
    path = space.root / kind / f"{'-'.join(names)}.npz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"{kind} of {names}".encode())
    for name in names:
        note_use(space.root, name, path)
    return path


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
    left = {name.partition("/")[0] for name in contents(space.root)}
    assert left == {"removed", "workspace.json"}
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


def test_what_was_computed_for_a_data_set_goes_and_comes_back_with_it(space: Workspace) -> None:
    for name in ("first", "second"):
        add(space, upload(space, f"{name}.csv", f"id,text\n1,{name}\n".encode()))
    own = [computed(space, kind, "first") for kind in KINDS]
    both = [computed(space, kind, "first", "second") for kind in KINDS]
    unfinished = own[-1].with_suffix("") / "shards" / "sentences-0.npy"
    unfinished.parent.mkdir(parents=True)
    unfinished.write_bytes(b"a shard")
    before = contents(space.root)
    remove_data_set(space.root, "first")
    assert [path for path in [*own, unfinished] if path.exists()] == []
    assert all(path.exists() for path in both)
    restore_data_set(space.root, "first")
    back = contents(space.root)
    back.pop("datasets.json"), before.pop("datasets.json")  # the order of the list is another one
    assert (back, sorted(space.registrations())) == (before, ["first", "sample", "second"])
    for name in ("first", "second"):
        remove_data_set(space.root, name)
    assert [path for path in [*own, *both] if path.exists()] == []
    # one was computed again meanwhile, such as for a copy of the data set
    both[0].write_bytes(b"new")
    restore_data_set(space.root, "second")
    assert [path.exists() for path in both] == [True] * len(KINDS)
    assert both[0].read_bytes() == b"new"
    assert list(removed_data_sets(space.root)) == ["first"]


def test_an_uploaded_run_belongs_to_its_data_set(space: Workspace) -> None:
    registration = add(space, upload(space, "pages.csv", b"id,text\n1,one\n"))
    run = upload(space, "lucene.run", b"q Q0 1 1 2.5 x\n")
    shared = upload(space, "bm25.run", b"q Q0 1 1 1.5 x\n")
    space.runs.put("pages", {"lucene": run, "bm25": shared})
    space.register(replace(registration, name="copy"))
    space.runs.put("copy", {"bm25": shared})
    remove_data_set(space.root, "pages")
    assert (run.exists(), shared.exists()) == (False, True)
    restore_data_set(space.root, "pages")
    assert run.read_bytes() == b"q Q0 1 1 2.5 x\n"
    assert space.runs.files("pages") == {"lucene": run, "bm25": shared}


def test_the_next_deletion_deletes_for_good_what_is_old(space: Workspace) -> None:
    for name in ("old", "recent", "last"):
        add(space, upload(space, f"{name}.csv", f"id,text\n1,{name}\n".encode()))
        computed(space, "passages", name)
    for name in ("old", "recent"):
        remove_data_set(space.root, name)
    for name, days in (("old", KEPT_DAYS + 1), ("recent", KEPT_DAYS - 1)):
        age(removed_data_sets(space.root)[name], days)
    unused = age(upload(space, "never.csv", b"never imported"), KEPT_DAYS + 1)
    newer = age(upload(space, "newer.csv", b"not imported yet"), KEPT_DAYS - 1)
    again = age(upload(space, "again.csv", b"uploaded again"), KEPT_DAYS + 1)
    assert upload(space, "again.csv", b"uploaded again") == again
    sample_run = age(upload(space, "sample.run", b"a run"), KEPT_DAYS + 1)
    space.runs.put("sample", {"x": sample_run})
    used = age(upload(space, "used.csv", b"id,text\n1,used\n"), KEPT_DAYS + 1)
    add(space, used)
    assert sorted(removed_data_sets(space.root)) == ["old", "recent"]
    remove_data_set(space.root, "last")
    assert sorted(removed_data_sets(space.root)) == ["last", "recent"]
    assert {name for name in contents(space.root) if "old" in name} == set()
    kept = [path.exists() for path in (unused, newer, again, sample_run, used)]
    assert kept == [False, True, True, True, True]
    restore_data_set(space.root, "recent")
    with pytest.raises(LensError, match="no deleted data set has this name"):
        restore_data_set(space.root, "old")


def test_the_deletion_of_an_adapter_deletes_what_is_old_too(space: Workspace) -> None:
    add(space, upload(space, "pages.csv", b"id,text\n1,one\n"))
    remove_data_set(space.root, "pages")
    age(removed_data_sets(space.root)["pages"], KEPT_DAYS + 1)
    (space.root / "adapters").mkdir()
    (space.root / "adapters" / "mine.safetensors").write_bytes(b"tensors")
    remove_adapter(space.root, "mine")
    assert list(contents(space.root / "removed")) != []
    assert removed_data_sets(space.root) == {}


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
