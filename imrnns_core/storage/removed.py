"""What was deleted: its files are moved aside, so that a deletion can be undone.

WORKSPACE/removed/TIME/NAME.safetensors   an adapter, and NAME.json if its card is in that file
WORKSPACE/removed/TIME/datasets.json      a data set, with its files (`data_sets.removal`)

Each deletion deletes for good what was deleted more than `KEPT_DAYS` ago.
"""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imrnns_core.errors import AdapterError

REMOVED = "removed"
"""The folder in a workspace."""
KEPT_DAYS = 30
"""How long a deletion can be undone."""


def remove_adapter(root: Path, name: str) -> None:
    """Move an adapter of the workspace aside.

    Raises:
        AdapterError: If the workspace has no adapter of this name, such as for a shipped one.
    """
    path = root / "adapters" / f"{name}.safetensors"
    if not path.is_file():
        raise AdapterError(
            f"{name}: this adapter is not in the workspace, so it cannot be deleted; name an "
            "adapter that was imported or trained"
        )
    _move(path, new_folder(root))
    delete_old(root)


def new_folder(root: Path) -> Path:
    """Return the folder for what is deleted now; it does not exist yet."""
    return root / REMOVED / f"{time.time_ns():020d}"


def deleted_at(folder: Path) -> datetime:
    """Return when what is in a folder of `new_folder` was deleted, in UTC."""
    return datetime.fromtimestamp(int(folder.name) / 1e9, UTC)


def longest_kept() -> datetime:
    """Return the time before which deleted files are not kept any more, in UTC."""
    return datetime.now(UTC) - timedelta(days=KEPT_DAYS)


def delete_old(root: Path) -> None:
    """Delete for good what was deleted more than `KEPT_DAYS` ago."""
    for folder in sorted((root / REMOVED).glob("*")):
        if not folder.name.isdigit() or deleted_at(folder) >= longest_kept():
            continue
        # what names the rest comes first: after an interruption, no undo is offered
        for file in [path for path in folder.iterdir() if path.is_file()]:
            file.unlink()
        shutil.rmtree(folder, ignore_errors=True)


def removed_adapters(root: Path) -> dict[str, Path]:
    """Return name → file of the deleted adapters, the last deleted first; of equal names, one."""
    newest_first = sorted((root / REMOVED).glob("*/*.safetensors"), reverse=True)
    files: dict[str, Path] = {}
    for path in newest_first:
        files.setdefault(path.stem, path)
    return files


def restore_adapter(root: Path, name: str) -> None:
    """Move a deleted adapter back.

    Raises:
        AdapterError: If no deleted adapter has this name, or another adapter has got it since.
    """
    path = removed_adapters(root).get(name)
    if path is None:
        raise AdapterError(f"{name}: no deleted adapter has this name; nothing can be undone")
    if (root / "adapters" / path.name).exists():
        raise AdapterError(
            f"{name}: another adapter has this name by now; delete that one first, then undo"
        )
    _move(path, root / "adapters")
    path.parent.rmdir()


def _move(path: Path, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for file in (path.with_suffix(".json"), path):  # the card first: it belongs to the tensors
        if file.is_file():
            file.replace(folder / file.name)
