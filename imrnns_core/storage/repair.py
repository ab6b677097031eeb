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
        if not state.problem or not state.path.exists():
            continue
        name = state.path.relative_to(root)
        if state.repair == "delete":
            if state.path.name.endswith(".old"):
                continue  # the sweep puts it back if the new folder is missing
            delete(state.path)
            lines.append(f"{name}: deleted")
            continue
        target = aside / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(state.path):
            for end in ("", "-wal", "-shm") if state.repair == "rescue" else ("",):
                part = state.path.with_name(state.path.name + end)
                if part.exists():
                    part.replace(target.with_name(target.name + end))
            kept = ""
            if state.repair == "rescue":
                rows = rescue_rows(target, state.path)
                kept = f"; {rows:,} whole rows are kept"
        lines.append(f"{name}: moved to {target.parent}{kept}")
    swept = sweep_leftovers(root)
    return [*lines, *(f"{path.relative_to(root)}: deleted" for path in swept)]
