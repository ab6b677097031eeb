"""Stored vectors that are not unit vectors.

A projector with a bias sees their lengths, and so must every explanation.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.encoding.encoder import format_document
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError
from imrnns_core.explanation.pair import Pair, reference_scores, rescore
from imrnns_core.explanation.score_accounting import account
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from tests import toys
from tests.toys import stage_scores


def world(seed: int, dropped: frozenset[str] = frozenset()):
    generator = np.random.default_rng(seed)
    vectors = generator.normal(size=(10, 6)) * generator.uniform(0.2, 5, size=(10, 1))
    ranker = Ranker(
        toys.collection(vectors[:8], vectors[8:]), toys.adapter(toys.random_model(seed, 6, 5))
    )
    return ranker, ranker.compare("q0", dropped)


@given(seed=st.integers(0, 30), drop=st.booleans())
def test_what_is_not_edited_keeps_the_scores_of_the_ranking(seed: int, drop: bool):
    ranker, comparison = world(seed, frozenset({"d3"}) if drop else frozenset())
    model = ranker.adapter.model
    same = rescore(comparison, model)
    assert np.abs(stage_scores(same) - stage_scores(comparison)).max() < 3e-6
    assert np.abs(account(same).residual).max() < 1e-6
    stored = torch.from_numpy(ranker.collection.documents.vectors[comparison.rows])
    for at in range(8):
        pair = Pair(comparison, model, at)
        with torch.no_grad():
            assert pair.document_scores(stored[at : at + 1])[0].numpy() == pytest.approx(
                pair.scores.numpy(), abs=3e-6
            )
            assert pair.query_scores(comparison.modulation.stored_query[None])[
                0
            ].numpy() == pytest.approx(pair.scores.numpy(), abs=3e-6)


@given(seed=st.integers(0, 30))
def test_another_stored_vector_is_scored_as_the_ranking_scores_it(seed: int):
    ranker, comparison = world(seed)
    other = ranker.collection.query_vectors(["q1"])[0]
    whole, mine = ranker.compare("q1"), rescore(comparison, ranker.adapter.model, query=other)
    for i, at in mine.position.items():
        assert stage_scores(mine)[:, at] == pytest.approx(
            stage_scores(whole)[:, whole.position[i]], abs=3e-6
        )


def test_lengths_matter_under_a_bias():
    ranker, comparison = world(0)
    stored = comparison.modulation.stored_documents[:1]
    pair = Pair(comparison, ranker.adapter.model, 0)
    with torch.no_grad():
        right, short = (
            pair.document_scores(stored),
            pair.document_scores(torch.nn.functional.normalize(stored, dim=-1)),
        )
    assert float(right[0, 0]) == pytest.approx(float(short[0, 0]), abs=1e-6)
    assert abs(float(right[0, 1] - short[0, 1])) > 1e-3


def test_the_common_length_of_vectors():
    vectors = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def common(v: np.ndarray) -> float | None:
        return EmbeddingMatrix(tuple(map(str, range(len(v)))), v).common_length

    assert common(vectors.astype(np.float16).astype(np.float32)) == 1.0
    assert common(np.concatenate([vectors, np.zeros((1, 8), np.float32)])) == 1.0
    assert common(7 * vectors) == pytest.approx(7, abs=1e-5)
    assert common(vectors * np.arange(1, 6, dtype=np.float32)[:, None]) is None
    assert common(vectors[:1]) == 1.0
    assert common(3 * vectors[:1]) is None
    assert common(vectors[:0]) is None


def toy(lengths: list[float] | None) -> Collection:
    """Return documents and queries of the fake encoder, of these lengths or (None) of its own."""
    encoder = toys.FakeEncoder()
    made = toys.collection(np.eye(4), np.eye(4)[:3], encoder=encoder)
    documents = encoder.encode_documents(made.dataset.documents, unit=lengths is not None)
    queries = encoder.encode_queries(
        [q.text for q in made.dataset.queries.values()], unit=lengths is not None
    )
    scale = np.array(lengths or [1.0] * 4, np.float32)[:, None]
    return replace(
        made,
        documents=EmbeddingMatrix(made.documents.ids, documents * scale),
        queries=EmbeddingMatrix(made.queries.ids, queries * scale[:3]),
    )


def test_a_typed_query_is_as_long_as_the_stored_ones():
    text = "question 1"
    own = toy(None)
    assert own.encode(text) == pytest.approx(own.query_vectors(["q1"])[0], abs=1e-6)
    assert np.linalg.norm(own.encode(text)) == pytest.approx(1 + len(text) % 7, abs=1e-5)
    scaled = toy([3.0] * 4)
    assert scaled.encode(text) == pytest.approx(scaled.query_vectors(["q1"])[0], abs=1e-6)
    assert np.linalg.norm(toy([1.0] * 4).encode("any other")) == pytest.approx(1, abs=1e-6)


def test_varying_lengths_are_rejected():
    strange = toy([1.0, 2.0, 3.0, 4.0])
    with pytest.raises(
        EncoderError,
        match="the vectors of the queries of toy have different lengths, which fake does not "
        "produce",
    ):
        strange.encode("question 1")
    strange.check_encoder()  # training may go on


class Unnormalised(SentenceTransformerEncoder):
    """all-MiniLM-L6-v2 without its last layer: its mean-pooled outputs are some 5 long."""

    @property
    def model(self):  # type: ignore[override]
        if "whole" not in self.__dict__:
            whole = super().model
            del whole[2]
            self.__dict__["whole"] = whole
        return self.__dict__["whole"]


@pytest.fixture(scope="module")
def raw(sample: Collection) -> WordExplainer:
    """The sample's first documents and queries as that encoder makes them."""
    encoder = Unnormalised()
    documents = sample.dataset.documents[:12]
    queries = dict(list(sample.dataset.queries.items())[:3])
    dataset = replace(sample.dataset, documents=documents, queries=queries)
    vectors = encoder.encode_documents(documents, unit=False)
    asked = encoder.encode_queries([q.text for q in queries.values()], unit=False)
    made = Collection(
        dataset,
        EmbeddingMatrix(dataset.document_ids, vectors),
        EmbeddingMatrix(tuple(queries), asked),
        encoder,
    )
    return WordExplainer(Ranker(made, toys.adapter(toys.random_model(3, 384, 384))))


