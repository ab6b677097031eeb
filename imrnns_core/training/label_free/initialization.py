"""Initial models that need no judgments: sentence memory, whitening, and training on titles."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import Recipe, TrainConfig
from imrnns_core.training.examples import Examples
from imrnns_core.training.label_free.harm_check import HarmCheck
from imrnns_core.training.label_free.memory_extension import add_sentences, left_out_values
from imrnns_core.training.label_free.sentence_memory import (
    SentenceMemory,
    Sentences,
    encode_sentences,
)
from imrnns_core.training.label_free.title_queries import PseudoQueries, title_queries, title_recipe
from imrnns_core.training.label_free.whitening import whiten
from imrnns_core.training.resume import ReplayLog, SharedResults
from imrnns_core.training.splits import QrelsDict
from imrnns_core.training.validator import Validator, exceeds_standard_error

TrainModel = Callable[[IMRNN, Examples, Tensor, Recipe, str | None], Iterator[float]]
"""Trains a model in place on examples of (N, n) documents; yields the mean loss of each epoch.

Other runs use the same epochs if a label is passed that names data, settings and initial weights.
"""
InitialModel = tuple[IMRNN, float | None, dict[str, Any]]
"""A model, its mean training loss (None if it was not trained), and its settings."""


@dataclass
class Initialization:
    """Makes initial models from the documents alone.

    Attributes:
        collection: The documents.
        config: The settings of the training.
        untrained: A square, untrained adapter; it is copied and never changed.
        replay_log: Stores measured values.
        shared: Stores the vectors of titles and sentences.
        train: Trains a model on titles.
        notes: Remarks for the user; the methods append to the list.
    """

    collection: Collection
    config: TrainConfig
    untrained: IMRNN
    replay_log: ReplayLog
    shared: SharedResults
    train: TrainModel
    notes: list[str]

    def initial_models(self, judged: Validator, pretrained: bool) -> Iterator[InitialModel]:
        """Yield the initial models, among which judged queries select.

        A later model may be an earlier one that is trained further, in place.

        Args:
            judged: Measures a model on the judged queries.
            pretrained: Whether to add the sentence memory and the training on titles to the
                whitened models.
        """
        settings = self.config.pretrain
        if pretrained:
            yield from self._memory_model(judged)
        titles = self.titles() if pretrained else None
        for power in settings.judged_powers:
            yield from self._whitened_models(power, titles)

    def unjudged_models(self) -> Iterator[InitialModel]:
        """Yield the initial models with default settings: memory, whitening, training on titles.

        A later model may be an earlier one that is trained further, in place.
        """
        memory, settings = self.memory(), self.config.pretrain
        if memory is not None:
            choice = self.config.memory.offsets[0], self.config.memory.unjudged_strength
            yield memory.adapter(*choice), None, memory.settings(*choice)
        yield from self._whitened_models(settings.weak_power, None)
        yield from self._whitened_models(settings.power, self.titles())

    def _whitened_models(
        self, power: float, titles: PseudoQueries | None
    ) -> Iterator[InitialModel]:
        """Yield the whitened model, and the same model after each epoch of training on titles."""
        settings, model = self.config.pretrain, self.whitened_model(power)
        yield model, None, {"power": power}
        if titles is not None:
            examples = titles.examples(
                self.collection, torch.arange(len(titles.rows)), settings.candidates
            )
            losses = self.train(
                model, examples, titles.documents, title_recipe(settings), f"titles, power {power}"
            )
            for epoch in range(1, settings.epochs + 1):
                yield model, next(losses), {"power": power, "titles": epoch}

    def harm_check(self) -> HarmCheck | str:
        """Return the check without judgments, or why it is not possible."""
        return HarmCheck.build(
            self.collection,
            lambda texts: self.shared.encode(
                "keywords", texts, self.collection.encoder.encode_queries
            ),
            self.config.seed,
        )

    def _memory_model(self, judged: Validator) -> Iterator[InitialModel]:
        """Yield the adapter with the sentence memory, if the collection has one.

        Threshold and strength are the default ones unless others are better on the judged queries
        by more than the standard error.
        """
        memory = self.memory()
        if memory is None:
            return
        settings = self.config.memory
        choices = [(offset, s) for offset in settings.offsets for s in settings.strengths]
        values = self.replay_log.compute_or_replay(
            lambda: [judged.values(memory.adapter(*choice)) for choice in choices]
        )
        # the first choice is the default; another one must beat it reliably
        best = max(range(len(choices)), key=lambda i: float(values[i].mean()))
        offset, strength = choices[best if exceeds_standard_error(values[best] - values[0]) else 0]
        yield memory.adapter(offset, strength), None, memory.settings(offset, strength)

    def left_out_values(self, qrels: QrelsDict, settings: Mapping[str, float]) -> list[Tensor]:
        """Return what the selected memory does for documents that it lacks.

        Args:
            qrels: The judged queries.
            settings: The settings of the memory.
        """
        sentences, config = self.sentences(), self.config.memory
        assert not isinstance(sentences, str)  # the memory was built from them

        def build(documents: Tensor, stored: Sentences) -> IMRNN:
            whitened = copy.deepcopy(self.untrained)
            whiten(whitened, documents, self.config.pretrain)
            memory = SentenceMemory.build(whitened, documents, stored, config, self.config.seed)
            return memory.adapter(settings["offset"], settings["strength"])

        def extend(model: IMRNN, stored: Tensor, added: Sentences) -> IMRNN:
            return add_sentences(
                model, self._documents, stored, added, settings["strength"], config.sharpness
            )

        return left_out_values(self.collection, qrels, sentences, build, extend, self.config.seed)

    def memory(self) -> SentenceMemory | None:
        """Return the memory of the collection's sentences in the whitened space.

        If it cannot be made, return None and append the reason to the notes.
        """
        sentences = self.sentences()
        if isinstance(sentences, str):
            self.notes.append(f"no sentence memory: {sentences}")
            return None
        return SentenceMemory.build(
            self.whitened_model(), self._documents, sentences, self.config.memory, self.config.seed
        )

    def sentences(self) -> Sentences | str:
        """Return the vectors of all sentences, or why they cannot be encoded."""
        return encode_sentences(
            self.collection,
            self.config.memory,
            lambda texts: self.shared.encode(
                "sentences", texts, self.collection.encoder.encode_queries
            ),
            range(len(self.collection.documents)),
        )

    def titles(self) -> PseudoQueries | None:
        """Return the titles as queries.

        If there are too few, return None and append the reason to the notes.
        """
        titles = title_queries(self.collection, self.config.pretrain, self.config.seed, self.shared)
        if isinstance(titles, str):
            self.notes.append(f"no pretraining on titles: {titles}")
            return None
        return titles

    def whitened_model(self, power: float | None = None) -> IMRNN:
        """Return a copy of the untrained adapter whose projector whitens the documents."""
        model = copy.deepcopy(self.untrained)
        whiten(model, self._documents, self.config.pretrain, power)
        return model

    @property
    def _documents(self) -> Tensor:
        return torch.from_numpy(self.collection.documents.vectors)
