"""The public interface of training: the epochs it yields and the adapter it returns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.config import AdapterConfig
from imrnns_core.errors import DataError, TrainingError
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.model.checkpoint import Adapter, load_adapter, save_adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.passages import Passages
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.training.config import RECIPES, Recipe, TrainConfig
from imrnns_core.training.examples import ranked_examples
from imrnns_core.training.label_free import harm_check
from imrnns_core.training.label_free.harm_check import HarmCheck
from imrnns_core.training.label_free.whitening import identity_adapter
from imrnns_core.training.loop import TrainingLoop
from imrnns_core.training.splits import split_disjoint
from imrnns_core.training.trainer import ON_WHOLE, Trainer
from tests.toys import collection, document

CONFIG = TrainConfig(recipe="reference", epochs=3, batch_size=4, learning_rate=1e-2, negatives=5)


@pytest.fixture(scope="module")
def world() -> Collection:
    """Twelve documents and queries in eight dimensions.

    The last four dimensions mislead: the relevant document has the opposite sign there.
    """
    rng = np.random.default_rng(0)
    documents = rng.normal(size=(12, 8)).astype(np.float32)
    queries = documents * np.array([1, 1, 1, 1, -1, -1, -1, -1], np.float32)
    return collection(
        documents,
        queries,
        {f"q{i}": {f"d{i}": 1, f"d{(i + 1) % 12}": 0} for i in range(12)},
        split="train",
    )


def run(world: Collection, config: TrainConfig = CONFIG) -> Trainer:
    training = Trainer(world, config, "train", "train")
    for _ in training.epochs():
        pass
    return training


def selected(world: Collection, training: Trainer) -> float:
    measures = evaluate(Ranker(world, training.adapter("x")), "train").mean("modulated")
    return float(np.mean([measures[m] for m in ("nDCG@10", "R@10", "RR@10")]))


def test_the_identity_is_available_before_the_first_epoch(world: Collection):
    training = Trainer(world, CONFIG, "train", "train")
    first = next(training.epochs())
    assert (first.number, first.loss, first.best, first.phase) == (0, None, False, "initialization")
    assert training.adapter("fresh").card.outcome.shipped == "identity"


@pytest.mark.parametrize("dimension", [3, 8, 384])
def test_the_identity_ranks_as_the_base_does_at_every_stage(dimension: int):
    rng = np.random.default_rng(1)
    documents, queries = (
        rng.normal(size=(30, dimension)).astype(np.float32),
        rng.normal(size=(4, dimension)).astype(np.float32),
    )
    space = collection(documents, queries, {"q0": {"d0": 1}})
    card = AdapterCard("identity", dimension, dimension + 1)
    batch = Ranker(
        space, Adapter(identity_adapter(dimension).eval().requires_grad_(False), card)
    ).rank_batch(queries)
    for stage in range(1, 4):
        np.testing.assert_allclose(batch.scores[:, stage], batch.scores[:, 0], atol=2e-5)
        np.testing.assert_array_equal(batch.ranks[:, stage], batch.ranks[:, 0])


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_no_recipe_ships_an_adapter_that_is_worse_than_the_base_on_validation(
    world: Collection, recipe: str
):
    training = Trainer(
        world,
        TrainConfig(recipe=recipe, epochs=2, learning_rate=5.0, negatives=5),
        "train",
        "train",
    )
    for _ in training.epochs():
        pass
    card = training.adapter("x").card
    assert card.recipe == recipe
    if recipe != "unlabeled":  # it is validated without judgments
        base = evaluate(Ranker(world, training.adapter("x")), "train").mean("base")
        assert (
            selected(world, training)
            >= np.mean([base[m] for m in ("nDCG@10", "R@10", "RR@10")]) - 1e-6
        )
    if card.outcome.shipped == "identity":
        assert (
            "no epoch was better than the base on validation, so the adapter is the identity"
            in card.outcome.notes
        )
        assert card.texts is not None
        assert (card.texts.positives, card.texts.used, card.texts.uses) == ([], [], [])


def test_modulation_only_does_not_change_the_projector(world: Collection):
    training = Trainer(
        world, TrainConfig(recipe="modulation-only", epochs=3, negatives=5), "train", "train"
    )
    for _ in training.epochs():
        pass
    assert torch.equal(training.run.model.projector.weight, torch.eye(8))
    assert not training.run.model.projector.bias.any()


def test_epochs_are_counted_and_the_best_one_is_selected(world: Collection):
    training = Trainer(world, CONFIG, "train", "train")
    epochs = list(training.epochs())
    assert epochs == training.history
    assert [e.number for e in epochs] == [0, 1, 2, 3]
    assert all(e.loss is not None and e.loss >= 0 for e in epochs[1:])
    best = max(e.validation for e in epochs)
    assert best > epochs[0].validation, "nothing was learnt"
    assert training.best_epoch.validation == best
    assert training.best_epoch == next(e for e in epochs if e.validation == best)
    adapter = training.adapter("mine")
    measures = evaluate(Ranker(world, adapter), "train").mean("modulated")
    assert np.mean([measures[m] for m in ("nDCG@10", "R@10", "RR@10")]) == pytest.approx(
        best, abs=1e-6
    )


def test_the_card_describes_the_training(world: Collection):
    card = run(world).adapter("mine").card
    assert (card.name, card.input_dim, card.output_dim, card.recipe) == ("mine", 8, 8, "reference")
    assert (card.encoder, card.dataset, card.train_split) == ("fake", "toy", "train")
    assert card.dataset_digest == world.dataset.digest
    assert card.texts is not None
    positive = {document(f"d{i}").text_hash for i in range(12)}  # grade 0 is not a positive
    assert card.texts.positives == sorted(positive)
    assert (card.texts.used, card.texts.uses) == ([], ["negatives"])  # all 12 are positives
    assert [h["number"] for h in card.history] == [0, 1, 2, 3]
    assert card.config["learning_rate"] == 1e-2


def test_the_adapter_depends_on_the_seed(world: Collection):
    def weights(seed: int) -> torch.Tensor:
        training = run(
            world,
            TrainConfig(
                recipe="reference",
                epochs=1,
                batch_size=4,
                learning_rate=1e-2,
                negatives=5,
                seed=seed,
            ),
        )
        return torch.cat([p.flatten() for p in training.run.model.parameters()])

    first = weights(1)
    assert torch.equal(first, weights(1))
    assert not torch.equal(first, weights(2))


def test_stopping_early_returns_the_best_model_so_far(world: Collection):
    training = Trainer(world, CONFIG, "train", "train")
    for epoch in training.epochs():
        if epoch.number == 1:
            break
    assert [h["number"] for h in training.adapter("mine").card.history] == [0, 1]


def test_a_loaded_adapter_is_in_evaluation_mode(world: Collection):
    model = run(world).adapter("mine").model
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())


def test_patience_ends_a_run_that_does_not_improve(world: Collection):
    epochs = list(
        Trainer(
            world,
            TrainConfig(recipe="reference", epochs=9, learning_rate=0.0, patience=2, negatives=5),
            "train",
            "train",
        ).epochs()
    )
    assert [e.number for e in epochs] == [0, 1, 2]
    assert len({e.validation for e in epochs}) == 1


def test_errors_for_data_that_cannot_be_trained_on(world: Collection):
    with pytest.raises(
        TrainingError, match=r"recipe 'magic' does not exist; available recipes: .*reference"
    ):
        Trainer(world, TrainConfig(recipe="magic"))
    with pytest.raises(DataError, match=r"toy: no split 'dev'; available splits: train$"):
        Trainer(world, CONFIG, "dev")
    unjudged = collection([[1, 0], [0, 1]], [[1, 0]], {"q0": {"d0": 0}}, split="train")
    with pytest.raises(TrainingError, match=r"judge more queries"):
        Trainer(unjudged, CONFIG)


@given(
    st.dictionaries(
        st.integers(0, 40).map(str),
        st.dictionaries(st.integers(0, 30).map(str), st.integers(0, 3), max_size=4),
        max_size=30,
    ),
    st.floats(0.05, 0.5),
    st.integers(0, 5),
)
def test_a_disjoint_split_shares_no_relevant_document(
    qrels: dict[str, dict[str, int]], share: float, seed: int
):
    train, valid = split_disjoint(qrels, share, seed)
    assert {**train, **valid} == qrels
    assert not set(train) & set(valid)

    def relevant(part: dict) -> set[str]:
        return {d for judged in part.values() for d, g in judged.items() if g > 0}

    assert not relevant(train) & relevant(valid)
    assert len(valid) <= max(share * len(qrels), 1)
    assert split_disjoint(qrels, share, seed) == (train, valid)


def test_a_disjoint_split_has_the_requested_size_if_no_documents_are_shared():
    qrels = {str(i): {str(i): 1} for i in range(100)}
    train, valid = split_disjoint(qrels, 0.15, 0)
    assert (len(train), len(valid)) == (85, 15)
    assert split_disjoint(qrels, 0.15, 1)[1] != valid


@pytest.mark.parametrize("dimension", [384, 768, 1024])
@pytest.mark.parametrize("recipe", ["reference", "fine-tuned", "modulation-only", "unlabeled"])
def test_vectors_of_any_encoder_can_be_trained_on(
    dimension: int, recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    # without judgments: the texts are few and say nothing about these vectors
    monkeypatch.setattr(harm_check, "MIN_QUERIES", 1)
    monkeypatch.setattr(Collection, "check_encoder", lambda space: None)
    monkeypatch.setattr(HarmCheck, "is_better", lambda check, values: True)
    rng = np.random.default_rng(dimension)
    documents = rng.normal(size=(24, dimension)).astype(np.float32)
    queries = documents + 2 * rng.normal(size=(24, dimension)).astype(np.float32)
    space = collection(
        documents, queries, {f"q{i}": {f"d{i}": 1} for i in range(24)}, split="train"
    )
    training = Trainer(
        space, TrainConfig(recipe=recipe, epochs=1, negatives=3, batch_size=8), "train", "train"
    )
    trained = [epoch.loss is not None and np.isfinite(epoch.loss) for epoch in training.epochs()]
    adapter = training.adapter("x")
    assert any(trained) or adapter.card.outcome.shipped == "initialization", "nothing was changed"
    save_adapter(adapter, tmp_path / "x.safetensors")
    loaded = load_adapter(tmp_path / "x.safetensors")
    scores, loaded_scores = (Ranker(space, a).rank_batch(queries).scores for a in (adapter, loaded))
    np.testing.assert_array_equal(scores, loaded_scores)
    assert np.isfinite(scores).all()
    assert np.abs(scores).max() <= 1.0


@pytest.mark.parametrize("shape", [(384, 256), (768, 96), (1024, 512), (16, 8)])
def test_a_rectangular_projector_can_be_trained(shape: tuple[int, int], tmp_path: Path):
    n, m = shape
    rng = np.random.default_rng(n)
    documents = rng.normal(size=(40, n)).astype(np.float32)
    queries = documents + rng.normal(size=(40, n)).astype(np.float32)
    space = collection(documents, queries, {f"q{i}": {f"d{i}": 1} for i in range(40)})
    torch.manual_seed(0)
    model = IMRNN(AdapterConfig(n, m))
    fit = TrainingLoop(
        model,
        torch.from_numpy(documents),
        ranked_examples(space, space.dataset.qrels("test"), 8),
        Recipe(negatives_from="batch", learning_rate=1e-3),
        0,
    )
    losses = [next(fit) for _ in range(12)]
    assert losses[-1] < 0.9 * losses[0]
    save_adapter(Adapter(model, AdapterCard("x", n, m)), tmp_path / "x.safetensors")
    loaded = load_adapter(tmp_path / "x.safetensors")
    assert loaded.model.config == AdapterConfig(n, m)
    scores, loaded_scores = (
        Ranker(space, Adapter(a, loaded.card)).rank_batch(queries).scores
        for a in (model, loaded.model)
    )
    np.testing.assert_array_equal(scores, loaded_scores)
    assert np.isfinite(scores).all()


def told_apart(count: int, seed: int) -> Collection:
    """Two hundred documents, of which `count` are judged.

    Half of the dimensions of a judged query are noise, and all dimensions of the others.
    """
    rng = np.random.default_rng(seed)
    documents = rng.normal(size=(200, 32)).astype(np.float32)
    queries = documents + 1.5 * rng.normal(size=(200, 32)).astype(np.float32)
    qrels = {f"q{i}": {f"d{i}": 1} for i in range(200)}
    space = collection(documents, queries, split="train")
    picked = set(rng.permutation(200)[:count].tolist())
    splits = {
        "train": {f"q{i}": qrels[f"q{i}"] for i in picked},
        "test": {f"q{i}": qrels[f"q{i}"] for i in range(200) if i not in picked},
    }
    return replace(space, dataset=replace(space.dataset, splits=splits))


@pytest.mark.parametrize("count", [1, 10, 40])
@pytest.mark.parametrize("recipe", ["best", "fine-tuned", "modulation-only"])
def test_a_few_judgments_without_signal_do_no_harm(count: int, recipe: str):
    for seed in range(3):
        space = told_apart(count, seed)
        training = Trainer(space, TrainConfig(recipe=recipe, seed=seed, epochs=4), "train")
        for _ in training.epochs():
            pass
        result = evaluate(Ranker(space, training.adapter("x")), "test")
        assert result.mean("modulated")["nDCG@10"] >= result.mean("base")["nDCG@10"] - 0.01, (
            recipe,
            count,
            seed,
        )


def test_one_judged_query_is_too_few_and_the_note_says_so():
    training = Trainer(told_apart(1, 0), TrainConfig(), "train")
    for _ in training.epochs():
        pass
    card = training.adapter("x").card
    assert card.outcome.shipped == "identity"
    assert "too few judged queries (1) for validation, so none was trained on" in card.outcome.notes


def test_connected_queries_are_held_out_at_random(world: Collection):
    chained = {f"q{i}": {f"d{i}": 1, f"d{(i + 1) % 12}": 1} for i in range(12)}
    space = replace(world, dataset=replace(world.dataset, splits={"train": chained}))
    training = Trainer(space, CONFIG, "train")
    assert len(training.split.valid) == 1
    assert not set(training.split.valid) & set(training.split.train)
    assert any("no other queries could be held out" in note for note in training.notes)


def test_the_card_lists_the_queries_that_selected_the_adapter(world: Collection):
    """Six queries are trained on, the other six select the epoch."""
    qrels = world.dataset.qrels("train")
    splits = {
        name: {f"q{i}": qrels[f"q{i}"] for i in rows}
        for name, rows in (("train", range(6)), ("dev", range(6, 12)))
    }
    split = replace(world, dataset=replace(world.dataset, splits=splits))
    training = Trainer(split, CONFIG, "train", "dev")
    for _ in training.epochs():
        pass
    card = training.adapter("x").card
    queries = world.dataset.queries
    assert card.outcome.shipped == "trained"
    assert card.texts is not None
    assert card.texts.validation_queries == sorted(queries[q].letters_hash for q in splits["dev"])
    assert card.texts.positives == sorted(document(f"d{i}").text_hash for i in range(6))
    result = evaluate(Ranker(split, training.adapter("x")), "dev")
    assert set(result.groups.tolist()) == {"validation"}
    assert set(evaluate(Ranker(split, training.adapter("x")), "train").groups.tolist()) == {"seen"}


def test_training_with_passages_uses_the_whole_documents_and_says_so(world: Collection):
    documents = world.dataset.documents
    vectors = np.random.default_rng(1).normal(size=(3, 8)).astype(np.float32)
    passages = Passages(vectors, np.array([2, 2, 5]), [documents[i] for i in (2, 2, 5)])
    plain, split = run(world), run(replace(world, passages=passages))
    adapters = [training.adapter("x") for training in (plain, split)]
    for one, other in zip(*(a.model.parameters() for a in adapters), strict=True):
        assert torch.equal(one, other)
    notes = [a.card.outcome.notes for a in adapters]
    assert notes[1] == [*notes[0], ON_WHOLE]
