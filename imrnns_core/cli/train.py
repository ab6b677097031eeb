"""`imrnns-lens train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from imrnns_core.cli.console import encoding, err, out, progress_bar
from imrnns_core.cli.options import (
    AdapterFile,
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

if TYPE_CHECKING:
    from imrnns_core.data.dataset import Dataset
    from imrnns_core.model.adapter_card import TrainingOutcome
    from imrnns_core.training.trainer import Trainer

_DEFAULTS = TrainConfig()
RecipeName = Annotated[str, typer.Option("--recipe", help="How to train.")]
TrainSplit = Annotated[str, typer.Option(help="The split with the training judgments.")]
ValidSplit = Annotated[
    str | None, typer.Option(help="Chooses the epoch; by default a part of the training split.")
]
Seed = Annotated[int, typer.Option(help="Same seed, same adapter.")]


def train(
    data: Data,
    out_file: AdapterFile,
    recipe: RecipeName = _DEFAULTS.recipe,
    train_split: TrainSplit = "train",
    valid_split: ValidSplit = None,
    seed: Seed = _DEFAULTS.seed,
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
    supervised = config.resolved().supervised  # a mistake must not wait for the vectors
    space, registration = resolve(data, embeddings, encoder, "", "", workspace)
    collection = open_collection(space, registration)
    if supervised:
        _check_split(collection.dataset, train_split)
    state = out_file.with_name(f".{out_file.name}.training")
    with progress_bar() as progress:
        trainer = Trainer(collection, config, train_split, valid_split, encoding(progress), state)
        _run(trainer, progress)
    if not trainer.history:
        raise LensError("stopped before the first epoch; nothing was written")
    adapter = trainer.adapter(out_file.stem)
    save_adapter(adapter, out_file)
    trainer.close()
    assert adapter.card.outcome is not None  # training always has one
    _report(out_file, adapter.card.outcome, len(trainer.history) - 1)


def _check_split(dataset: Dataset, train_split: str) -> None:
    """Raise DataError, with what can be done, if the data set has no such split."""
    known = dataset.splits
    if train_split not in known:
        remedy = (
            f"name one of {', '.join(known)} with --train-split" if known else "judge some queries"
        )
        raise DataError(
            dataset.path / "qrels" / f"{train_split}.tsv",
            "no such split",
            f"{remedy}, or take --recipe unlabeled",
        )


def _run(trainer: Trainer, progress: Progress) -> None:
    """Train to the end, or until Ctrl-C; show the epochs."""
    split = trainer.split
    if split.train:
        out.print(f"{len(split.train)} training and {len(split.valid)} validation queries")
    task = progress.add_task("train", total=trainer.config.max_epochs)
    try:
        for epoch in trainer.epochs():
            figures = f"loss {epoch.loss or 0:.4f}, validation {epoch.validation:.4f}"
            description = f"epoch {epoch.number}, {figures}"
            progress.update(task, completed=epoch.number, description=description)
    except KeyboardInterrupt:
        err.print("stopped; keeping the best epoch so far")


def _report(out_file: Path, outcome: TrainingOutcome, epochs: int) -> None:
    """Say what was written, and what validation measured."""
    compared = (
        f", validation {outcome.validation:.4f} (base {outcome.base_validation:.4f})"
        if outcome.validation is not None and outcome.base_validation is not None
        else ", nothing to validate on"
    )
    out.print(f"{out_file}: epoch {outcome.best_epoch} of {epochs}{compared}")
    for note in outcome.notes:
        out.print(f"  {note}")
    out.print(f"To see it in the dashboard: imrnns-lens adapters import {out_file}")
