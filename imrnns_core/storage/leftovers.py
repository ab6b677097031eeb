"""What killed processes left in a workspace: temporary files, and folders that were replaced."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from imrnns_core.io import abandoned_temporaries, delete, lock_path, recover_folder

KEPT_APART = ("uses", "damaged")
"""Folders that have no temporary files: empty notes, and files that a repair moved there."""


@lru_cache(maxsize=64)
def sweep_workspace(root: Path) -> None:
    """Delete what killed processes left, once in the life of this process.

    Files of living processes stay. Without write access, nothing is deleted.
    """
    sweep_leftovers(root)


def sweep_leftovers(root: Path) -> list[Path]:
    """Delete what killed processes left, and return it."""
    swept = []
    for path in list(leftovers(root)):
        with suppress(OSError, Timeout):
            if path.name.endswith(".old"):
                folder = path.with_name(path.name[1 : -len(".old")])
                with FileLock(lock_path(folder)).acquire(timeout=0):
                    recover_folder(folder)
            else:
                delete(path)
            swept.append(path)
    return swept


def leftovers(root: Path) -> Iterator[Path]:
    """Yield the temporary files whose process was killed, and folders on their way out."""
    for parent, folders, _ in os.walk(root):
        folder = Path(parent)
        if folder == root:
            folders[:] = [name for name in folders if name not in KEPT_APART]
        with suppress(OSError):
            yield from abandoned_temporaries(folder)
        yield from (folder / n for n in folders if n.startswith(".") and n.endswith(".old"))
