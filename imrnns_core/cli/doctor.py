"""The command `imrnns-lens doctor`."""

from __future__ import annotations

from typing import Annotated

import typer

from imrnns_core.cli.console import err, out
from imrnns_core.cli.options import WorkspaceFolder

RepairOption = Annotated[
    bool,
    typer.Option(
        "--repair",
        help=(
            "Delete damaged files that can be computed again, and move other damaged files to a "
            "folder that is named. Of judgments, all rows that are whole are kept."
        ),
    ),
]


def doctor(repair: RepairOption = False, workspace: WorkspaceFolder = None) -> None:
    """Check each file of the workspace, and list the damaged ones.

    The exit code is 1 if a file is damaged and was not repaired. Judgments on a
    server are not checked.
    """
    from imrnns_core.reporting.formatting import counted
    from imrnns_core.storage.file_states import file_states
    from imrnns_core.storage.repair import repair_workspace
    from imrnns_core.storage.workspace import Workspace

    root = Workspace(workspace).root
    states = list(file_states(root))
    damaged = [state for state in states if state.problem]
    for state in damaged:
        name = state.path.relative_to(root)
        err.print(f"{name}: {state.problem}; {state.remedy}", soft_wrap=True)
    whole = sum(state.files for state in states if not state.problem)
    out.print(
        f"{root}: {counted(whole, 'file')} whole, {len(damaged)} with a problem", soft_wrap=True
    )
    if not damaged:
        return
    if not repair:
        raise typer.Exit(1)
    for line in repair_workspace(root, damaged):
        out.print(line, soft_wrap=True)
