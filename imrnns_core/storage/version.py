"""The version of a workspace: what wrote it, and whether this version can read it."""

from __future__ import annotations

from pathlib import Path

from imrnns_core.errors import LensError
from imrnns_core.io import read_json, write_json

FILE = "workspace.json"
SCHEMA = 1
"""Version of the files of a workspace.

A workspace without `FILE` is of version 0.1.0: all of its files are read as they are.
"""


def check_version(root: Path) -> None:
    """Check that a workspace was not written by a newer version.

    Raises:
        LensError: If it was.
    """
    written = _written(root)
    if written > SCHEMA:
        raise LensError(
            f"{root}: a newer version of imrnns-lens wrote this workspace (its schema is "
            f"{written}, this version reads {SCHEMA}); update imrnns-lens, or name another folder "
            "with --workspace"
        )


def note_version(root: Path) -> None:
    """Note in a workspace that this version writes it. `root` must exist."""
    if _written(root) != SCHEMA:
        write_json(root / FILE, {"schema": SCHEMA})


def is_whole(root: Path) -> bool:
    """Return whether the version of a workspace can be read."""
    record = read_json(root / FILE)
    return isinstance(record, dict) and isinstance(record.get("schema"), int)


def _written(root: Path) -> int:
    record = read_json(root / FILE)
    schema = record.get("schema") if isinstance(record, dict) else None
    return schema if isinstance(schema, int) else 0
