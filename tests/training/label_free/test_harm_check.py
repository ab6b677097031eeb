"""The check without judgments: its queries, its reference, and what a recipe ships after it."""

from __future__ import annotations

import zlib
from dataclasses import replace

import numpy as np
import pytest
import torch

from imrnns_core.config import AdapterConfig
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.records import Document
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import MemoryConfig, TrainConfig
from imrnns_core.training.label_free import harm_check
from imrnns_core.training.label_free.harm_check import HarmCheck, keyword_queries
from imrnns_core.training.label_free.whitening import identity_adapter
from imrnns_core.training.trainer import Trainer
from imrnns_core.types import FloatArray
from tests.toys import FakeEncoder, collection

N, DIMENSION = 200, 24
WORDS = [f"word{i}" for i in range(300)]


class WordEncoder(FakeEncoder):
    """Adds the random vectors of the words of a text, and noise in some directions.

    Words and noise have half of the directions each.
    """

    def __init__(self, words: float, noise: float) -> None:
        super().__init__(dimension=DIMENSION)
        self.words, self.noise = words, noise

    def _encode(self, texts: list[str], unit: bool) -> FloatArray:
        half = DIMENSION // 2
        rows = []
        for text in texts:
            words = np.mean([_random(w)[:half] for w in text.lower().split()], axis=0)
            rows.append(np.concatenate([self.words * words, self.noise * _random(text)[half:]]))
        vectors = np.array(rows, dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _random(text: str) -> FloatArray:
    return np.random.default_rng(zlib.crc32(text.encode())).normal(size=DIMENSION)


def world(words: float, noise: float) -> Collection:
    """Two hundred documents of eight words each, without titles."""
    rng = np.random.default_rng(0)
    documents = tuple(
        Document(f"d{i}", "", " ".join(rng.choice(WORDS, 8, replace=False))) for i in range(N)
    )
    encoder = WordEncoder(words, noise)
    vectors = encoder.encode_documents([replace(d, title="") for d in documents])
    vectors = encoder.encode_queries([d.text for d in documents])
    space = collection(np.eye(2), encoder=encoder)
    matrix = EmbeddingMatrix(tuple(d.id for d in documents), vectors)
    return replace(space, dataset=replace(space.dataset, documents=documents), documents=matrix)


def check(space: Collection) -> HarmCheck:
    made = HarmCheck.build(space, space.encoder.encode_queries, 0)
    assert isinstance(made, HarmCheck)
    return made


@pytest.fixture(autouse=True)
def _trusted_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    # this encoder reads titles and texts differently
    monkeypatch.setattr(Collection, "check_encoder", lambda self: None)


def ship(space: Collection) -> Adapter:
    training = Trainer(space, TrainConfig(recipe="unlabeled", memory=MemoryConfig(max_sentences=0)))
    for _ in training.epochs():
        pass
    return training.adapter("x")


def test_a_query_has_four_different_words_of_one_document():
    space = world(1.0, 1.0)
    queries = keyword_queries(space, 0)
    texts = [set(d.text.split()) for d in space.dataset.documents]
    assert len(queries) == N
    for query in queries:
        words = query.split()
        assert len(words) == len(set(words)) == harm_check.WORDS
        assert any(set(words) <= text for text in texts)
    assert queries == keyword_queries(space, 0)
    assert queries != keyword_queries(space, 1)


def test_rare_and_repeated_words_are_drawn_more_often():
    """The common word is in every document, the repeated one twice in its own."""
    space = world(1.0, 1.0)
    documents = tuple(
        replace(d, text=f"common {d.text} extra{i} extra{i}")
        for i, d in enumerate(space.dataset.documents)
    )
    queries = keyword_queries(
        replace(space, dataset=replace(space.dataset, documents=documents)), 0
    )
    common = sum("common" in q.split() for q in queries)
    extra = sum(any(w.startswith("extra") for w in q.split()) for q in queries)
    # without weights, each would be in 4 of 10 queries
    assert common < 0.2 * N
    assert extra > 0.6 * N


def test_the_reference_is_the_fusion_of_bm25_and_base():
    space = world(1.0, 1.0)
    made, queries = check(space), keyword_queries(space, 0)
    base = space.index.search(space.encoder.encode_queries(queries[:1]), 100)[0]
    lexical = BM25Index(space.dataset.documents).matches(queries[:1], 100)[0]
    sums = dict.fromkeys(range(N), 0.0)
    for ranking in (base, lexical):
        for rank, row in enumerate(ranking, start=1):
            sums[int(row)] += 1 / (60 + rank)
    best = sorted(sums, key=lambda row: (-sums[row], space.tie_ranks[row]))[:10]
    gains = {row: 1 / rank for rank, row in enumerate(best, start=1)}
    discounts = 1 / np.log2(np.arange(2, 12))
    shown = [gains.get(int(row), 0.0) for row in base[:10]]
    ideal = sorted(gains.values(), reverse=True)
    assert float(made.base[0]) == pytest.approx((shown @ discounts) / (ideal @ discounts), abs=1e-5)


def test_the_base_itself_and_noise_are_not_better():
    made = check(world(1.0, 1.0))
    assert not made.is_better(made.validator.ndcg(identity_adapter(DIMENSION)))
    torch.manual_seed(0)
    assert not made.is_better(made.validator.ndcg(IMRNN(AdapterConfig(DIMENSION, DIMENSION))))


def test_random_changes_pass_in_at_most_one_of_twenty_cases():
    """A null: rankings change, but not towards anything."""
    made, generator, passed = check(world(1.0, 1.0)), torch.Generator().manual_seed(0), 0
    for _ in range(200):
        model = identity_adapter(DIMENSION)
        weight = model.projector.weight
        with torch.no_grad():
            weight += 0.05 * torch.randn(weight.shape, generator=generator)
        values = made.validator.ndcg(model)
        assert not torch.equal(values, made.base)
        passed += made.is_better(values)
    assert passed <= 16  # 5 % of 200, and 2 standard errors


def test_the_whitening_is_shipped_where_noise_has_the_larger_variance():
    """Whitening reduces the directions of large variance."""
    outcome = ship(world(1.0, 2.0)).card.outcome
    assert outcome.shipped == "initialization"
    assert outcome.initialization == {"power": 0.2}
    assert outcome.validation > outcome.base_validation


def test_the_identity_is_shipped_where_whitening_amplifies_noise():
    adapter = ship(world(2.0, 0.3))
    outcome = adapter.card.outcome
    assert outcome.shipped == "identity"
    assert outcome.base_validation is not None
    assert adapter.card.texts.uses == []


def test_the_identity_is_shipped_if_nothing_can_be_checked(monkeypatch: pytest.MonkeyPatch):
    space = world(1.0, 2.0)
    few = replace(
        space,
        dataset=replace(space.dataset, documents=space.dataset.documents[:29]),
        documents=EmbeddingMatrix(space.documents.ids[:29], space.documents.vectors[:29]),
    )
    outcome = ship(few).card.outcome
    assert outcome.shipped == "identity"
    assert "no check without judgments: 29 documents contain words, fewer than 30" in outcome.notes