@pytest.mark.parametrize("side", ["document", "query"])
def test_words_of_texts_whose_vectors_are_not_unit(raw: WordExplainer, side):
    raw.check()
    lengths = np.linalg.norm(raw.ranker.collection.documents.vectors, axis=1)
    assert lengths.min() > 1.5
    assert raw.length("document") is None
    comparison = raw.ranker.compare(next(iter(raw.ranker.collection.dataset.queries)))
    pair = Pair(comparison, raw.ranker.adapter.model, 2)
    drops, account_of_words = raw.estimate_and_account(pair, side)
    assert raw.measure(pair, side, [drops.text])[0] == pytest.approx(
        reference_scores(pair), abs=1e-5
    )
    assert account_of_words is not None
    total = float(account_of_words.words.sum()) + account_of_words.other + account_of_words.constant
    assert total == pytest.approx(float(reference_scores(pair)[1]), abs=2e-5)
    lost = np.array([v.drop for v in raw.verify(pair, side, drops, range(len(drops.words)))])
    assert np.corrcoef(drops.score, lost[:, 0])[0, 1] > 0.7


def test_an_edited_document_is_as_long_as_its_neighbours(raw: WordExplainer):
    document = raw.ranker.collection.dataset.documents[0]
    again = raw.encode("document", [format_document(raw.encoder.spec, document)])[0]
    assert again == pytest.approx(raw.ranker.collection.documents.vectors[0], abs=1e-4)
