"""The state of each file of a workspace: whole, damaged, or left by a process that was killed."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from imrnns_core.errors import LensError
from imrnns_core.io import file_digests, without_checksum
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.storage import version
from imrnns_core.storage.database import FILE
from imrnns_core.storage.leftovers import leftovers
from imrnns_core.storage.registry import read_registry
from imrnns_core.storage.rescue import database_problem
from imrnns_core.storage.runs import RunRegistry
from imrnns_core.storage.store_files import damaged_store_file
from imrnns_core.training.progress_log import SUFFIX
from imrnns_core.training.resume import read_tensors

Repair = Literal["delete", "move", "rescue"]
"""Delete what can be computed again, move the rest aside; of a database, keep the good rows."""
COMPUTED = ("asked", "extended", "faithfulness", "maps", "passages", "sentences")
CHANGED = "its content has changed since it was written"
AGAIN = "doctor --repair deletes it; it is computed again when it is needed"
ASIDE = "doctor --repair moves it aside"
UNREADABLE = "it cannot be read"


@dataclass(frozen=True)
class FileState:
    """The state of a file, or of a folder whose files belong together.

    Attributes:
        path: The file or folder.
        files: Number of files in it.
        problem: What is wrong; empty if nothing is.
        remedy: What can be done about it.
        repair: What `repair_workspace` does.
        beside: Whether it also does that with all other files of the same folder, which are of no
            use without this one.
    """

    path: Path
    files: int = 1
    problem: str = ""
    remedy: str = ""
    repair: Repair = "move"
    beside: bool = False


def file_states(root: Path) -> Iterator[FileState]:
    """Yield the state of each file of a workspace, but not of files that a process writes now."""
    yield from _lists(root)
    yield from _adapters(root)
    for folder in sorted((root / "vectors").glob("*/*")):
        if folder.is_dir() and not folder.name.startswith("."):
            yield from _vectors(folder)
    for folder in _visible(root / "lexical"):
        yield _digested(folder, older_ok=False)
    for folder in _visible(root / "stores"):
        damaged = damaged_store_file(folder)
        remedy = f"{ASIDE}; then read the store again: imrnns-lens prepare {folder.name} --store …"
        yield _state(folder, f"{damaged.name}: {CHANGED}" if damaged else "", remedy)
    for kind in COMPUTED:
        for path in _visible(root / kind):
            yield from _computed(path)
    for path in _visible(root / "uploads"):
        broken = path.suffix == ".zip" and not _readable(partial(_check_archive, path))
        yield _state(path, UNREADABLE if broken else "", f"{ASIDE}; then upload it again")
    yield from _removed(root)
    if (root / FILE).exists():
        remedy = "doctor --repair keeps all rows that are whole, and moves the old file aside"
        yield _state(root / FILE, database_problem(root / FILE), remedy, "rescue")
    for path in leftovers(root):
        problem = "a process that was killed left it"
        yield _state(path, problem, "doctor --repair deletes it", "delete")


def _lists(root: Path) -> Iterator[FileState]:
    lists: dict[str, Callable[[Path], object]] = {
        "datasets.json": read_registry,
        "runs.json": lambda path: RunRegistry(path.parent).files(""),
    }
    for name, read in lists.items():
        if (path := root / name).exists():
            what = "prepare your data sets" if name == "datasets.json" else "add your runs"
            yield _state(path, _error(partial(read, path)), f"{ASIDE}; then {what} again")
    if (path := root / version.FILE).exists():
        remedy = "doctor --repair deletes it; the next change of the workspace writes it again"
        problem = "" if version.is_whole(root) else UNREADABLE
        yield _state(path, problem, remedy, "delete")


def _adapters(root: Path) -> Iterator[FileState]:
    for path in sorted((root / "adapters").glob("*.safetensors")):
        remedy = f"{ASIDE}; then import or train it again"
        yield _state(path, _error(partial(load_adapter, path)), remedy)
    for folder in sorted((root / "adapters").glob(f".*{SUFFIX}")):
        yield from _training(folder)


def _training(folder: Path) -> Iterator[FileState]:
    """Yield the states of an unfinished training."""
    remedy = "doctor --repair deletes it; the training computes it again"
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".pt":
            ok = _readable(partial(read_tensors, path))
        elif path.suffix == ".npz":
            ok = _readable(partial(_check_archive, path))
        elif path.name == "cross-validation.json":
            ok = _readable(partial(_check_json, path))
        else:
            continue
        yield _state(path, "" if ok else CHANGED, remedy, "delete")


def _vectors(folder: Path) -> Iterator[FileState]:
    yield _digested(folder, older_ok=True)
    for path in _visible(folder / "encoding"):
        if path.suffix == ".npz":
            ok = _readable(partial(_check_archive, path))
            remedy = "doctor --repair deletes it; its texts are encoded again"
            yield _state(path, "" if ok else CHANGED, remedy, "delete")


def _digested(folder: Path, older_ok: bool) -> FileState:
    """Return the state of a folder whose manifest has a SHA-256 of each file."""
    path = folder / "manifest.json"
    if not path.exists() and (folder / "encoding").exists():
        return FileState(folder)  # the first encode is not finished
    try:
        files = json.loads(path.read_text(encoding="utf-8")).get("files")
    except (OSError, ValueError, AttributeError):
        return _state(path, UNREADABLE, AGAIN, "delete", beside=True)
    if files is None and older_ok:  # older versions wrote no digests
        arrays = sorted(folder.glob("*.npy"))
        bad = [p for p in arrays if not _readable(partial(np.load, p, allow_pickle=False))]
        return _state(
            bad[0] if bad else folder, UNREADABLE if bad else "", AGAIN, "delete", beside=True
        )
    own = file_digests(folder)
    for name, digest in (files or {}).items():
        if own.get(name) != digest:
            return _state(folder / name, CHANGED, AGAIN, "delete", beside=True)
    return _state(folder, "" if files else UNREADABLE, AGAIN, "delete", beside=True)


def _computed(path: Path) -> Iterator[FileState]:
    checks: dict[str, Callable[[Path], object]] = {
        ".npz": _check_archive,
        ".json": _check_json,
        ".safetensors": load_adapter,
    }
    if path.is_dir():  # shards of an unfinished encode
        for shard in sorted(path.rglob("*.npz")):
            yield from _computed(shard)
    elif path.suffix in checks:
        ok = _readable(partial(checks[path.suffix], path))
        yield _state(path, "" if ok else CHANGED, AGAIN, "delete")


def _removed(root: Path) -> Iterator[FileState]:
    """Yield the states of what was deleted and can be brought back."""
    for path in sorted((root / "removed").glob("*/*")):
        remedy = f"{ASIDE}; the deletion can then not be undone"
        if path.suffix == ".safetensors":
            yield _state(path, _error(partial(load_adapter, path)), remedy)
        elif path.suffix == ".json" and not path.with_suffix(".safetensors").exists():
            ok = _readable(partial(_check_json, path))
            yield _state(path, "" if ok else CHANGED, remedy)


def _state(
    path: Path, problem: str, remedy: str, repair: Repair = "move", beside: bool = False
) -> FileState:
    if not problem:
        files = sum(p.is_file() for p in path.rglob("*")) if path.is_dir() else 1
        return FileState(path, files)
    return FileState(path, 1, problem, remedy, repair, beside)


def _visible(folder: Path) -> list[Path]:
    """Return what is in a folder, without locks and temporary files."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in paths if not path.name.startswith(".")]


def _check_archive(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() is not None:
            raise ValueError("damaged")


def _check_json(path: Path) -> None:
    without_checksum(json.loads(path.read_text(encoding="utf-8")))


def _readable(read: Callable[[], object]) -> bool:
    try:
        read()
    except Exception:  # damaged archives, arrays and tensors raise errors of many types
        return False
    return True


def _error(read: Callable[[], object]) -> str:
    """Return what a reader says about a damaged file, without its remedy; empty if it is whole."""
    try:
        read()
    except LensError as error:
        problem = getattr(error, "problem", "") or str(error).partition(": ")[2]
        return problem.partition(";")[0] or UNREADABLE
    except OSError as error:
        return error.strerror or UNREADABLE
    return ""
