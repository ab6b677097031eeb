"""Train an adapter on vectors that were made once: nothing is encoded inside the loop, and nothing is printed."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from imrnns_core.adapter import IMRNN
from imrnns_core.checkpoint import Adapter, AdapterCard
from imrnns_core.config import AdapterConfig, TrainConfig
from imrnns_core.errors import TrainingError
from imrnns_core.examples import (
    Examples,
    Judged,
    check_vectors,
    judged_positive,
    paired_examples,
    ranked_examples,
    relevant_ids,
    split_disjoint,
    split_shared,
)
from imrnns_core.learning import fit
from imrnns_core.starts import Progress, PseudoQueries, identity_adapter, pretraining, title_queries, whiten
from imrnns_core.validation import Validation
from imrnns_core.workspace import Collection

HELD_OUT = 40
"""So many validation queries, where two fifths of the judged ones allow it; fewer tell nothing."""
HELD_OUT_TITLES = 300

Phase = Literal["start", "pretrain", "train", "refit"]


@dataclass(frozen=True)
class Epoch:
    """One pass over the training queries; epoch 0 is the start. `loss` is its mean, None where nothing was trained.

    `validation` is the mean of nDCG@10, R@10 and RR@10; of a "refit" epoch, whose queries include those of the
    validation, it is the value of the epoch that validation chose.
    """

    number: int
    loss: float | None
    validation: float
    best: bool
    phase: Phase = "train"


class Training:
    """One run. Iterate `epochs()`, stop whenever you like, then take `adapter()`: the best so far, or the identity.

    Args:
        collection: The vectors and judgments.
        config: Recipe and hyper-parameters.
        train_split: The split with the training judgments; not read by a recipe without judgments.
        valid_split: The split that chooses the epoch; None carves one out of the training split that
            shares no relevant document with the rest.
        progress: Called with (done, total) while titles are encoded.

    Raises TrainingError where there is nothing to learn from.
    """

    def __init__(
        self, collection: Collection, config: TrainConfig, train_split: str = "train", valid_split: str | None = None,
        progress: Progress | None = None,
    ) -> None:  # fmt: skip
        name = collection.dataset.name
        if len(collection.documents) < 2:
            raise TrainingError(f"{name}: one document cannot be ranked; add documents to the corpus")
        check_vectors(collection.documents.vectors, "document", name)
        check_vectors(collection.queries.vectors, "query", name)
        self.collection, self.config, self.recipe, self.progress = collection, config, config.resolved(), progress
        self.train_split = train_split if self.recipe.supervised else None
        self.train_qrels: Judged = {}
        self.valid_qrels: Judged = {}
        self.held_qrels: Judged = {}
        if self.recipe.supervised:
            self._split(train_split, valid_split)
        n = collection.documents.dimension
        torch.manual_seed(config.seed)
        self.model = IMRNN(AdapterConfig(n, n))
        self.documents = torch.from_numpy(collection.documents.vectors)  # as the ranker projects them
        self.history: list[Epoch] = []
        self.notes: list[str] = []
        self._best = self._state()
        self._shipped: Literal["identity", "start", "trained", "refit"] = "identity"
        self._measures: dict[str, Any] = {}

    def epochs(self) -> Iterator[Epoch]:
        """Train, and yield a record after each epoch, epoch 0 first; stops early when nothing improves."""
        if not self.recipe.supervised:
            yield from self._unlabeled()
            return
        examples = self._examples(self.train_qrels)
        checks = self._checks()
        base = [check.base_values() for check in checks]
        self._measures["base_validation"] = _mean(base)
        yield from self._start(base, checks)
        start = [check.values(self.model) for check in checks]
        first, best = self._state(), max(_mean(start), _mean(base))
        chosen = 0
        for number, loss in enumerate(fit(self.model, self.documents, examples, self.recipe, self.config.seed), start=1):
            tuned = self._between(first)
            values = [check.values(tuned) for check in checks]
            value = _mean(values)
            better = value > best and self._holds(values, base, start)
            if better:
                best, chosen = value, number
                self._keep(tuned, "trained", value)
            yield self._record(loss, value, better, "train")
            if number >= self.recipe.epochs or number - chosen >= self.recipe.patience:
                break
        if chosen and self.recipe.refit:
            yield from self._refit(first, chosen, best)

    @property
    def best_epoch(self) -> Epoch:
        """The last epoch that was better than all before it, or epoch 0."""
        return next((epoch for epoch in reversed(self.history) if epoch.best), self.history[0])

    def adapter(self, name: str) -> Adapter:
        """Return the best so far, with its card; the identity, exactly, where nothing was better than the base."""
        if self._shipped == "identity":
            model = identity_adapter(self.collection.documents.dimension)
        else:
            model = IMRNN(self.model.config)
            model.load_state_dict(self._best)
        notes = [
            *self.notes,
            *(["no epoch was better than the base on validation: this is the identity"] if self._shipped == "identity" else []),
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
            measures={"best_epoch": self.best_epoch.number, "shipped": self._shipped, **self._measures, "notes": notes},
        )
        return Adapter(model.eval().requires_grad_(False), card)

    # Splits and examples

    def _split(self, train_split: str, valid_split: str | None) -> None:
        qrels = judged_positive(self.collection.dataset.qrels(train_split))
        if valid_split is None:
            share = (
                max(self.config.validation_share, min(0.4, HELD_OUT / max(len(qrels), 1)))
                if self.recipe.refit
                else self.config.validation_share
            )
            self.train_qrels, self.valid_qrels = split_disjoint(qrels, share, self.config.seed)
            if self.recipe.refit:
                self.train_qrels, self.held_qrels = split_shared(self.train_qrels, share, self.config.seed)
        else:
            self.train_qrels, self.valid_qrels = qrels, judged_positive(self.collection.dataset.qrels(valid_split))
        if not self.train_qrels or not self.valid_qrels:
            raise TrainingError(
                f"{self.collection.dataset.name}: {len(self.train_qrels)} training and {len(self.valid_qrels)} validation queries have a "
                "relevant document; judge more queries, or name another split with --train-split or --valid-split"
            )
        count = len(self.collection.documents)
        if all(len(relevant_ids(judged)) >= count for judged in qrels.values()):
            raise TrainingError(
                f"{self.collection.dataset.name}: all documents are relevant to every query, there is no negative; add documents"
            )

    def _checks(self) -> list[Validation]:
        """Return the validation queries on unseen documents and, where there are enough, those on seen ones."""
        held = [self.held_qrels] if len(self.held_qrels) >= min(HELD_OUT / 2, len(self.valid_qrels)) else []
        return [Validation.of_judged(self.collection, qrels) for qrels in (self.valid_qrels, *held)]

    def _examples(self, qrels: Judged) -> Examples:
        if self.recipe.negatives_from == "batch":
            return ranked_examples(self.collection, qrels, 1 + self.recipe.negatives)
        return paired_examples(self.collection, qrels, self.recipe.negatives, self.recipe.negatives_from == "lexical")

    def _positives(self) -> list[str]:
        if self._shipped not in ("trained", "refit"):
            return []
        qrels = self._all_qrels() if self._shipped == "refit" else self.train_qrels
        if self.recipe.negatives_from == "batch":
            return sorted({d for judged in qrels.values() for d in relevant_ids(judged)})
        return sorted({min(relevant_ids(judged), key=lambda d: (-judged[d], d)) for judged in qrels.values()})

    def _all_qrels(self) -> Judged:
        return {**self.train_qrels, **self.held_qrels, **self.valid_qrels}

    # Phases

    def _start(self, base: list[Tensor], checks: list[Validation]) -> Iterator[Epoch]:
        """Bring the model to the recipe's start; keep it only where it beats the base on all judged queries."""
        fresh = self._state()
        yield self._record(None, _mean([check.values(self.model) for check in checks]), False, "start")
        if self.recipe.start == "identity":
            return
        judged = Validation.of_judged(self.collection, self._all_qrels())
        best, kept = float(judged.base_values().mean()), fresh
        titles = self._titles() if self.recipe.start == "pretrained" else None
        for power in self.config.pretrain.judged_powers:
            self.model.load_state_dict(fresh)
            whiten(self.model, self.documents, self.config.pretrain, power)
            for loss in self._pretraining_losses(titles):
                value = float(judged.values(self.model).mean())
                better = value > best
                if better:
                    best, kept = value, self._state()
                    self._keep(self.model, "start", _mean([check.values(self.model) for check in checks]))
                    self._measures["start"] = {"power": power, "judged": value, "judged_base": float(judged.base_values().mean())}
                yield self._record(loss, value, better, "pretrain")
        self.model.load_state_dict(kept)

    def _titles(self) -> PseudoQueries | None:
        titles = title_queries(self.collection, self.config.pretrain, self.config.seed, self.progress)
        if isinstance(titles, str):
            self.notes.append(f"no pretraining on titles: {titles}")
            return None
        return titles

    def _pretraining_losses(self, titles: PseudoQueries | None) -> Iterator[float | None]:
        """Yield None for the whitening alone, then the mean loss of each pass over the titles."""
        yield None
        if titles is not None:
            settings = self.config.pretrain
            examples = titles.examples(self.collection, torch.arange(len(titles.rows)), settings.candidates)
            losses = fit(self.model, titles.documents, examples, pretraining(settings), self.config.seed)
            for _ in range(settings.epochs):
                yield next(losses)

    def _unlabeled(self) -> Iterator[Epoch]:
        """Whiten, then train on titles; titles that were held out say whether it helps."""
        settings = self.config.pretrain
        whiten(self.model, self.documents, settings)
        titles = title_queries(self.collection, settings, self.config.seed, self.progress)
        if isinstance(titles, str):
            self.notes.append(f"whitening only, not validated: {titles}")
            self._keep(self.model, "start", 0.0)
            yield self._record(None, 0.0, True, "start")
            return
        order = torch.randperm(len(titles.rows), generator=torch.Generator().manual_seed(self.config.seed))
        held = min(HELD_OUT_TITLES, len(order) // 10)
        check = titles.validation(self.collection, order[:held], settings.candidates * 4)
        base = float(check.base_values().mean())
        self._measures["base_validation"] = base
        losses = fit(
            self.model,
            titles.documents,
            titles.examples(self.collection, order[held:], settings.candidates),
            pretraining(settings),
            self.config.seed,
        )
        for number in range(settings.epochs + 1):
            loss = next(losses) if number else None
            value = float(check.values(self.model).mean())
            holds = value >= base  # as many passes as the study found: titles tell harm, not the best of good epochs
            if holds:
                self._keep(self.model, "start", value)
            yield self._record(loss, value, holds, "pretrain" if number else "start")

    def _refit(self, first: dict[str, Tensor], count: int, value: float) -> Iterator[Epoch]:
        """Train from the start again, on all judged queries, as long as validation said."""
        self.model.load_state_dict(first)
        losses = fit(self.model, self.documents, self._examples(self._all_qrels()), self.recipe, self.config.seed)
        for number in range(1, count + 1):
            loss = next(losses)
            if number == count:
                self._keep(self._between(first), "refit", value)
            yield self._record(loss, value, False, "refit")

    # Small parts

    def _holds(self, values: list[Tensor], base: list[Tensor], start: list[Tensor]) -> bool:
        """Say whether a gain is one: no group below the base and, for a refit, more than a standard error above the start."""
        if any(float(v.mean()) < float(b.mean()) for v, b in zip(values, base, strict=True)):
            return False
        if not self.recipe.refit:
            return True
        gains = [v - s for v, s in zip(values, start, strict=True)]
        error = sum(float(g.var()) / len(g) for g in gains if len(g) > 1) ** 0.5 / len(gains)
        return bool(_mean(gains) > error)

    def _between(self, first: dict[str, Tensor]) -> IMRNN:
        """Return the model `recipe.kept` of the way from the start."""
        model = IMRNN(self.model.config)
        model.load_state_dict({name: torch.lerp(first[name], value, self.recipe.kept) for name, value in self.model.state_dict().items()})
        return model.eval()

    def _state(self) -> dict[str, Tensor]:
        return copy.deepcopy(self.model.state_dict())

    def _keep(self, model: IMRNN, what: Literal["start", "trained", "refit"], value: float) -> None:
        self._best, self._shipped = copy.deepcopy(model.state_dict()), what
        self._measures["validation"] = value

    def _record(self, loss: float | None, value: float, best: bool, phase: Phase) -> Epoch:
        self.history.append(Epoch(len(self.history), loss, value, best, phase))
        return self.history[-1]


def _mean(groups: list[Tensor]) -> float:
    """Return the mean over groups of the mean over queries."""
    return sum(float(values.mean()) for values in groups) / len(groups)
