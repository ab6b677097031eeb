"""Which data sets use a computed file, so that it is deleted with the last one.

    WORKSPACE/uses/NAME/maps/KEY.npz    an empty file: the data set NAME uses WORKSPACE/maps/KEY.npz

Such files are named by a hash of what they were computed from, so data sets can share them, and
their names do not tell whose they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from imrnns_core.printable import file_name

FOLDER = "uses"
KINDS = ("asked", "extended", "faithfulness", "maps", "passages", "sentences")
"""Folders of the workspace with computed files."""


def note_use(root: Path, name: str, path: Path) -> None:
    """Note that a data set uses a computed file of the workspace, which need not exist yet."""
    marker = root / FOLDER / file_name(name) / path.relative_to(root)
    if not marker.exists():
        with suppress(OSError):  # without write access, nothing can be deleted either
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.touch()


def own_files(root: Path, name: str) -> Iterator[Path]:
    """Yield the notes about a data set, and the files and folders that it alone uses."""
    folder = root / FOLDER / file_name(name)
    for marker in [path for path in folder.rglob("*") if path.is_file()]:
        yield marker
        used = marker.relative_to(folder)
        others = (other / used for other in folder.parent.iterdir() if other != folder)
        if not any(other.exists() for other in others):
            # shards of an unfinished encode are beside the file
            paths = (root / used, (root / used).with_suffix(""))
            yield from (path for path in paths if path.exists())
