"""The command `imrnns-lens train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from imrnns_core.cli.adapters import recipe_table
from imrnns_core.cli.agreement import Yes
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
from imrnns_core.training.config import RECIPE_PURPOSES, TrainConfig
from imrnns_core.training.progress_log import training_folder

if TYPE_CHECKING:
    from imrnns_core.data.dataset import Dataset
    from imrnns_core.model.adapter_card import TrainingOutcome
    from imrnns_core.training.trainer import Trainer

_DEFAULTS = TrainConfig()
RecipeName = Annotated[
    str,
    typer.Option(
        "--recipe",
        help="Training recipe. "
        + "; ".join(f"{name}: {purpose}" for name, purpose in RECIPE_PURPOSES.items())
        + ".",
    ),
]
TrainSplit = Annotated[
    str | None,
    typer.Option(
        help="Split with the training judgments (default: train, or else the only split)."
    ),
]
ValidSplit = Annotated[
    str | None,
    typer.Option(help="Split that selects the epoch (default: a part of the training split)."),
]
Seed = Annotated[
    int,
    typer.Option(help="Random seed. On the same machine, the same seed gives the same adapter."),
]


def train(
    data: Data,
    out_file: AdapterFile,
    recipe: RecipeName = _DEFAULTS.recipe,
    train_split: TrainSplit = None,
    valid_split: ValidSplit = None,
    seed: Seed = _DEFAULTS.seed,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    yes: Yes = False,
    workspace: WorkspaceFolder = None,
) -> None:
    """Train an adapter.

    If the encoder is an endpoint, the command asks before it sends texts: before
    the encoding of documents without vectors, and before the training.

    Ctrl-C saves the best epoch so far. While the recipe "best" is still
    comparing recipes, Ctrl-C saves the adapter of the recipe "fine-tuned". If
    the run is killed instead, run the command again: it continues with the next
    epoch.
    """
    from imrnns_core.data.dataset import JUDGED_SPLIT
    from imrnns_core.model.checkpoint import save_adapter
    from imrnns_core.training.lock import training_lock
    from imrnns_core.training.trainer import Trainer

    if out_file.suffix != ".safetensors":
        raise AdapterError(
            f"{out_file}: adapters are written as .safetensors; use --out "
            f"{out_file.with_suffix('.safetensors')}"
        )
    check_outputs("train", force, out_file)
    config = TrainConfig(recipe=recipe, seed=seed)
    supervised = config.resolved().supervised  # before the slow work: this rejects unknown recipes
    space, registration = resolve(data, embeddings, encoder, None, None, workspace, yes)
    collection = open_collection(space, registration)
    dataset = collection.dataset
    # with several splits, training on the first would spend the test queries
    only = len(dataset.splits.keys() - {JUDGED_SPLIT}) <= 1
    train_split = train_split or (dataset.first_split("train") if only else "train")
    if supervised:
        _check_split(dataset, train_split)
    state = training_folder(out_file)
    with training_lock(out_file):
        with progress_bar() as progress:
            splits = train_split, valid_split
            trainer = Trainer(collection, config, *splits, encoding(progress), state)
            _run(trainer, progress)
        if not trainer.history:
            raise LensError("stopped before the first epoch was finished; no adapter was written")
        adapter = trainer.adapter(out_file.stem)
        save_adapter(adapter, out_file)
        # after the adapter is written: until then, a killed run must be able to resume
        trainer.close()
    assert adapter.card.outcome is not None  # training always has one
    _report(out_file, adapter.card.outcome, len(trainer.history) - 1)


def _check_split(dataset: Dataset, train_split: str) -> None:
    """Check that the data set has the training split.

    Raises:
        DataError: It does not.
    """
    splits = dataset.splits
    if train_split not in splits:
        remedy = (
            f"available splits: {', '.join(splits)} (use --train-split)"
            if splits
            else "add judgments"
        )
        raise DataError(
            dataset.path,
            f"no split {train_split!r}",
            f"{remedy}, or train without judgments: --recipe unlabeled",
        )


def _run(trainer: Trainer, progress: Progress) -> None:
    """Train to the end, or until Ctrl-C, and show the progress."""
    split = trainer.split
    if split.train:
        out.print(f"Queries: {len(split.train)} for training, {len(split.valid)} for validation")
    task = progress.add_task("train", total=trainer.config.max_epochs)
    try:
        for epoch in trainer.epochs():
            figures = f"loss {epoch.loss or 0:.4f}, validation {epoch.validation:.4f}"
            running = f"{trainer.running}, " if trainer.running else ""
            description = f"{running}epoch {epoch.number}, {figures}"
            progress.update(task, completed=trainer.done, description=description)
    except KeyboardInterrupt:
        err.print("stopped; the best epoch so far is saved")


def _report(out_file: Path, outcome: TrainingOutcome, epochs: int) -> None:
    """Print what was written, and the validation result."""
    base, score = outcome.base_validation, outcome.validation
    if base is None:
        validation = "not validated"
    elif score is None:
        validation = f"no model was better than the base ranking ({base:.4f}) in validation"
    else:
        validation = f"validation score {score:.4f} (base ranking {base:.4f})"
    out.print(f"{out_file}: epoch {outcome.best_epoch} of {epochs}, {validation}")
    for note in outcome.notes:
        out.print(f"  {note}")
    if outcome.selection:
        out.print(recipe_table(outcome.selection))
    out.print(f"To use it in the dashboard: imrnns-lens adapters import {out_file}")
