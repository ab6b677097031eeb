"""Train an adapter on vectors that were made once.

Nothing is encoded inside the loop, and nothing is printed.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.errors import TrainingError
from imrnns_core.model.checkpoint import Adapter, AdapterCard, Shipped, TrainingOutcome
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import Recipe, TrainConfig
from imrnns_core.training.examples import Examples, check_vectors, paired_examples, ranked_examples
from imrnns_core.training.initialization import Initialization
from imrnns_core.training.loop import TrainingLoop
from imrnns_core.training.resume import ReplayLog
from imrnns_core.training.splits import (
    HELD_OUT,
    Judged,
    TrainValidationSplit,
    judged_positive,
    split_queries,
)
from imrnns_core.training.title_queries import PseudoQueries
from imrnns_core.training.validator import Validator, exceeds_standard_error
from imrnns_core.training.whitening import identity_adapter
from imrnns_core.types import LabelledProgress, relevant_ids

HELD_OUT_TITLES = 300

Phase = Literal["start", "pretrain", "train", "refit"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training queries; epoch 0 is the start.

    `loss` is its mean, None where nothing was trained.

    `validation` is the mean of nDCG@10, R@10 and RR@10; of a "refit" epoch, whose queries include
    those of the validation, it is the value of the epoch that validation chose.
    """

    number: int
    loss: float | None
    validation: float
    best: bool
    phase: Phase = "train"


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
        _check_collection(collection)
        self.collection, self.config, self.recipe = collection, config, config.resolved()
        self.train_split = train_split if self.recipe.supervised else None
        supervised = self.recipe.supervised
        self.parts = self._parts(train_split, valid_split) if supervised else TrainValidationSplit()
        self.notes = list(self.parts.notes)
        n = collection.documents.dimension
        torch.manual_seed(config.seed)
        self.model = IMRNN(AdapterConfig(n, n))
        self.documents = torch.from_numpy(collection.documents.vectors)  # as the ranker has them
        self.history: list[Epoch] = []
        # where training starts from, and what would be shipped
        self._first = self._best = copy.deepcopy(self.model)
        self._shipped: Shipped = "identity"
        self._measures: dict[str, Any] = {}
        self._fit: TrainingLoop | None = None
        self._journal = ReplayLog(folder, self._key(), progress)
        self._pretraining = Initialization(
            collection, config, self._first, self._journal, self._passes, self.notes
        )

    def epochs(self) -> Iterator[Epoch]:
        """Train, and yield a record after each epoch, epoch 0 first.

        Stops early when nothing improves.
        """
        if not self.recipe.supervised:
            yield from self._unlabeled()
            return
        checks = self._checks()
        base = [check.base_values() for check in checks]
        self._measures["base_validation"] = _mean(base)
        start = yield from self._start(base, checks)
        best, chosen = max(_mean(start), _mean(base)), 0
        if not self.parts.enough:
            return
        for number, loss in enumerate(
            self._passes(self.model, self._examples(self.parts.train), self.documents, self.recipe),
            start=1,
        ):
            tuned = self._between()
            values = self._journal.take(lambda: [check.values(tuned) for check in checks])  # noqa: B023, taken at once
            value = _mean(values)
            better = value > best and self._holds(values, base, start)
            if better:
                best, chosen = value, number
                self._keep(tuned, "trained", value)
            yield self._record(loss, value, better, "train")
            if number >= self.recipe.epochs or number - chosen >= self.recipe.patience:
                break
        if chosen and self.recipe.refit:
            yield from self._refit(chosen, best)

    @property
    def most_epochs(self) -> int:
        """How many epochs there can be at most, epoch 0 not counted."""
        recipe, settings = self.recipe, self.config.pretrain
        pretraining = {"identity": 0, "whitened": 1, "pretrained": 1 + settings.epochs}[
            recipe.start
        ]
        if not recipe.supervised:
            return settings.epochs
        return (
            pretraining * len(settings.judged_powers)
            + (recipe.start == "pretrained")
            + recipe.epochs * (1 + recipe.refit)
        )

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
        model = (
            identity_adapter(self.collection.documents.dimension)
            if self._shipped == "identity"
            else copy.deepcopy(self._best)
        )
        notes = [
            *self.notes,
            *(
                ["no epoch was better than the base on validation: this is the identity"]
                if self._shipped == "identity"
                else []
            ),
        ]
        dataset, config = self.collection.dataset, model.config
        card = AdapterCard(
            name=name,
            input_dim=config.input_dim,
            output_dim=config.output_dim,
            encoder=self.collection.encoder.spec.name,
            recipe=self.config.recipe,
            dataset=dataset.name,
            dataset_digest=dataset.digest,
            train_split=self.train_split,
            training_positives=self._positives(),
            config=self.config.to_json(),
            history=[asdict(epoch) for epoch in self.history],
            outcome=TrainingOutcome(
                self._shipped, self.best_epoch.number, notes=notes, **self._measures
            ),
        )
        return Adapter(model.eval().requires_grad_(False), card)

    # Splits and examples

    def _parts(self, train_split: str, valid_split: str | None) -> TrainValidationSplit:
        name, dataset = self.collection.dataset.name, self.collection.dataset
        qrels = judged_positive(dataset.qrels(train_split))
        if valid_split is None:
            parts = split_queries(
                qrels, self.config.validation_share, self.config.seed, both=self.recipe.refit
            )
        else:
            parts = TrainValidationSplit(qrels, judged_positive(dataset.qrels(valid_split)))
        if not parts.train or not parts.valid:
            raise TrainingError(
                f"{name}: {len(parts.train)} training and {len(parts.valid)} validation "
                "queries have a "
                "relevant document; judge more queries, or name another split with "
                "--train-split or --valid-split"
            )
        count = len(self.collection.documents)
        if all(len(relevant_ids(judged)) >= count for judged in qrels.values()):
            raise TrainingError(
                f"{name}: all documents are relevant to every query, there is no negative; add "
                "documents"
            )
        return parts

    def _checks(self) -> list[Validator]:
        """Return the validation queries on unseen documents and, where there are enough, those on seen ones."""
        held = (
            [self.parts.held]
            if len(self.parts.held) >= min(HELD_OUT / 2, len(self.parts.valid))
            else []
        )
        return [Validator.of_judged(self.collection, qrels) for qrels in (self.parts.valid, *held)]

    def _examples(self, qrels: Judged) -> Examples:
        if self.recipe.negatives_from == "batch":
            return ranked_examples(self.collection, qrels, 1 + self.recipe.negatives)
        return paired_examples(
            self.collection, qrels, self.recipe.negatives, self.recipe.negatives_from == "lexical"
        )

    def _positives(self) -> list[str]:
        if self._shipped not in ("trained", "refit"):
            return []
        qrels = self.parts.all if self._shipped == "refit" else self.parts.train
        if self.recipe.negatives_from == "batch":
            return sorted({d for judged in qrels.values() for d in relevant_ids(judged)})
        return sorted(
            {min(relevant_ids(judged), key=lambda d: (-judged[d], d)) for judged in qrels.values()}
        )

    # Phases

    def _start(
        self, base: list[Tensor], checks: list[Validator]
    ) -> Generator[Epoch, None, list[Tensor]]:
        """Bring the model to the recipe's start, where one is surely better than the base on all judged queries; return its values."""
        values: list[Tensor] = self._journal.take(
            lambda: [check.values(self.model) for check in checks]
        )
        yield self._record(None, _mean(values), False, "start")
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
                best, self._first = gain, copy.deepcopy(model)
                values = self._journal.take(lambda: [check.values(model) for check in checks])  # noqa: B023
                self._keep(model, "start", _mean(values))
                self._measures["start"] = {
                    **what,
                    "judged": float(found.mean()),
                    "judged_base": float(plain.mean()),
                }
            yield self._record(loss, float(found.mean()), better, "pretrain")
        self.model = copy.deepcopy(self._first)
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
            self._keep(usual, "start", 0.0)
            yield self._unvalidated("a memory of sentences")
            return
        model, titles = self._pretraining.whitened(), self._pretraining.titles()
        if titles is None:
            self._keep(model, "start", 0.0)
            yield self._unvalidated("whitening only")
            return
        yield from self._learn_titles(model, titles)

    def _learn_titles(self, model: IMRNN, titles: PseudoQueries) -> Iterator[Epoch]:
        """Train on titles; keep the last epoch at which held-out titles and sentences show no harm."""
        settings = self.config.pretrain
        order = torch.randperm(
            len(titles.rows), generator=torch.Generator().manual_seed(self.config.seed)
        )
        held = min(HELD_OUT_TITLES, len(order) // 10)
        check = titles.validation(self.collection, order[:held], settings.candidates * 4)
        base = float(check.base_values().mean())
        self._measures["base_validation"] = base
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
                self._keep(model, "start", value)
            yield self._record(loss, value, holds, "pretrain" if number else "start")

    def _unvalidated(self, what: str) -> Epoch:
        self.notes.append(f"{what}, not validated: there are no judgments to validate with")
        return self._record(None, 0.0, True, "start")

    def _refit(self, count: int, value: float) -> Iterator[Epoch]:
        """Train from the start again, on all judged queries, as long as validation said."""
        self.model = copy.deepcopy(self._first)
        for number, loss in enumerate(
            self._passes(self.model, self._examples(self.parts.all), self.documents, self.recipe),
            start=1,
        ):
            if number == count:
                self._keep(self._between(), "refit", value)
            yield self._record(loss, value, False, "refit")
            if number == count:
                break

    # The journal

    def _key(self) -> str:
        """Return a hash of all that the result depends on."""
        dataset, digest = self.collection.dataset, hashlib.blake2b(digest_size=16)
        judged = [
            sorted((q, sorted(j.items())) for q, j in qrels.items())
            for qrels in (self.parts.train, self.parts.held, self.parts.valid)
        ]
        digest.update(
            json.dumps(
                [
                    self.config.to_json(),
                    dataset.digest,
                    self.collection.encoder.spec.to_json(),
                    judged,
                ]
            ).encode()
        )
        for matrix in (self.collection.documents, self.collection.queries):
            digest.update(matrix.vectors.tobytes())
        return f"{torch.__version__} {digest.hexdigest()}\n"

    def _passes(
        self, model: IMRNN, examples: Examples, documents: Tensor, recipe: Recipe
    ) -> Iterator[float]:
        """Train a model in place; yield the mean loss of each pass."""
        self._fit = TrainingLoop(model, documents, examples, recipe, self.config.seed)
        while True:
            yield self._journal.take(self._fit.__next__)

    def _state(self) -> dict[str, Any]:
        """Return what a killed run needs to go on after this epoch, in types that are read without pickle."""
        return {
            "fit": self._fit.state() if self._fit else None,
            "first": [asdict(self._first.config), self._first.state_dict()],
            "best": [asdict(self._best.config), self._best.state_dict()],
            "shipped": self._shipped,
            "measures": self._measures,
            "notes": self.notes,
            "history": [asdict(epoch) for epoch in self.history],
        }

    def _restore(self, state: dict[str, Any]) -> None:
        if self._fit and state["fit"]:
            self._fit.restore(state["fit"])
        self._first, self._best = (_rebuilt(*state[name]) for name in ("first", "best"))
        self._shipped, self._measures = state["shipped"], state["measures"]
        self.notes[:] = state["notes"]  # the same list: pretraining adds to it
        self.history = [Epoch(**epoch) for epoch in state["history"]]

    # Small parts

    def _holds(self, values: list[Tensor], base: list[Tensor], start: list[Tensor]) -> bool:
        """Say whether a gain is one.

        No group surely below the base and, for a refit, more than a standard error above the start.
        """
        if any(exceeds_standard_error(b - v) for v, b in zip(values, base, strict=True)):
            return False
        if not self.recipe.refit:
            return True
        gains = [v - s for v, s in zip(values, start, strict=True)]
        error = sum(float(g.var()) / len(g) for g in gains if len(g) > 1) ** 0.5 / len(gains)
        return bool(_mean(gains) > error)

    def _between(self) -> IMRNN:
        """Return the model `recipe.kept` of the way from the start."""
        first, tuned = self._first.state_dict(), copy.deepcopy(self.model)
        tuned.load_state_dict(
            {
                name: torch.lerp(first[name], value, self.recipe.kept)
                for name, value in self.model.state_dict().items()
            }
        )
        return tuned.eval()

    def _keep(self, model: IMRNN, what: Shipped, value: float) -> None:
        self._best, self._shipped = copy.deepcopy(model), what
        self._measures["validation"] = value

    def _record(self, loss: float | None, value: float, best: bool, phase: Phase) -> Epoch:
        self.history.append(Epoch(len(self.history), loss, value, best, phase))
        self._journal.commit(self._state, self._restore)
        return self.history[-1]


def _check_collection(collection: Collection) -> None:
    """Raise TrainingError if there is nothing to rank, or a vector that is no direction."""
    name = collection.dataset.name
    if len(collection.documents) < 2:
        raise TrainingError(f"{name}: one document cannot be ranked; add documents to the corpus")
    check_vectors(collection.documents.vectors, "document", name)
    check_vectors(collection.queries.vectors, "query", name)


def _rebuilt(config: dict[str, Any], state: dict[str, Tensor]) -> IMRNN:
    model = IMRNN(AdapterConfig(**config))
    model.load_state_dict(state)
    return model.eval()


def _mean(groups: list[Tensor]) -> float:
    """Return the mean over groups of the mean over queries."""
    return sum(float(values.mean()) for values in groups) / len(groups)
