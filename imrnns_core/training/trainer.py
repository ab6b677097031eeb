"""Train an adapter on stored embeddings: training encodes only titles and sentences."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from imrnns_core.encoding.endpoint import announce, is_endpoint
from imrnns_core.errors import EncoderError, TrainingError
from imrnns_core.model.adapter_card import RecipeSelection, TrainingTexts
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import BEST, FINE_TUNED, TrainConfig
from imrnns_core.training.judged import check_collection, split_judged
from imrnns_core.training.label_free.encoded_texts import texts_to_encode
from imrnns_core.training.progress import Epoch
from imrnns_core.training.progress_log import LoggedEpoch, TrainingLog, TrainingRecord
from imrnns_core.training.recipe_run import RecipeRun
from imrnns_core.training.recipe_selection import (
    IDENTITY,
    CrossValidation,
    too_few_to_compare,
)
from imrnns_core.training.resume import SharedResults, open_state, run_key
from imrnns_core.training.splits import TrainValidationSplit, queries_with_relevant
from imrnns_core.types import LabelledProgress

STOPPED = (
    "training stopped before the recipes were compared, so this is the adapter of `fine-tuned`"
)


ON_WHOLE = (
    "trained on one vector per document, that of its beginning; passages are used in rankings only"
)


@dataclass(frozen=True)
class TrainingPlan:
    """What a training can do with the judgments that it has.

    Attributes:
        train: Number of training queries.
        valid: Number of validation queries that are no training queries.
        trains: Whether there are enough validation queries to train on the judgments.
        obstacle: Why `best` cannot compare the recipes; empty if it can, and for other recipes.
    """

    train: int
    valid: int
    trains: bool
    obstacle: str


def plan(collection: Collection, config: TrainConfig, train_split: str) -> TrainingPlan:
    """Return what a training with these judgments can do, by the rules of the training itself.

    Raises:
        DataError: If the data set has no such split.
        TrainingError: As `Trainer`.
    """
    check_collection(collection)
    if not config.resolved().supervised:
        return TrainingPlan(0, 0, False, "")
    dataset = collection.dataset
    qrels = dataset.in_corpus(dataset.qrels(train_split))
    split = split_judged(collection, config, qrels, None)
    comparable = too_few_to_compare(len(queries_with_relevant(qrels)))
    return TrainingPlan(
        len(split.train),
        # a single query both trains and validates; it is one
        len({*split.valid, *split.held_out} - {*split.train}),
        split.enough,
        comparable if config.recipe == BEST else "",
    )


class Trainer:
    """A training: iterate `epochs()`, stop at any time, then call `adapter()`.

    The recipe `best` first trains with `fine-tuned`. Then it compares all recipes by
    cross-validation and, if another one is better, trains with that one on all judged queries.

    Args:
        collection: The embeddings and judgments.
        config: Recipe and settings.
        train_split: The split with the training judgments; ignored by a recipe without judgments.
        valid_split: The split that selects the epoch. None holds out queries of the training split
            that share no relevant document with the others, if possible.
        progress: Called with (label, done, total) while titles and sentences are encoded.
        folder: Folder for the state of the training, from which a killed training resumes after its
            last epoch; `close` deletes it.

    Attributes:
        run: The run whose adapter is returned.
        running: Recipe and fold of the run that is being trained; empty if the recipe is not
            `best`.
        done: Number of finished epochs out of `config.max_epochs`. A run that stops early counts
            with all of its epochs.

    Raises:
        DataError: If the data set has no such split.
        TrainingError: If the recipe does not exist, there are too few documents or judged queries,
            or a vector is not finite.
        EncoderError: If texts must be sent to an endpoint, and the user does not agree.
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
        self._on_whole = [] if collection.passages is None else [ON_WHOLE]
        collection = collection.without_passages()
        self.collection, self.config, self.folder = collection, config, folder
        self.split, self.train_split = TrainValidationSplit(), None
        if config.resolved().supervised:
            self.train_split = train_split
            dataset = collection.dataset
            qrels = dataset.in_corpus(dataset.qrels(train_split))
            valid = None
            if valid_split is not None:
                valid = dataset.in_corpus(dataset.qrels(valid_split))
            self._qrels = qrels, valid
            self.split = split_judged(collection, config, qrels, valid)
        new = folder is not None and not folder.exists()
        open_state(folder, run_key(collection, config, self.split))
        try:
            self._announce_texts()
        except EncoderError:
            if new:
                self.close()
            raise
        self._log = TrainingLog(folder, progress)
        record = TrainingRecord(
            collection.dataset.name, config.recipe, config.seed, self.train_split, valid_split
        )
        self._log.begin(record)
        self._shared = SharedResults(folder, self._log.encoded)
        self._selection: RecipeSelection | None = None
        self.comparison: CrossValidation | None = None
        self._notes: list[str] = []
        self.running, self.done = "", 0
        if config.recipe == BEST:
            self.run = self._run_on_all(FINE_TUNED, self._folder(f"{FINE_TUNED}-all"))
        else:
            self.run = self._run_on_all(config.recipe, folder)

    def _announce_texts(self) -> None:
        """Ask before anything is sent to an endpoint, and before the slow work.

        Raises:
            EncoderError: If the user does not agree.
        """
        if is_endpoint(self.collection.encoder.spec.name):
            compares = self.config.recipe == BEST and self.split.enough
            if compares:
                compares = not too_few_to_compare(len(queries_with_relevant(self._qrels[0])))
            texts = texts_to_encode(self.collection, self.config, compares, self.folder)
            announce(self.collection.encoder, texts)

    def epochs(self) -> Iterator[Epoch]:
        """Train, and yield a record after each epoch, from epoch 0 on; stop early without gain.

        Raises:
            TrainingError: If all candidates of a training query are relevant.
        """
        if self.config.recipe != BEST:
            yield from self._train(self.run, "")
            return
        self._notes = [STOPPED]
        yield from self._train(self.run, f"{FINE_TUNED}, all queries")
        if self.split.enough:
            yield from self._compare()
        else:
            self._notes = []

    @property
    def history(self) -> list[Epoch]:
        """The epochs of the run whose adapter is returned."""
        return self.run.history

    @property
    def notes(self) -> list[str]:
        """Remarks for the reader of the adapter card."""
        return [*self.run.notes, *self._notes, *self._on_whole]

    @property
    def best_epoch(self) -> Epoch:
        """The best epoch so far; epoch 0 if none was better than the base."""
        return self.run.best_epoch

    def close(self) -> None:
        """Delete the saved state of the training."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def adapter(self, name: str) -> Adapter:
        """Return the best model so far with its card; the identity if none beats the base."""
        adapter, selection = self.run.adapter(name), self._selection
        card, outcome = adapter.card, adapter.card.outcome
        assert outcome is not None  # training always has one
        notes = [*outcome.notes, *self._notes, *self._on_whole]
        if selection is not None and not self.run.recipe.supervised:
            # the run did not see the judged queries, but they selected it
            hashes = {self.collection.dataset.queries[q].letters_hash for q in self.split.all}
            texts = replace(card.texts or TrainingTexts(), validation_queries=sorted(hashes))
            card = replace(card, texts=texts, train_split=self.train_split)
        outcome = replace(outcome, selection=selection, notes=notes)
        recipe = selection.recipe if selection else card.recipe
        return replace(adapter, card=replace(card, recipe=recipe, outcome=outcome))

    def _compare(self) -> Iterator[Epoch]:
        """Compare all recipes, and train with the best one on all queries."""
        comparison = self.comparison = CrossValidation(
            self.collection,
            self.config,
            queries_with_relevant(self._qrels[0]),
            self._qrels[1],
            self._shared,
            self.folder,
        )
        if comparison.obstacle:
            self._notes = [f"the recipes were not compared: {comparison.obstacle}"]
            return
        for label, config, run in comparison.runs():
            if run is None:
                self.done += config.max_epochs
                continue
            try:
                yield from self._train(run, label)
            except TrainingError as error:
                comparison.excluded[config.recipe] = str(error)
        self._notes = [
            f"{recipe} was not compared: {why}" for recipe, why in comparison.excluded.items()
        ]
        yield from self._choose(comparison)

    def _choose(self, comparison: CrossValidation) -> Iterator[Epoch]:
        """Choose the best recipe that validation does not reject when it has all queries."""
        for recipe in comparison.candidates():
            run = self.run if recipe == FINE_TUNED else comparison.unlabeled.get(recipe)
            if run is None:
                run = self._run_on_all(recipe, self._folder(f"{recipe}-all"))
                yield from self._train(run, f"{recipe}, all queries")
            if run.shipped_model() is not None:
                self.run, self._selection = run, comparison.selection(recipe)
                return
            self._notes.append(f"{recipe} was better in the comparison, but not on validation")
        self.run.reject("no recipe was reliably better than the base in the cross-validation")
        self._selection = comparison.selection(IDENTITY)

    def _train(self, run: RecipeRun, label: str) -> Iterator[Epoch]:
        """Train a run, and count its epochs."""
        self.running, before = label, self.done
        for epoch in run.epochs():
            self.done = before + epoch.number
            self._log.add(
                LoggedEpoch(
                    **asdict(epoch),
                    run=label or run.config.recipe,
                    base=run.base_validation,
                    done=self.done,
                    total=self.config.max_epochs,
                    time=time.time(),
                )
            )
            yield epoch
        self.done = before + run.config.max_epochs

    def _run_on_all(self, recipe: str, folder: Path | None) -> RecipeRun:
        """Return a run that trains on all judged queries."""
        config, split = replace(self.config, recipe=recipe), TrainValidationSplit()
        if config.resolved().supervised:
            split = split_judged(self.collection, config, *self._qrels)
        return RecipeRun(self.collection, config, split, self._shared, folder, self.train_split)

    def _folder(self, name: str) -> Path | None:
        return None if self.folder is None else self.folder / name
