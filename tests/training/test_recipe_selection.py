"""`best` compares recipes on queries that they were not trained on, and uses the best one."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imrnns_core.errors import TrainingError
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.model.adapter_card import RecipeMeasure, RecipeSelection, read_card
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.training import judged
from imrnns_core.training.config import FOLDS, RECIPES, TrainConfig
from imrnns_core.training.label_free.harm_check import HarmCheck
from imrnns_core.training.loop import TrainingLoop
from imrnns_core.training.recipe_run import RecipeRun
from imrnns_core.training.recipe_selection import CrossValidation
from imrnns_core.training.resume import SharedResults
from imrnns_core.training.splits import TrainValidationSplit
from imrnns_core.training.trainer import STOPPED, Trainer
from imrnns_core.types import Qrels, relevant_ids
from tests.toys import FakeEncoder, collection
from tests.training.test_resume import config, finish, same, toy

BEST = replace(config("best"), epochs=2)


@pytest.fixture(scope="module")
def finished() -> Trainer:
    return finish(Trainer(toy(), BEST))


def documents(qrels: Qrels) -> set[str]:
    return {d for judged in qrels.values() for d in relevant_ids(judged)}


def test_best_returns_what_the_chosen_recipe_returns_alone(finished: Trainer):
    card = finished.adapter("x").card
    selection = card.outcome.selection
    assert selection is not None
    assert set(selection.recipes) == set(RECIPES)
    assert selection.recipe == max(RECIPES, key=lambda name: selection.recipes[name].ndcg)
    alone = finish(Trainer(toy(), replace(BEST, recipe=selection.recipe))).adapter("x")
    weights = finished.adapter("x").model.state_dict()
    assert all(torch.equal(weights[k], v) for k, v in alone.model.state_dict().items())
    assert card.recipe == selection.recipe
    assert replace(card, outcome=replace(card.outcome, selection=None)) == alone.card
    assert finished.done <= BEST.max_epochs


def test_the_measures_are_those_of_each_fold_without_its_queries(finished: Trainer):
    """The recipe is trained on the other folds and measured on the fold, with `evaluate`."""
    comparison, space = finished.comparison, toy()
    assert comparison is not None
    recipe, values = replace(BEST, recipe="contrastive"), []
    for fold in comparison.folds:
        train = {q: j for q, j in space.dataset.qrels("train").items() if q not in fold}
        part = replace(space, dataset=replace(space.dataset, splits={"train": train, "fold": fold}))
        result = evaluate(Ranker(part, finish(Trainer(part, recipe)).adapter("x")), "fold")
        values += result.column("modulated").tolist()
    assert len(values) == 120
    selection = finished.adapter("x").card.outcome.selection
    assert selection is not None
    base = evaluate(Ranker(space, finished.adapter("x")), "train").mean("base")["nDCG@10"]
    assert selection.base == pytest.approx(base, abs=1e-6)
    assert selection.recipes["contrastive"].ndcg == pytest.approx(np.mean(values), abs=1e-6)
    assert selection.recipes["contrastive"].ndcg > base


@pytest.mark.parametrize("valid_split", [None, "train", "dev"])
def test_no_recipe_uses_a_query_that_measures_it(valid_split: str | None):
    """But it may know its document from another query, as it will in use."""
    space = toy()
    dev = {f"q{i}": space.dataset.qrels("train")[f"q{i}"] for i in range(20)}
    splits = {"train": space.dataset.qrels("train"), "dev": dev}
    valid = None if valid_split is None else splits[valid_split]
    comparison = CrossValidation(space, BEST, dict(splits["train"]), valid, SharedResults(), None)
    assert len(comparison.folds) == FOLDS
    for fold in comparison.folds:
        split = comparison.split(replace(BEST, recipe="fine-tuned"), fold)
        assert set(fold).isdisjoint(split.all)
        assert documents(fold) & documents(split.all)
        assert split.train
        assert split.valid


def test_the_identity_is_returned_if_no_recipe_beats_the_base():
    vectors = np.eye(60, dtype=np.float32)  # every query has the vector of its document
    space = collection(vectors, vectors, {f"q{i}": {f"d{i}": 1} for i in range(60)}, split="train")
    adapter = finish(Trainer(space, BEST)).adapter("x")
    card, selection = adapter.card, adapter.card.outcome.selection
    assert selection is not None
    assert (card.recipe, selection.recipe, card.outcome.shipped) == ("identity",) * 3
    assert any("no recipe was reliably better than the base" in n for n in card.outcome.notes)
    assert (card.texts.positives, card.texts.used) == ([], [])
    result = evaluate(Ranker(space, adapter), "train")
    assert result.mean("modulated") == pytest.approx(result.mean("base"))


def test_recipes_with_a_reliable_gain_are_tried_first(monkeypatch: pytest.MonkeyPatch):
    """Gains on 100 queries: `paper` 0.1 ± 0.01, `unlabeled` 0.2 ± 0.2, `reference` −0.5."""
    comparison = CrossValidation(
        toy(), BEST, toy().dataset.qrels("train"), None, SharedResults(), None
    )
    signs = torch.tensor([1.0, -1.0]).repeat(50)
    values = {
        "unlabeled": 0.7 + 2 * signs,
        "paper": 0.6 + 0.1 * signs,
        "reference": 0.4 + 0 * signs,
    }
    monkeypatch.setattr(comparison, "values", lambda: values)
    monkeypatch.setattr(comparison, "_ndcg", lambda *_: torch.full((100,), 0.5))
    assert comparison.candidates() == ["paper", "unlabeled"]
    del values["paper"]
    assert comparison.candidates() == []


def test_stopped_before_the_choice_it_returns_the_fine_tuned_adapter():
    trainer = Trainer(toy(), BEST)
    for _ in trainer.epochs():
        if trainer.running == "reference, fold 2 of 3":
            break
    alone = finish(Trainer(toy(), replace(BEST, recipe="fine-tuned"))).adapter("x")
    adapter = trainer.adapter("x")
    weights = adapter.model.state_dict()
    assert all(torch.equal(weights[k], v) for k, v in alone.model.state_dict().items())
    assert adapter.card.recipe == "fine-tuned"
    assert adapter.card.outcome.notes == [*alone.card.outcome.notes, STOPPED]


def test_a_stopped_comparison_resumes_and_no_fold_is_trained_twice(
    finished: Trainer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    steps, step = [], TrainingLoop.__next__
    monkeypatch.setattr(TrainingLoop, "__next__", lambda loop: steps.append(1) or step(loop))
    finish(Trainer(toy(), BEST))
    needed = len(steps)
    steps.clear()
    for stop in (
        "fine-tuned, all queries",
        "unlabeled",
        "paper, fold 2 of 3",
        "fine-tuned, fold 2 of 3",
    ):
        trainer, count = Trainer(toy(), BEST, folder=tmp_path / "state"), 0
        for _ in trainer.epochs():
            count += trainer.running == stop
            if count == 3:
                break
    resumed = finish(Trainer(toy(), BEST, folder=tmp_path / "state"))
    assert same(resumed, finished)
    # only the shared epochs on titles, which are in memory, are trained again
    assert len(steps) - needed <= 6 * 3
    resumed.close()
    assert not (tmp_path / "state").exists()


def test_titles_are_encoded_and_trained_on_once(monkeypatch: pytest.MonkeyPatch):
    space, restored = toy(), []
    restore = TrainingLoop.restore
    monkeypatch.setattr(
        TrainingLoop, "restore", lambda loop, state: restored.append(1) or restore(loop, state)
    )
    finish(Trainer(space, BEST))
    encoder = space.encoder
    assert isinstance(encoder, FakeEncoder)
    titles = [d.title for d in space.dataset.documents]
    assert [encoder.texts.count(title) for title in titles] == [1] * len(titles)
    settings = BEST.pretrain
    assert len(restored) == FOLDS * settings.epochs * len(settings.judged_powers)


def test_too_few_judged_queries_are_not_compared():
    space = toy()
    few = {f"q{i}": space.dataset.qrels("train")[f"q{i}"] for i in range(10)}
    space = replace(space, dataset=replace(space.dataset, splits={"train": few}))
    card = finish(Trainer(space, BEST)).adapter("x").card
    assert (card.recipe, card.outcome.selection) == ("fine-tuned", None)
    assert any("too few judged queries (10)" in note for note in card.outcome.notes)


def test_a_few_queries_with_their_own_validation_split_are_not_compared():
    space = toy()
    few = {f"q{i}": space.dataset.qrels("train")[f"q{i}"] for i in range(19)}
    space = replace(space, dataset=replace(space.dataset, splits={"train": few}))
    outcome = finish(Trainer(space, BEST, valid_split="train")).adapter("x").card.outcome
    assert outcome.selection is None
    assert outcome.notes[-1] == (
        "the recipes were not compared: 19 judged queries are too few, 20 are needed"
    )


def test_queries_that_are_all_connected_are_compared():
    space = toy()
    chained = {f"q{i}": {f"d{i % 60}": 1, f"d{(i + 1) % 60}": 1} for i in range(120)}
    space = replace(space, dataset=replace(space.dataset, splits={"train": chained}))
    card = finish(Trainer(space, replace(BEST, epochs=1))).adapter("x").card
    assert card.outcome.selection is not None
    assert set(card.outcome.selection.recipes) == set(RECIPES)


def test_a_recipe_that_cannot_be_trained_is_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch):
    def examples(*_: object) -> None:
        raise TrainingError("there is no negative")

    monkeypatch.setattr(judged, "paired_examples", examples)
    outcome = finish(Trainer(toy(), BEST)).adapter("x").card.outcome
    assert set(outcome.selection.recipes) == {"unlabeled", "modulation-only", "fine-tuned"}
    for recipe in ("reference", "paper", "contrastive"):
        assert f"{recipe} was not compared: there is no negative" in outcome.notes


def test_an_adapter_without_judgments_is_validated_by_the_comparison(
    monkeypatch: pytest.MonkeyPatch,
):
    """The judged queries selected it, so they are validation queries."""
    monkeypatch.setattr(CrossValidation, "candidates", lambda _: ["unlabeled"])
    monkeypatch.setattr(HarmCheck, "is_better", lambda check, values: True)
    space = toy()
    trainer = finish(Trainer(space, BEST))
    card = trainer.adapter("x").card
    assert (card.recipe, card.train_split) == ("unlabeled", "train")
    assert trainer.run.split == TrainValidationSplit()
    hashes = {space.dataset.queries[q].letters_hash for q in space.dataset.qrels("train")}
    assert set(card.texts.validation_queries) == hashes


def test_a_recipe_that_validation_rejects_is_followed_by_the_next(monkeypatch: pytest.MonkeyPatch):
    best = RecipeRun.shipped_model
    monkeypatch.setattr(
        RecipeRun,
        "shipped_model",
        lambda run: None if run.config.recipe == "paper" else best(run),
    )
    monkeypatch.setattr(CrossValidation, "candidates", lambda _: ["paper", "fine-tuned"])
    card = finish(Trainer(toy(), BEST)).adapter("x").card
    assert card.outcome.selection.recipe == card.recipe == "fine-tuned"
    assert "paper was better in the comparison, but not on validation" in card.outcome.notes


def test_the_card_keeps_the_comparison(finished: Trainer):
    card = finished.adapter("x").card
    assert read_card(asdict(card)) == card
    assert isinstance(card.outcome.selection, RecipeSelection)
    assert isinstance(card.outcome.selection.recipes["paper"], RecipeMeasure)


def test_best_in_an_older_card_is_the_recipe_fine_tuned():
    record = {"name": "x", "input_dim": 8, "output_dim": 8, "recipe": "best", "schema": 4}
    card = read_card({**record, "config": {"recipe": "best", "seed": 1}})
    assert (card.recipe, card.config["recipe"]) == ("fine-tuned", "fine-tuned")


def test_the_number_of_epochs_is_at_most_the_announced_one():
    settings = TrainConfig(epochs=2)
    parts = {name: replace(settings, recipe=name).max_epochs for name in RECIPES}
    assert parts == {
        "unlabeled": 5,
        "modulation-only": 4,
        "reference": 2,
        "paper": 2,
        "contrastive": 2,
        "fine-tuned": 13,
    }
    assert settings.max_epochs == 28 + 3 * 23
