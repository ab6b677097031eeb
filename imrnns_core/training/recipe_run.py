"""One run of a recipe on stored embeddings: its phases, from the initial model to the refit."""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from dataclasses import asdict
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import Recipe, TrainConfig
from imrnns_core.training.examples import Examples
from imrnns_core.training.judged import (
    judged_examples,
    training_texts,
    validators,
)
from imrnns_core.training.label_free.initialization import Initialization
from imrnns_core.training.label_free.memory_extension import left_out_gain
from imrnns_core.training.label_free.whitening import identity_adapter
from imrnns_core.training.loop import TrainingLoop, interpolate
from imrnns_core.training.progress import BestModel, Epoch, Phase
from imrnns_core.training.resume import ReplayLog, SharedResults
from imrnns_core.training.splits import QrelsDict, TrainValidationSplit
from imrnns_core.training.validator import (
    Validator,
    exceeds_standard_error,
    is_reliable_gain,
    mean_of_groups,
)


class RecipeRun:
    """One run of a recipe: iterate `epochs()`, stop at any time, then call `adapter()`.

    Args:
        collection: The embeddings and judgments.
        config: Recipe and settings.
        split: The judged queries; empty for a recipe without judgments.
        shared: Results that other runs of the same training share.
        folder: Folder for the state of the run; None saves nothing.
        train_split: Name of the split with the training judgments, for the card.
        for_card: Whether to measure what only the card needs.
    """

    def __init__(
        self,
        collection: Collection,
        config: TrainConfig,
        split: TrainValidationSplit,
        shared: SharedResults,
        folder: Path | None = None,
        train_split: str | None = None,
        for_card: bool = True,
    ) -> None:
        self.collection, self.config, self.recipe = collection, config, config.resolved()
        self.split, self.train_split, self.for_card = split, train_split, for_card
        n = collection.documents.dimension
        torch.manual_seed(config.seed)
        self.model = IMRNN(AdapterConfig(n, n))
        self.documents = torch.from_numpy(collection.documents.vectors)  # same lengths as in Ranker
        self._best = BestModel(self.model, list(split.notes))
        self._loop: TrainingLoop | None = None
        self._shared, self._replay_log = shared, ReplayLog(folder)
        self._initialization = Initialization(
            collection,
            config,
            self._best.initial_model,
            self._replay_log,
            shared,
            self._train,
            self._best.notes,
        )

    def epochs(self) -> Iterator[Epoch]:
        """Train, and yield a record after each epoch, from epoch 0 on; stop early without gain.

        Raises:
            TrainingError: If all candidates of a training query are relevant.
        """
        if not self.recipe.supervised:
            yield from self._train_without_judgments()
            return
        groups = validators(self.collection, self.split)
        base = [validator.base_values() for validator in groups]
        self._best.measures["base_validation"] = mean_of_groups(base)
        initial = yield from self._initialize(groups)
        best_value, best_epoch = max(mean_of_groups(initial), mean_of_groups(base)), 0
        if not self.split.enough:
            return
        for number, loss in enumerate(self._train_on_judged(self.split.train), start=1):
            model = self._interpolated()
            values = self._values(groups, model)
            value = mean_of_groups(values)
            better = value > best_value and is_reliable_gain(
                values, base, initial, self.recipe.refit
            )
            if better:
                best_value, best_epoch = value, number
                self._best.update(model, "trained", value)
            yield self._record(loss, value, better, "train")
            if number >= self.recipe.epochs or number - best_epoch >= self.recipe.patience:
                break
        if best_epoch and self.recipe.refit:
            yield from self._refit(best_epoch, best_value)

    @property
    def history(self) -> list[Epoch]:
        """The epochs so far."""
        return self._best.history

    @property
    def notes(self) -> list[str]:
        """Remarks for the reader of the adapter card."""
        return self._best.notes

    @property
    def base_validation(self) -> float | None:
        """The validation measure of the base ranking, None if it is unknown."""
        value: float | None = self._best.measures.get("base_validation")
        return value

    @property
    def best_epoch(self) -> Epoch:
        """The best epoch so far; epoch 0 if none was better than the base."""
        return next((epoch for epoch in reversed(self.history) if epoch.best), self.history[0])

    def reject(self, reason: str) -> None:
        """Ship the identity, whatever the run has found; the card gives the reason."""
        self._best.reject(reason)

    def shipped_model(self) -> IMRNN | None:
        """Return the best model so far; None if it does not beat the base."""
        if self._replay_log.replaying:  # stopped before the last epoch of the earlier run
            self._restore(self._replay_log.saved_state)
        return None if self._best.shipped == "identity" else self._best.model

    def adapter(self, name: str) -> Adapter:
        """Return the best model so far with its card; the identity if none beats the base."""
        best = self.shipped_model()
        n = self.collection.documents.dimension
        model = identity_adapter(n) if best is None else copy.deepcopy(best)
        dataset, outcome = self.collection.dataset, self._best.outcome(self.best_epoch.number)
        card = AdapterCard(
            name,
            model.config.input_dim,
            model.config.output_dim,
            encoder=self.collection.encoder.spec.name,
            recipe=self.config.recipe,
            dataset=dataset.name,
            dataset_digest=dataset.digest,
            train_split=self.train_split,
            texts=training_texts(self.collection, self.split, self.recipe, outcome),
            config=self.config.to_json(),
            history=[asdict(epoch) for epoch in self.history],
            outcome=outcome,
        )
        return Adapter(model.eval().requires_grad_(False), card)

    # Phases

    def _initialize(self, groups: list[Validator]) -> Generator[Epoch, None, list[Tensor]]:
        """Select the initial model, and return its validation values (Q,) of each group.

        A model replaces the untrained one only if it is better than the base on all judged queries
        by more than the standard error.
        """
        values = self._values(groups, self.model)
        yield self._record(None, mean_of_groups(values), False, "initialization")
        if self.recipe.initialization == "identity":
            return values
        judged = Validator.from_qrels(self.collection, self.split.all)
        base = judged.base_values()
        best_gain = 0.0
        for model, loss, settings in self._initialization.initial_models(
            judged, self.recipe.initialization == "pretrained"
        ):
            (judged_values,) = self._values([judged], model)
            gain = float((judged_values - base).mean())
            better = gain > best_gain and exceeds_standard_error(judged_values - base)
            if better:
                best_gain, self._best.initial_model = gain, copy.deepcopy(model)
                values = self._values(groups, model)
                self._best.update(model, "initialization", mean_of_groups(values))
                means = {"judged": float(judged_values.mean()), "judged_base": float(base.mean())}
                self._best.measures["initialization"] = {**settings, **means}
            yield self._record(loss, float(judged_values.mean()), better, "pretrain")
        self._measure_left_out()
        self.model = copy.deepcopy(self._best.initial_model)
        return values

    def _measure_left_out(self) -> None:
        """Measure what the initial model does for documents that its sentence memory lacks."""
        settings = self._best.measures.get("initialization", {})
        if self.for_card and "sentences" in settings:
            values = self._replay_log.compute_or_replay(
                lambda: self._initialization.left_out_values(self.split.all, settings)
            )
            dataset = self._initialization.collection.dataset
            self._best.measures["left_out"] = asdict(left_out_gain(values, self.split.all, dataset))

    def _train_without_judgments(self) -> Iterator[Epoch]:
        """Ship the sentence memory if it passes the check without judgments.

        Otherwise ship the whitened model, maybe trained on titles, that passes it best.
        """
        check = self._initialization.harm_check()
        if isinstance(check, str):
            self._best.notes.append(f"no check without judgments: {check}")
            yield self._record(None, 0.0, False, "initialization")
            return
        self._best.measures["base_validation"] = float(check.base.mean())
        for model, loss, settings in self._initialization.unjudged_models():
            values = self._replay_log.compute_or_replay(partial(check.validator.ndcg, model))
            value = float(values.mean())
            best_value = self._best.measures.get("validation", 0.0)
            better = check.is_better(values) and value > best_value
            if better:
                self._best.update(model, "initialization", value)
                self._best.measures["initialization"] = settings
            yield self._record(loss, value, better, "pretrain" if loss else "initialization")
            if better and "sentences" in settings:
                return

    def _refit(self, epochs: int, value: float) -> Iterator[Epoch]:
        """Train the initial model again on all judged queries, for a number of epochs."""
        self.model = copy.deepcopy(self._best.initial_model)
        for number, loss in enumerate(self._train_on_judged(self.split.all), start=1):
            if number == epochs:
                self._best.update(self._interpolated(), "refit", value)
            yield self._record(loss, value, False, "refit")
            if number == epochs:
                break

    # Steps that a resumed run replays

    def _values(self, groups: list[Validator], model: IMRNN) -> list[Tensor]:
        """Return the values (Q,) of a model for each group of validation queries."""
        return self._replay_log.compute_or_replay(
            lambda: [validator.values(model) for validator in groups]
        )

    def _interpolated(self) -> IMRNN:
        share = self.recipe.weight_interpolation
        return interpolate(self._best.initial_model, self.model, share)

    def _train_on_judged(self, qrels: QrelsDict) -> Iterator[float]:
        examples = judged_examples(self.collection, qrels, self.recipe)
        return self._train(self.model, examples, self.documents, self.recipe)

    def _train(
        self,
        model: IMRNN,
        examples: Examples,
        documents: Tensor,
        recipe: Recipe,
        label: str | None = None,
    ) -> Iterator[float]:
        """Train a model in place; yield the mean loss of each epoch. A label shares the epochs."""
        loop = self._loop = TrainingLoop(model, documents, examples, recipe, self.config.seed)
        for number in count():
            step = partial(self._shared.epoch, label, number, loop) if label else loop.__next__
            yield self._replay_log.compute_or_replay(step)

    def _state(self) -> dict[str, Any]:
        """Return the state of the run in types that can be loaded without pickle."""
        return {"loop": self._loop.state() if self._loop else None, **self._best.state()}

    def _restore(self, state: dict[str, Any]) -> None:
        if self._loop and state["loop"]:
            self._loop.restore(state["loop"])
        self._best.restore(state)

    def _record(self, loss: float | None, value: float, best: bool, phase: Phase) -> Epoch:
        """Append an epoch to the history, and save the state of the run."""
        self.history.append(Epoch(len(self.history), loss, value, best, phase))
        self._replay_log.commit(self._state, self._restore)
        return self.history[-1]
