"""The commands `imrnns-lens adapters import`, `export`, `list` and `show`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from imrnns_core.cli.console import err, out
from imrnns_core.cli.options import Force, WorkspaceFolder
from imrnns_core.cli.outputs import check_outputs
from imrnns_core.reporting.formatting import signed

if TYPE_CHECKING:
    from imrnns_core.model.adapter_card import AdapterCard, RecipeSelection

UNKNOWN = "—"
BASE = "base ranking (identity)"


def adapters_import(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="An adapter file: .safetensors, or .pt of the reference package."
        ),
    ],
    workspace: WorkspaceFolder = None,
) -> None:
    """Copy an adapter into the workspace. Commands and the dashboard then know it by name."""
    from imrnns_core.storage.workspace import Workspace

    target = Workspace(workspace).import_adapter(file)
    out.print(f"{target.stem}: imported to {target}")


def adapters_export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an adapter, or its file.")],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="File to write: NAME.safetensors, or NAME.pt for the reference package.",
        ),
    ],
    force: Force = False,
    workspace: WorkspaceFolder = None,
) -> None:
    """Write an adapter to a file.

    A .safetensors file has the adapter's card. A .pt file is for the reference
    package imrnns, which needs a square projector and hidden layers of 128 and
    64 units.
    """
    from imrnns_core.model.checkpoint import export_adapter
    from imrnns_core.storage.workspace import Workspace

    check_outputs("adapters export", force, file)
    export_adapter(Workspace(workspace).adapter(name), file)
    out.print(f"{name}: exported to {file}", soft_wrap=True)


def adapters_list(workspace: WorkspaceFolder = None) -> None:
    """List the adapters of the workspace and the sample adapter."""
    from imrnns_core.storage.workspace import Workspace

    space = Workspace(workspace)
    table = Table("name", "dimensions", "encoder", "recipe", "trained on", box=None)
    readable, errors = space.adapters()
    for name, adapter in readable.items():
        card = adapter.card
        table.add_row(
            name,
            f"{card.input_dim}→{card.output_dim}",
            card.encoder or UNKNOWN,
            f"{card.recipe or card.source or UNKNOWN}{', sentence memory' * card.has_memory}",
            card.dataset or UNKNOWN,
        )
    out.print(table)
    out.print(f"{UNKNOWN}: not recorded in the adapter's card")
    for error in errors.values():
        # rich would break a long path over two lines
        err.print(f"Not readable: {error}", soft_wrap=True)


def adapters_show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of an adapter, or its file.")],
    workspace: WorkspaceFolder = None,
) -> None:
    """Print an adapter's card (encoder, training, results) as JSON.

    For the texts that training used, the card has hashes; the command prints how
    many there are.
    """
    from imrnns_core.storage.workspace import Workspace

    card = Workspace(workspace).adapter(name).card
    record = asdict(card)
    if card.texts is not None:
        record["texts"] |= {
            name: len(hashes) for name, hashes in record["texts"].items() if name != "uses"
        }
    # soft_wrap, because a wrapped line would break the JSON
    out.print(json.dumps(record, indent=1, ensure_ascii=False), soft_wrap=True)
    # on stderr, so that the JSON can be piped
    if note := _selection_note(card):
        err.print(note, soft_wrap=True)
    if card.outcome and card.outcome.selection:
        err.print(recipe_table(card.outcome.selection))


def recipe_table(selection: RecipeSelection) -> Table:
    """Return the cross-validated measures of all recipes as a table."""
    table = Table(
        "recipe",
        "nDCG@10",
        "gain",
        "standard error",
        "",
        title=f"Recipes, cross-validated on {selection.queries} judged queries in "
        f"{selection.folds} folds",
        title_justify="left",
        box=None,
    )
    chosen = selection.recipe
    table.add_row(
        BASE, f"{selection.base:.4f}", "", "", "" if chosen in selection.recipes else "chosen"
    )
    by_measure = sorted(selection.recipes.items(), key=lambda item: -item[1].ndcg)
    for name, measured in by_measure:
        table.add_row(
            name,
            f"{measured.ndcg:.4f}",
            signed(measured.ndcg - selection.base),
            f"{measured.gain_error:.4f}",
            "chosen" if name == chosen else "",
        )
    return table


def _selection_note(card: AdapterCard) -> str:
    """Return why the selected epoch is not the one with the highest value in the history."""
    selected = card.outcome.best_epoch if card.outcome else 0
    values = {epoch["number"]: epoch["validation"] for epoch in card.history}
    later = [epoch for epoch in card.history if epoch["number"] > selected]
    higher = [e for e in later if e["validation"] > values.get(selected, float("inf"))]
    if card.outcome is None or not higher:
        return ""
    phase = next(epoch["phase"] for epoch in card.history if epoch["number"] == selected)
    note = f"Epoch {selected} is selected, although later epochs have higher values in the history."
    if phase == "pretrain" and {e["phase"] for e in higher} == {"train"}:
        note += (
            " The values of the two phases cannot be compared: in the phase pretrain, a value is a "
            "mean over all judged queries; in the phase train, it is a mean over the validation "
            "queries only."
        )
        if card.outcome.validation is not None:
            note += (
                f" On the validation queries, epoch {selected} has {card.outcome.validation:.4f}."
            )
    return f"{note} A later epoch is selected only if its gain is larger than its standard error."
