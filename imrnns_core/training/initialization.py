"""The starts that a collection offers before a judgment teaches anything.

Memories, whitenings, whitenings taught on titles.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from imrnns_core.config import SearchConfig
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.text.sentences import split_sentences
from imrnns_core.training.config import Recipe, TrainConfig
from imrnns_core.training.examples import Examples
from imrnns_core.training.resume import ReplayLog
from imrnns_core.training.sentence_memory import SentenceMemory, sentences
from imrnns_core.training.title_queries import PseudoQueries, title_queries, title_recipe
from imrnns_core.training.validator import Validator, exceeds_standard_error
from imrnns_core.training.whitening import whiten

Passes = Callable[[IMRNN, Examples, Tensor, Recipe], Iterator[float]]
"""Trains a model in place on examples of (N, n) documents; yields the mean loss of each pass."""
Start = tuple[IMRNN, float | None, dict[str, Any]]
"""A model, the loss where it was trained, and what it is."""


@dataclass
class Initialization:
    """What can be had from the documents alone.

    Attributes:
        collection: The documents.
        config: Hyper-parameters.
        fresh: A square adapter as it is before anything; it is copied, never changed.
        journal: Keeps the vectors of titles and sentences, and values that are asked for.
        train: How to train on titles.
        notes: What the user should know; added to.
    """

    collection: Collection
    config: TrainConfig
    fresh: IMRNN
    journal: ReplayLog
    train: Passes
    notes: list[str]

    def starts(self, judged: Validator, full: bool) -> Iterator[Start]:
        """Yield one start after the other; without `full`, whitenings alone.

        The next may change the model of the one before.
        """
        settings = self.config.pretrain
        if full:
            yield from self._memories(judged)
        titles = self.titles() if full else None
        for power in settings.judged_powers:
            model = self.whitened(power)
            yield model, None, {"power": power}
            if titles is not None:
                examples = titles.examples(
                    self.collection, torch.arange(len(titles.rows)), settings.candidates
                )
                passes = self.taught(model, titles, examples)
                for number in range(1, settings.epochs + 1):
                    yield model, next(passes), {"power": power, "titles": number}

    def _memories(self, judged: Validator) -> Iterator[Start]:
        """Yield a memory, if there is one.

        The usual, or that of the threshold and strength which judged queries surely prefer.
        """
        memory = self.memory()
        if memory is None:
            return
        choices = [(o, s) for o in self.config.memory.offsets for s in self.config.memory.strengths]
        values = self.journal.take(
            lambda: [judged.values(memory.adapter(*choice)) for choice in choices]
        )
        best = max(range(len(choices)), key=lambda i: float(values[i].mean()))
        offset, strength = choices[best if exceeds_standard_error(values[best] - values[0]) else 0]
        what = {
            "sentences": len(memory.keys),
            "threshold": memory.threshold + offset,
            "strength": strength,
        }
        yield memory.adapter(offset, strength), None, what

    def memory(self) -> SentenceMemory | None:
        """Return the memory of the collection's sentences over the whitened vectors.

        None, and a note why, where there is none.
        """
        found = sentences(self.collection, self.config.memory, self.journal)
        if isinstance(found, str):
            self.notes.append(f"no memory of sentences: {found}")
            return None
        return SentenceMemory.of(
            self.whitened(), self._documents, found, self.config.memory, self.config.seed
        )

    def titles(self) -> PseudoQueries | None:
        """Return the titles as queries; None, and a note why, where they cannot be."""
        titles = title_queries(
            self.collection, self.config.pretrain, self.config.seed, self.journal
        )
        if isinstance(titles, str):
            self.notes.append(f"no pretraining on titles: {titles}")
            return None
        return titles

    def sentence_check(self, count: int) -> Validator:
        """Take a sentence each of up to `count` documents as a query that has to find its document.

        Questions may be as far from titles as sentences are: modulation learnt on titles alone can
        ruin both.
        """
        generator, documents = (
            np.random.default_rng(self.config.seed),
            self.collection.dataset.documents,
        )
        rows = generator.permutation(len(documents))[:count]
        texts = [
            str(
                generator.choice(
                    [*split_sentences(documents[row].body, self.config.memory.words)]
                    or [documents[row].title]
                )
            )
            for row in rows
        ]
        vectors = self.journal.encode("check", texts, self.collection.encoder.encode_queries)
        found = self.collection.index.search(vectors, SearchConfig().candidates)
        return Validator(
            torch.from_numpy(vectors),
            torch.from_numpy(found),
            self._documents,
            [{int(row): 1} for row in rows],
        )

    def whitened(self, power: float | None = None) -> IMRNN:
        """Return a copy of the fresh adapter whose projector whitens the documents."""
        model = copy.deepcopy(self.fresh)
        whiten(model, self._documents, self.config.pretrain, power)
        return model

    def taught(self, model: IMRNN, titles: PseudoQueries, examples: Examples) -> Iterator[float]:
        """Train a model in place on titles; yield the mean loss of each pass."""
        return self.train(model, examples, titles.documents, title_recipe(self.config.pretrain))

    @property
    def _documents(self) -> Tensor:
        return torch.from_numpy(self.collection.documents.vectors)
