"""Repairs a workspace: deletes damaged files that can be computed again, moves others aside.

WORKSPACE/damaged/TIME/    damaged files, at their path in the workspace
"""

from __future__ import annotations

import time
from pathlib import Path

from imrnns_core.io import delete, locked
from imrnns_core.storage.file_states import FileState
from imrnns_core.storage.leftovers import sweep_leftovers
from imrnns_core.storage.rescue import rescue_rows

DAMAGED = "damaged"


def repair_workspace(root: Path, states: list[FileState]) -> list[str]:
    """Repair what is damaged, and return a line about each file.

    Args:
        root: The folder of the workspace.
        states: The states of its files.

    Raises:
        OSError: If a file cannot be moved or deleted.
    """
    aside = root / DAMAGED / f"{time.time_ns():020d}"
    lines = []
    for state in states:
        # of what was replaced only half, the sweep puts back what is needed
        if not state.problem or state.path.name.endswith(".old"):
            continue
        name = state.path.relative_to(root)
        if state.repair == "delete":
            files = state.path.parent.iterdir() if state.beside else ()
            for path in (state.path, *(path for path in files if path.is_file())):
                delete(path)
            lines.append(f"{name}: deleted")
        else:
            lines.append(f"{name}: {_moved(state, aside / name)}")
    swept = sweep_leftovers(root)
    return [*lines, *(f"{path.relative_to(root)}: deleted" for path in swept)]


def _moved(state: FileState, target: Path) -> str:
    """Move a damaged file aside, and return what was done."""
    target.parent.mkdir(parents=True, exist_ok=True)
    database = state.repair == "rescue"
    with locked(state.path):
        for end in ("", "-wal", "-shm") if database else ("",):
            part = state.path.with_name(state.path.name + end)
            if part.exists():
                part.replace(target.with_name(target.name + end))
        kept = f"; {rescue_rows(target, state.path):,} whole rows are kept" if database else ""
    return f"moved to {target.parent}{kept}"
