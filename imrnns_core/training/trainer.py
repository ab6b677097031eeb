"""Train an adapter on vectors that were made once.

Nothing is encoded inside the loop, and nothing is printed.
"""

from __future__ import annotations

import copy
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.model.checkpoint import Adapter, AdapterCard
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import Recipe, TrainConfig
from imrnns_core.training.examples import Examples
from imrnns_core.training.initialization import Initialization
from imrnns_core.training.judged import (
    check_collection,
    judged_examples,
    split_judged,
    trained_positives,
    validators,
)
from imrnns_core.training.loop import TrainingLoop, interpolate
from imrnns_core.training.progress import BestModel, Epoch, Phase
from imrnns_core.training.resume import ReplayLog, run_key
from imrnns_core.training.splits import (
    Judged,
    TrainValidationSplit,
)
from imrnns_core.training.title_queries import PseudoQueries
from imrnns_core.training.validator import (
    Validator,
    exceeds_standard_error,
    gain_holds,
    mean_of_groups,
)
from imrnns_core.training.whitening import identity_adapter
from imrnns_core.types import LabelledProgress

HELD_OUT_TITLES = 300


class Trainer:
    """One run.

    Iterate `epochs()`, stop whenever you like, then take `adapter()`: the best so far, or the
    identity.

    Args:
        collection: The vectors and judgments.
        config: Recipe and hyper-parameters.
        train_split: The split with the training judgments; not read by a recipe without judgments.
        valid_split: The split that chooses the epoch; None carves one out of the training split
            that shares no relevant document with the rest.
        progress: Called with (what, done, total) while titles and sentences are encoded.
        folder: Where to keep what a killed run needs to go on from its last epoch; `close` removes
            it.

    Raises TrainingError where there is nothing to learn from.
    """

    def __init__(
        self,
        collection: Collection,
        config: TrainConfig,
        train_split: str = "train",
        valid_split: str | None = None,
        progress: LabelledProgress | None = None,
        folder: Path | None = None,
    ) -> None:
        check_collection(collection)
        self.collection, self.config, self.recipe = collection, config, config.resolved()
        self.train_split = train_split if self.recipe.supervised else None
        self.parts = TrainValidationSplit()
        if self.recipe.supervised:
            self.parts = split_judged(collection, config, train_split, valid_split)
        n = collection.documents.dimension
        torch.manual_seed(config.seed)
        self.model = IMRNN(AdapterConfig(n, n))
        self.documents = torch.from_numpy(collection.documents.vectors)  # as the ranker has them
        self._best = BestModel(self.model, list(self.parts.notes))
        self._fit: TrainingLoop | None = None
        self._journal = ReplayLog(folder, run_key(collection, config, self.parts), progress)
        self._pretraining = Initialization(
            collection, config, self._best.first, self._journal, self._passes, self._best.notes
        )

    def epochs(self) -> Iterator[Epoch]:
        """Train, and yield a record after each epoch, epoch 0 first.

        Stops early when nothing improves.
        """
        if not self.recipe.supervised:
            yield from self._unlabeled()
            return
        checks = validators(self.collection, self.parts)
        base = [check.base_values() for check in checks]
        self._best.measures["base_validation"] = mean_of_groups(base)
        start = yield from self._start(base, checks)
        best, chosen = max(mean_of_groups(start), mean_of_groups(base)), 0
        if not self.parts.enough:
            return
        for number, loss in enumerate(self._judged_passes(self.parts.train), start=1):
            tuned = interpolate(self._best.first, self.model, self.recipe.kept)
            values = self._journal.take(lambda: [check.values(tuned) for check in checks])  # noqa: B023, taken at once
            value = mean_of_groups(values)
            better = value > best and gain_holds(values, base, start, self.recipe.refit)
            if better:
                best, chosen = value, number
                self._best.keep(tuned, "trained", value)
            yield self._record(loss, value, better, "train")
            if number >= self.recipe.epochs or number - chosen >= self.recipe.patience:
                break
        if chosen and self.recipe.refit:
            yield from self._refit(chosen, best)

    @property
    def history(self) -> list[Epoch]:
        """The epochs so far."""
        return self._best.history

    @property
    def notes(self) -> list[str]:
        """What a reader of the card should know."""
        return self._best.notes

    def close(self) -> None:
        """Remove what was kept for a killed run."""
        self._journal.close()

    @property
    def best_epoch(self) -> Epoch:
        """The last epoch that was better than all before it, or epoch 0."""
        return next((epoch for epoch in reversed(self.history) if epoch.best), self.history[0])

    def adapter(self, name: str) -> Adapter:
        """Return the best so far, with its card.

        The identity, exactly, where nothing was better than the base.
        """
        if self._journal.replaying:  # stopped before it was where the earlier run had been
            self._restore(self._journal.saved)
        identity = self._best.shipped == "identity"
        model = (
            identity_adapter(self.collection.documents.dimension)
            if identity
            else copy.deepcopy(self._best.model)
        )
        dataset = self.collection.dataset
        card = AdapterCard(
            name,
            model.config.input_dim,
            model.config.output_dim,
            encoder=self.collection.encoder.spec.name,
            recipe=self.config.recipe,
            dataset=dataset.name,
            dataset_digest=dataset.digest,
            train_split=self.train_split,
            training_positives=trained_positives(self._best.shipped, self.parts, self.recipe),
            config=self.config.to_json(),
            history=[asdict(epoch) for epoch in self.history],
            outcome=self._best.outcome(self.best_epoch.number),
        )
        return Adapter(model.eval().requires_grad_(False), card)

    # Phases

    def _start(
        self, base: list[Tensor], checks: list[Validator]
    ) -> Generator[Epoch, None, list[Tensor]]:
        """Bring the model to the recipe's start, and return its validation values.

        A start is taken only where it is surely better than the base on all judged queries.
        """
        values: list[Tensor] = self._journal.take(
            lambda: [check.values(self.model) for check in checks]
        )
        yield self._record(None, mean_of_groups(values), False, "start")
        if self.recipe.start == "identity":
            return values
        judged = Validator.of_judged(self.collection, self.parts.all)
        plain = judged.base_values()
        best = 0.0
        for model, loss, what in self._pretraining.starts(
            judged, self.recipe.start == "pretrained"
        ):
            found: Tensor = self._journal.take(lambda: judged.values(model))  # noqa: B023, taken at once
            gain = float((found - plain).mean())
            better = gain > best and exceeds_standard_error(found - plain)
            if better:
                best, self._best.first = gain, copy.deepcopy(model)
                values = self._journal.take(lambda: [check.values(model) for check in checks])  # noqa: B023
                self._best.keep(model, "start", mean_of_groups(values))
                measured = {"judged": float(found.mean()), "judged_base": float(plain.mean())}
                self._best.measures["start"] = {**what, **measured}
            yield self._record(loss, float(found.mean()), better, "pretrain")
        self.model = copy.deepcopy(self._best.first)
        return values

    def _unlabeled(self) -> Iterator[Epoch]:
        """Take the memory of sentences.

        Without one, whiten, then train on titles as long as held-out titles and sentences say it
        does no harm.
        """
        memory = self._pretraining.memory()
        if memory is not None:
            usual = memory.adapter(self.config.memory.offsets[0], self.config.memory.strengths[0])
            # titles cannot judge it: they find their documents by their own words
            self._best.keep(usual, "start", 0.0)
            yield self._unvalidated("a memory of sentences")
            return
        model, titles = self._pretraining.whitened(), self._pretraining.titles()
        if titles is None:
            self._best.keep(model, "start", 0.0)
            yield self._unvalidated("whitening only")
            return
        yield from self._learn_titles(model, titles)

    def _learn_titles(self, model: IMRNN, titles: PseudoQueries) -> Iterator[Epoch]:
        """Train on titles.

        Keep the last epoch at which held-out titles and sentences show no harm.
        """
        settings = self.config.pretrain
        order = torch.randperm(
            len(titles.rows), generator=torch.Generator().manual_seed(self.config.seed)
        )
        held = min(HELD_OUT_TITLES, len(order) // 10)
        check = titles.validation(self.collection, order[:held], settings.candidates * 4)
        base = float(check.base_values().mean())
        self._best.measures["base_validation"] = base
        asked = self._pretraining.sentence_check(HELD_OUT_TITLES)
        found = asked.base_values()
        passes = self._pretraining.taught(
            model, titles, titles.examples(self.collection, order[held:], settings.candidates)
        )
        for number in range(settings.epochs + 1):
            loss = next(passes) if number else None
            value: float = self._journal.take(lambda: float(check.values(model).mean()))
            sentences: Tensor = self._journal.take(lambda: asked.values(model))
            # as many passes as the study found: titles and sentences tell harm, not the best of
            # good epochs
            holds = value >= base and not exceeds_standard_error(found - sentences)
            if holds:
                self._best.keep(model, "start", value)
            yield self._record(loss, value, holds, "pretrain" if number else "start")

    def _unvalidated(self, what: str) -> Epoch:
        self._best.notes.append(f"{what}, not validated: there are no judgments to validate with")
        return self._record(None, 0.0, True, "start")

    def _refit(self, count: int, value: float) -> Iterator[Epoch]:
        """Train from the start again, on all judged queries, as long as validation said."""
        self.model = copy.deepcopy(self._best.first)
        for number, loss in enumerate(self._judged_passes(self.parts.all), start=1):
            if number == count:
                self._best.keep(
                    interpolate(self._best.first, self.model, self.recipe.kept), "refit", value
                )
            yield self._record(loss, value, False, "refit")
            if number == count:
                break

    # What survives a kill

    def _judged_passes(self, qrels: Judged) -> Iterator[float]:
        examples = judged_examples(self.collection, qrels, self.recipe)
        return self._passes(self.model, examples, self.documents, self.recipe)

    def _passes(
        self, model: IMRNN, examples: Examples, documents: Tensor, recipe: Recipe
    ) -> Iterator[float]:
        """Train a model in place; yield the mean loss of each pass."""
        self._fit = TrainingLoop(model, documents, examples, recipe, self.config.seed)
        while True:
            yield self._journal.take(self._fit.__next__)

    def _state(self) -> dict[str, Any]:
        """Return what a killed run needs to go on, in types that are read without pickle."""
        return {"fit": self._fit.state() if self._fit else None, **self._best.state()}

    def _restore(self, state: dict[str, Any]) -> None:
        if self._fit and state["fit"]:
            self._fit.restore(state["fit"])
        self._best.restore(state)

    def _record(self, loss: float | None, value: float, best: bool, phase: Phase) -> Epoch:
        self.history.append(Epoch(len(self.history), loss, value, best, phase))
        self._journal.commit(self._state, self._restore)
        return self.history[-1]
