"""`imrnns-lens adapters import | list | show`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from imrnns_core.cli.console import err, out
from imrnns_core.cli.options import WorkspaceFolder

if TYPE_CHECKING:
    pass


def adapters_import(
    file: Annotated[
        Path, typer.Argument(help="A .safetensors adapter, or a .pt of the reference package.")
    ],
    workspace: WorkspaceFolder = None,
) -> None:
    """Copy an adapter into the workspace, so that the dashboard offers it."""
    from imrnns_core.storage.workspace import Workspace

    target = Workspace(workspace).import_adapter(file)
    out.print(f"{target.stem}: imported to {target}")


def adapters_list(workspace: WorkspaceFolder = None) -> None:
    """List the adapters that can be named."""
    from imrnns_core.storage.workspace import Workspace

    space = Workspace(workspace)
    table = Table("name", "dimensions", "encoder", "recipe", "trained on", box=None)
    readable, errors = space.adapters()
    for name, adapter in readable.items():
        card = adapter.card
        table.add_row(
            name,
            f"{card.input_dim}→{card.output_dim}",
            card.encoder or "—",
            card.recipe or card.source or "—",
            card.dataset or "—",
        )
    out.print(table)
    for error in errors.values():
        err.print(f"cannot be read: {error}", soft_wrap=True)


def adapters_show(
    name: Annotated[str, typer.Argument(help="A name or a file.")],
    workspace: WorkspaceFolder = None,
) -> None:
    """Print an adapter's card as JSON."""
    from imrnns_core.storage.workspace import Workspace

    out.print(
        json.dumps(asdict(Workspace(workspace).adapter(name).card), indent=1, ensure_ascii=False),
        soft_wrap=True,
    )
