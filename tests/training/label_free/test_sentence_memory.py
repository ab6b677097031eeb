"""The sentence memory: its exact effect on scores, and collections that get none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from imrnns_core.config import AdapterConfig
from imrnns_core.data.embeddings import unit
from imrnns_core.data.records import Document
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.model.checkpoint import Adapter, load_adapter, save_adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.sentences import split_sentences
from imrnns_core.training.config import MemoryConfig, TrainConfig
from imrnns_core.training.label_free.harm_check import HarmCheck
from imrnns_core.training.label_free.sentence_memory import (
    SentenceMemory,
    Sentences,
    encode_sentences,
)
from imrnns_core.training.splits import queries_with_relevant
from imrnns_core.training.trainer import Trainer
from tests.toys import FakeEncoder, collection

CONFIG = MemoryConfig(feedback=0.0)


@pytest.fixture(scope="module")
def world() -> tuple[torch.Tensor, Sentences]:
    """Forty documents with two sentences each, one of them far from the document's vector."""
    rng = np.random.default_rng(0)
    documents = unit(rng.normal(size=(40, 24)).astype(np.float32))
    apart = unit(rng.normal(size=(40, 24)).astype(np.float32))
    near = unit(documents + 0.1 * rng.normal(size=(40, 24)).astype(np.float32))
    vectors = np.concatenate([near, apart])
    return torch.from_numpy(documents), Sentences(
        torch.from_numpy(vectors), torch.arange(40).repeat(2)
    )


def memory(
    documents: torch.Tensor, sentences: Sentences, config: MemoryConfig = CONFIG
) -> SentenceMemory:
    n = documents.shape[1]
    return SentenceMemory.build(IMRNN(AdapterConfig(n, n)), documents, sentences, config, 0)


def ranker(documents: torch.Tensor, queries: torch.Tensor, model: IMRNN) -> Ranker:
    space = collection(documents.numpy(), queries.numpy(), {"q0": {"d0": 1}})
    n = documents.shape[1]
    return Ranker(
        space,
        Adapter(
            model.eval().requires_grad_(False), AdapterCard("memory", n, model.config.output_dim)
        ),
    )


def test_a_query_equal_to_a_sentence_ranks_its_document_first(
    world: tuple[torch.Tensor, Sentences],
):
    documents, sentences = world
    queries = sentences.vectors[
        40:
    ]  # these sentences are far from their documents, so the base ranks are random
    ranks = ranker(documents, queries, memory(documents, sentences).adapter(0.0, 2.0)).rank_batch(
        queries.numpy()
    )
    owner = ranks.ranks[np.arange(40), :, [list(r).index(i) for i, r in enumerate(ranks.rows)]]
    assert np.median(owner[:, 0]) > 5
    assert (owner[:, 0] == 1).mean() < 0.1
    assert np.median(owner[:, 3]) <= 2
    assert (owner[:, 3] == 1).mean() > 0.35


def test_with_strength_zero_the_memory_ranks_as_its_projector_does(
    world: tuple[torch.Tensor, Sentences],
):
    documents, sentences = world
    queries = documents[:5] + 0.2
    batch = ranker(documents, queries, memory(documents, sentences).adapter(0.0, 0.0)).rank_batch(
        queries.numpy()
    )
    factor = batch.scores[:, 3] / batch.scores[:, 1]
    np.testing.assert_allclose(
        factor, factor.mean(), rtol=2e-3
    )  # the constant part shrinks all scores by the same factor
    np.testing.assert_array_equal(batch.ranks[:, 3], batch.ranks[:, 1])


def test_the_memory_changes_scores_by_its_formula(world: tuple[torch.Tensor, Sentences]):
    documents, sentences = world
    built, strength = (
        memory(documents, sentences, replace(CONFIG, constant=100.0)),
        1.0,
    )  # scales stay near ½, where the sigmoid is nearly linear
    queries = sentences.vectors[40:45]
    scores = ranker(documents, queries, built.adapter(0.0, strength)).rank_batch(queries.numpy())
    weight, bias = built.projector
    q, d = (
        torch.nn.functional.normalize(x @ weight.T + bias, dim=-1) for x in (queries, documents)
    )
    expected = (
        q @ d.T + strength * torch.relu(q @ built.keys.T - built.threshold) @ built.values @ d.T
    )
    ours = torch.zeros(5, 40).scatter_(
        1, torch.from_numpy(scores.rows), torch.from_numpy(scores.scores[:, 3])
    )
    factor = (1 + built.config.constant**2) ** 0.5
    torch.testing.assert_close(ours * factor, expected, atol=0.02, rtol=0)
    assert (expected - q @ d.T).abs().max() > 0.2


