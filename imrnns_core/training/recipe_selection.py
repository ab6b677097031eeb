"""Compare recipes by cross-validation over the judged queries, as `best` does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from imrnns_core.io import none_if_damaged, read_json, without_checksum, write_checked_json
from imrnns_core.model.adapter_card import RecipeMeasure, RecipeSelection
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import FOLDS, RECIPES, TrainConfig
from imrnns_core.training.judged import split_judged
from imrnns_core.training.recipe_run import RecipeRun
from imrnns_core.training.resume import SharedResults
from imrnns_core.training.splits import QrelsDict, TrainValidationSplit, queries_with_relevant
from imrnns_core.training.validator import Validator, exceeds_standard_error
from imrnns_core.types import Qrels

MIN_QUERIES = 20
"""With fewer judged queries, chance would select the recipe."""
IDENTITY = "identity"
"""Chosen if no recipe is reliably better than the base."""


def too_few_to_compare(queries: int) -> str:
    """Return why recipes cannot be compared on this number of judged queries, empty if they can."""
    enough = queries >= MIN_QUERIES
    return "" if enough else f"{queries} judged queries are too few, {MIN_QUERIES} are needed"


@dataclass
class CrossValidation:
    """Trains each recipe without the queries of a fold, and measures it on them.

    Attributes:
        collection: The embeddings and judgments.
        config: Settings of all recipes.
        qrels: The judged training queries.
        valid_qrels: Queries that select the epoch; None holds out a part of the training queries.
        shared: Results that all runs share.
        folder: Folder for the state of the runs; None saves nothing.
        excluded: Recipe → why it cannot be trained; the caller fills it.
        folds: The judgments of each fold.
        unlabeled: Finished runs of recipes without judgments; they are the same for every fold.
    """

    collection: Collection
    config: TrainConfig
    qrels: QrelsDict
    valid_qrels: Qrels | None
    shared: SharedResults
    folder: Path | None
    excluded: dict[str, str] = field(default_factory=dict)
    folds: list[QrelsDict] = field(init=False)
    unlabeled: dict[str, RecipeRun] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        # at random, not by common documents: seen and unseen queries are then as frequent as in use
        number = np.random.default_rng(self.config.seed).permutation(len(self.qrels)) % FOLDS
        self.folds = [
            {q: self.qrels[q] for q, n in zip(self.qrels, number, strict=True) if n == fold}
            for fold in range(FOLDS)
        ]
        self._values: dict[str, list[list[float]]] = self._read()

    @property
    def obstacle(self) -> str:
        """Why recipes cannot be compared on these queries; empty if they can."""
        return too_few_to_compare(len(self.qrels))

    def runs(self) -> Iterator[tuple[str, TrainConfig, RecipeRun | None]]:
        """Yield description, settings and run; the caller trains it, then asks for the next one.

        The run is None if its measures are known from an earlier process.
        """
        for recipe, values in RECIPES.items():
            if not values.supervised:
                yield from self._run_without_judgments(recipe)
                continue
            for number, fold in enumerate(self.folds, start=1):
                label = f"{recipe}, fold {number} of {len(self.folds)}"
                config = replace(self.config, recipe=recipe)
                if recipe in self.excluded or len(self._values.get(recipe, [])) >= number:
                    yield label, config, None
                    continue
                run = RecipeRun(
                    self.collection,
                    config,
                    self.split(config, fold),
                    self.shared,
                    self.run_folder(f"{recipe}-{number}"),
                    for_card=False,
                )
                yield label, config, run
                self._measure(recipe, run, [fold])
                if folder := self.run_folder(f"{recipe}-{number}"):
                    shutil.rmtree(folder, ignore_errors=True)

    def candidates(self) -> list[str]:
        """Return the recipes that are better than the base, in the order in which to try them.

        First come those whose gain exceeds 1.65 standard errors. Without such a recipe, the others
        do not count. Within both groups, the highest mean comes first.
        """
        base, values = self._ndcg(None, self.folds), self.values()
        # rounded, so that equal rankings tie; a stable sort then keeps simple recipes first
        gains = {n: round(float((ndcg - base).mean()), 12) for n, ndcg in values.items()}
        ranked = sorted((name for name in gains if gains[name] > 0), key=lambda name: -gains[name])
        reliable = [name for name in ranked if exceeds_standard_error(values[name] - base)]
        return reliable and [*reliable, *(name for name in ranked if name not in reliable)]

    def selection(self, chosen: str) -> RecipeSelection:
        """Return the record of the comparison.

        Args:
            chosen: The recipe whose adapter is returned, or "identity".
        """
        base = self._ndcg(None, self.folds)
        return RecipeSelection(
            chosen,
            len(self.qrels),
            len(self.folds),
            float(base.mean()),
            {name: _measured(ndcg, base) for name, ndcg in self.values().items()},
        )

    def values(self) -> dict[str, Tensor]:
        """Return nDCG@10 (Q,) of each recipe, of the queries in the order of their folds."""
        return {
            recipe: torch.tensor([value for fold in folds for value in fold])
            for recipe, folds in self._values.items()
            if recipe not in self.excluded
        }

    def run_folder(self, name: str) -> Path | None:
        """Return the folder for the state of a run."""
        return None if self.folder is None else self.folder / name

    def _run_without_judgments(self, recipe: str) -> Iterator[tuple[str, TrainConfig, RecipeRun]]:
        """Yield the only run of a recipe that uses no judgments."""
        config, folder = replace(self.config, recipe=recipe), self.run_folder(recipe)
        run = RecipeRun(self.collection, config, TrainValidationSplit(), self.shared, folder)
        yield recipe, config, run
        self.unlabeled[recipe] = run
        if recipe not in self._values:
            self._measure(recipe, run, self.folds)

    def split(self, config: TrainConfig, fold: QrelsDict) -> TrainValidationSplit:
        """Return the queries to train on and to validate on, without those of a fold."""
        train = {q: judged for q, judged in self.qrels.items() if q not in fold}
        if self.valid_qrels is None:
            return split_judged(self.collection, config, train, None)
        valid = {
            q: judged
            for q, judged in queries_with_relevant(self.valid_qrels).items()
            if q not in fold
        }
        return split_judged(self.collection, config, train, valid)

    def _measure(self, recipe: str, run: RecipeRun, folds: list[QrelsDict]) -> None:
        """Measure a finished run on folds, and save the measures."""
        if recipe in self.excluded:
            return
        values = [self._ndcg(run, [fold]).tolist() for fold in folds]
        self._values.setdefault(recipe, []).extend(values)
        if self.folder is not None:
            write_checked_json(self.folder / "cross-validation.json", self._values)

    def _ndcg(self, run: RecipeRun | None, folds: list[QrelsDict]) -> Tensor:
        """Return nDCG@10 (Q,) of the model of a run; without a run, of the base ranking."""
        model = run.shipped_model() if run else None
        return torch.cat(
            [Validator.from_qrels(self.collection, fold).ndcg(model) for fold in folds]
        )

    def _read(self) -> dict[str, list[list[float]]]:
        """Return the measures that an earlier process saved."""
        if self.folder is None:
            return {}
        path = self.folder / "cross-validation.json"
        return none_if_damaged(lambda: dict(without_checksum(read_json(path)))) or {}


def _measured(ndcg: Tensor, base: Tensor) -> RecipeMeasure:
    gains = ndcg - base
    error = float(gains.std()) / len(gains) ** 0.5 if len(gains) > 1 else float("inf")
    return RecipeMeasure(float(ndcg.mean()), error)
