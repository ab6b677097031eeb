"""`imrnns-lens train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from imrnns_core.cli.console import encoding, err, out, progress_bar
from imrnns_core.cli.options import (
    Data,
    Embeddings,
    EncoderName,
    Force,
    WorkspaceFolder,
    open_collection,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs
from imrnns_core.errors import AdapterError, DataError, LensError
from imrnns_core.training.config import TrainConfig


def train(
    data: Data,
    out_file: Annotated[
        Path, typer.Option("--out", help="Where to write the adapter, NAME.safetensors.")
    ],
    recipe: Annotated[str, typer.Option(help="How to train.")] = TrainConfig().recipe,
    train_split: Annotated[
        str, typer.Option(help="The split with the training judgments.")
    ] = "train",
    valid_split: Annotated[
        str | None, typer.Option(help="Chooses the epoch; by default a part of the training split.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same adapter.")] = TrainConfig().seed,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Train an adapter. Ctrl-C stops and keeps the best epoch so far."""
    from imrnns_core.model.checkpoint import save_adapter
    from imrnns_core.training.trainer import Trainer

    if out_file.suffix != ".safetensors":
        raise AdapterError(
            f"{out_file}: adapters are written as .safetensors; use --out "
            f"{out_file.with_suffix('.safetensors')}"
        )
    check_outputs("train", force, out_file)
    config = TrainConfig(recipe=recipe, seed=seed)
    supervised = config.resolved().supervised  # a mistake shall not wait for the vectors
    space, registration = resolve(data, embeddings, encoder, "", "", workspace)
    collection = open_collection(space, registration)
    there = collection.dataset.splits
    if supervised and train_split not in there:
        remedy = (
            f"name one of {', '.join(there)} with --train-split" if there else "judge some queries"
        )
        raise DataError(
            collection.dataset.path / "qrels" / f"{train_split}.tsv",
            "no such split",
            f"{remedy}, or take --recipe unlabeled",
        )
    state = out_file.with_name(f".{out_file.name}.training")
    with progress_bar() as progress:
        training = Trainer(collection, config, train_split, valid_split, encoding(progress), state)
        if training.parts.train:
            out.print(
                f"{len(training.parts.train)} training and {len(training.parts.valid)} "
                "validation queries"
            )
        task = progress.add_task("train", total=training.most_epochs)
        try:
            for epoch in training.epochs():
                progress.update(
                    task,
                    completed=epoch.number,
                    description=(
                        f"epoch {epoch.number}, loss {epoch.loss or 0:.4f}, validation "
                        f"{epoch.validation:.4f}"
                    ),
                )
        except KeyboardInterrupt:
            err.print("stopped; keeping the best epoch so far")
    if not training.history:
        raise LensError("stopped before the first epoch; nothing was written")
    adapter = training.adapter(out_file.stem)
    save_adapter(adapter, out_file)
    training.close()
    outcome = adapter.card.outcome
    assert outcome is not None  # training always has one
    compared = (
        f", validation {outcome.validation:.4f} (base {outcome.base_validation:.4f})"
        if outcome.validation is not None and outcome.base_validation is not None
        else ", nothing to validate on"
    )
    out.print(f"{out_file}: epoch {outcome.best_epoch} of {len(training.history) - 1}{compared}")
    for note in outcome.notes:
        out.print(f"  {note}")
    out.print(f"To see it in the dashboard: imrnns-lens adapters import {out_file}")