def test_feedback_documents_refine_the_query(world: tuple[torch.Tensor, Sentences]):
    documents, sentences = world
    config = replace(CONFIG, feedback=0.4)
    built = memory(documents, sentences, config)
    queries = documents[:3] + 0.3
    scores = ranker(documents, queries, built.adapter(0.0, 0.0)).rank_batch(queries.numpy())
    weight, bias = built.projector
    q, d = (
        torch.nn.functional.normalize(x @ weight.T + bias, dim=-1) for x in (queries, documents)
    )
    expected = (
        q + 0.4 * d.mean(0)
    ) @ d.T  # all forty documents are candidates, and the 24 main directions span the space
    ours = torch.zeros(3, 40).scatter_(
        1, torch.from_numpy(scores.rows), torch.from_numpy(scores.scores[:, 3])
    )
    for a, b in zip(ours, expected, strict=True):
        assert np.corrcoef(a, b)[0, 1] > 0.9999


@pytest.mark.parametrize("dimension", [8, 9, 384, 768, 1024])
def test_a_memory_of_any_dimension_scores_the_same_after_saving(dimension: int, tmp_path):
    rng = np.random.default_rng(1)
    documents, vectors = (
        torch.from_numpy(unit(rng.normal(size=(20, dimension)).astype(np.float32)))
        for _ in range(2)
    )
    model = (
        memory(documents, Sentences(vectors, torch.arange(20)), MemoryConfig())
        .adapter(0.0, 2.0)
        .requires_grad_(False)
    )
    card = AdapterCard("memory", dimension, dimension)
    save_adapter(Adapter(model, card), tmp_path / "memory.safetensors")
    loaded = load_adapter(tmp_path / "memory.safetensors").model
    assert (
        loaded.config
        == model.config
        == AdapterConfig(dimension, dimension, query_hidden_dims=(20, dimension))
    )
    before_saving, after_saving = (
        ranker(documents, vectors, m).rank_batch(vectors.numpy()).scores for m in (model, loaded)
    )
    np.testing.assert_array_equal(before_saving, after_saving)
    assert np.isfinite(before_saving).all()
    assert (np.abs(before_saving[:, 3] - before_saving[:, 1]) > 1e-3).any()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "One two three four. Five six seven eight!",
            ["One two three four.", "Five six seven eight!"],
        ),
        (
            "Yes. It is so today. No.",
            ["Yes. It is so today.", "No."],
        ),  # too short for a sentence, but no text is lost
        ("no end at all", ["no end at all"]),
        ("", ["A title"]),
        (
            "这是第一个很长的句子有许多字而且还要更长所以写了这么多这么多这么多这么多这么多字。这是第二个。",
            None,
        ),
    ],
)
def test_sentences(text: str, expected: list[str] | None):
    sentences = list(split_sentences(Document("d", "A title", text).body, 4))
    if expected is None:
        assert len(sentences) == 2
        assert "".join(sentences) == text
    else:
        assert sentences == expected


def test_no_memory_if_it_could_store_only_a_part_of_the_sentences():
    space = collection(np.eye(10, dtype=np.float32), np.eye(10, dtype=np.float32)[:1])
    assert (
        encode_sentences(
            space, MemoryConfig(max_sentences=9), space.encoder.encode_queries, range(10)
        )
        == "10 sentences, more than 9"
    )


def test_no_memory_if_the_encoder_did_not_make_the_embeddings():
    space = collection(np.eye(10, dtype=np.float32), encoder=FakeEncoder(dimension=10))
    why = encode_sentences(space, MemoryConfig(), space.encoder.encode_queries, range(10))
    assert isinstance(why, str)
    assert "did not make the embeddings" in why


def told(judged: bool) -> Collection:
    """Sixty documents with one sentence, which is also the text of a query.

    The encoder made the vectors of the documents, but they are far from those of the sentences.
    """
    encoder = FakeEncoder(dimension=16)
    rng = np.random.default_rng(2)
    space = collection(
        np.zeros((60, 16), np.float32),
        rng.normal(size=(60, 16)),
        {f"q{i}": {f"d{i}": 1} for i in range(60)},
        encoder,
        "train",
    )
    space.documents.vectors[:] = unit(rng.normal(size=(60, 16)).astype(np.float32))
    space.documents.vectors[0] = encoder.encode_documents(space.dataset.documents[:1])[0]
    space.queries.vectors[:] = encoder.encode_queries([d.text for d in space.dataset.documents])
    return space if judged else replace(space, dataset=replace(space.dataset, splits={}))


def test_the_memory_is_selected_if_queries_are_sentences():
    space = told(judged=True)
    training = Trainer(space, TrainConfig(recipe="fine-tuned", epochs=1), "train")
    for _ in training.epochs():
        pass
    card = training.adapter("x").card
    assert card.outcome.initialization["sentences"] == 60
    assert card.outcome.initialization["judged"] > card.outcome.initialization["judged_base"] + 0.1
    assert card.outcome.shipped != "identity"
    assert len(queries_with_relevant(space.dataset.qrels("train"))) == 60


def test_without_judgments_the_memory_is_shipped_if_it_passes_the_check(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(HarmCheck, "is_better", lambda check, values: True)
    training = Trainer(told(judged=False), TrainConfig(recipe="unlabeled"))
    assert [e.phase for e in training.epochs()] == ["initialization"]
    card = training.adapter("x").card
    assert card.outcome.notes == []
    texts = card.texts
    assert texts is not None
    assert (texts.positives, texts.uses) == ([], ["whitening", "sentence memory"])
