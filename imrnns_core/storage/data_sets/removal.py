"""Data sets that were deleted: what the workspace has of them is moved aside, and back by an undo.

    WORKSPACE/removed/TIME/datasets.json, runs.json    its entries in both lists
    WORKSPACE/removed/TIME/vectors/NAME, ...           its files, as they were in the workspace

Files outside the workspace are never moved. Judgments and kept questions stay in their database.
A file that other data sets use stays where it is. Each deletion deletes for good what was deleted
more than `KEPT_DAYS` ago, and uploads of this age that no data set uses.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from imrnns_core.config import SAMPLE
from imrnns_core.data.readers.files import containing_zip
from imrnns_core.errors import LensError
from imrnns_core.io import locked
from imrnns_core.printable import file_name
from imrnns_core.storage.data_sets import uses
from imrnns_core.storage.data_sets.uploads import FOLDER as UPLOADS
from imrnns_core.storage.registry import Registration, read_registry, write_registry
from imrnns_core.storage.removed import REMOVED, delete_old, longest_kept, new_folder
from imrnns_core.storage.runs import RunRegistry

LIST = "datasets.json"
FOLDERS = ("vectors", "lexical", "stores")
"""Folders of the workspace that have a folder for each data set."""


@contextmanager
def _locked_lists(root: Path) -> Iterator[None]:
    """Hold the locks of both lists; of a workspace that does not exist, there are none."""
    if not root.exists():
        yield
        return
    with locked(root / LIST), locked(RunRegistry(root).path):
        yield


def remove_data_set(root: Path, name: str) -> None:
    """Take a data set from the list, and move its files in the workspace aside.

    Raises:
        LensError: If the list has no such data set, or for the sample.
        DataError: If a list is damaged.
        OSError: If a file cannot be moved.
    """
    with _locked_lists(root):
        _remove_data_set(root, name)


def _remove_data_set(root: Path, name: str) -> None:
    registrations = read_registry(root / LIST)
    if name == SAMPLE:
        raise LensError(f"{name}: the sample cannot be deleted; it came with the package")
    if name not in registrations:
        raise LensError(f"{name}: no data set has this name, so nothing can be deleted")
    aside, runs = new_folder(root), RunRegistry(root)
    own = list(_own_paths(root, name, registrations))
    registration = registrations.pop(name)
    # first: what was moved can be brought back, even if this is interrupted
    write_registry(aside / LIST, [registration])
    RunRegistry(aside).put(name, runs.files(name))
    write_registry(root / LIST, registrations.values())
    runs.put(name, {})
    for path in own:
        _move(path, root, aside)
    shutil.rmtree(root / uses.FOLDER / file_name(name), ignore_errors=True)
    delete_old(root)
    _delete_unused_uploads(root, registrations)


def removed_data_sets(root: Path) -> dict[str, Path]:
    """Return name → folder of the deleted data sets, the last deleted first; of equal names, one.

    Raises:
        DataError: If the entry of a deleted data set is damaged.
    """
    folders: dict[str, Path] = {}
    for path in sorted((root / REMOVED).glob(f"*/{LIST}"), reverse=True):
        for name in read_registry(path):
            folders.setdefault(name, path.parent)
    return folders


def restore_data_set(root: Path, name: str) -> None:
    """Put a deleted data set back on the list, with its files and runs.

    Raises:
        LensError: If no deleted data set has this name, or another one has got it or its files
            since.
        DataError: If a list is damaged.
        OSError: If a file cannot be moved.
    """
    with _locked_lists(root):
        _restore_data_set(root, name)


def _restore_data_set(root: Path, name: str) -> None:
    aside = removed_data_sets(root).get(name)
    if aside is None:
        raise LensError(f"{name}: no deleted data set has this name; nothing can be undone")
    registrations = read_registry(root / LIST)
    if name in registrations:
        raise LensError(
            f"{name}: another data set has this name by now; delete that one first, then undo"
        )
    files = [path for folder in (*FOLDERS, UPLOADS) for path in (aside / folder).glob("*")]
    for path in files:
        if (taken := root / path.relative_to(aside)).exists():
            raise LensError(f"{taken}: another data set has this file by now; move it, then undo")
    for path in files:
        _move(path, aside, root)
    _move_computed(aside, root)
    for folder in (*FOLDERS, UPLOADS, uses.FOLDER, *uses.KINDS):
        shutil.rmtree(aside / folder, ignore_errors=True)
    write_registry(root / LIST, [*registrations.values(), *read_registry(aside / LIST).values()])
    RunRegistry(root).put(name, RunRegistry(aside).files(name))
    for list_ in (LIST, RunRegistry(aside).path.name):
        (aside / list_).unlink(missing_ok=True)
    aside.rmdir()


def _own_paths(root: Path, name: str, all_of: Mapping[str, Registration]) -> Iterator[Path]:
    """Yield the files and folders in the workspace that only this data set uses."""
    others = [other for other in all_of.values() if other.name != name]
    folder = file_name(name)
    if folder not in {file_name(other.name) for other in others}:
        yield from (path for kind in FOLDERS if (path := root / kind / folder).exists())
        yield from uses.own_files(root, name)
    shared = {path for other in others for path in _uploads(root, other)}
    yield from _uploads(root, all_of[name]) - shared


def _uploads(root: Path, registration: Registration) -> set[Path]:
    """Return the uploaded files of a data set: documents, queries and runs."""
    path, queries = registration.path, registration.queries
    runs = RunRegistry(root).files(registration.name).values()
    # the data set can be a folder in an uploaded zip
    files = (containing_zip(path) or path, *((queries,) if queries else ()), *runs)
    uploads = (root / UPLOADS).resolve()
    return {root / UPLOADS / f.name for f in files if f.parent.resolve() == uploads and f.is_file()}


def _delete_unused_uploads(root: Path, registrations: Mapping[str, Registration]) -> None:
    """Delete old uploads that no data set uses: they were never imported, or their run is gone."""
    used = {path for one in registrations.values() for path in _uploads(root, one)}
    used |= {root / UPLOADS / f.name for f in RunRegistry(root).files(SAMPLE).values()}
    for path in set((root / UPLOADS).glob("*")) - used:
        if datetime.fromtimestamp(path.stat().st_mtime, UTC) < longest_kept():
            path.unlink()


def _move_computed(aside: Path, root: Path) -> None:
    """Move computed files back; one that was computed again meanwhile stays."""
    for kind in (uses.FOLDER, *uses.KINDS):
        for path in [path for path in (aside / kind).rglob("*") if path.is_file()]:
            if not (root / path.relative_to(aside)).exists():
                _move(path, aside, root)


def _move(path: Path, old: Path, new: Path) -> None:
    """Move a file or folder of one root to the same place in another one."""
    target = new / path.relative_to(old)
    target.parent.mkdir(parents=True, exist_ok=True)
    path.replace(target)
