"""Precomputed embeddings without queries, and rankings by dot product."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.errors import AdapterError, DataError, EncoderError
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray
from tests.toys import FakeEncoder, adapter, letters, random_model, write_dataset

TEXTS = ["One|first", "|second"]
OWN_LENGTHS = np.array([[1.0 + len(text) % 7] for text in TEXTS], np.float32)
Open = Callable[[FakeEncoder, Registration], Collection]


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def opened(space: Workspace, monkeypatch: pytest.MonkeyPatch) -> Open:
    def open_with(encoder: FakeEncoder, registration: Registration) -> Collection:
        monkeypatch.setattr(
            "imrnns_core.storage.workspace.SentenceTransformerEncoder", lambda _: encoder
        )
        return space.open(registration)

    return open_with


def vectors_of_documents(folder: Path, vectors: FloatArray) -> Path:
    folder.mkdir(exist_ok=True)
    save_embeddings(EmbeddingMatrix(("d1", "d2"), vectors), folder, "documents", "document")
    return folder


@pytest.fixture
def registration(tmp_path: Path) -> Registration:
    data = write_dataset(
        tmp_path / "toy", queries=[{"_id": "q1", "text": "which?"}, {"_id": "q2", "text": "why?"}]
    )
    vectors = vectors_of_documents(tmp_path / "vectors", letters(TEXTS))
    return Registration("toy", data, vectors, EncoderSpec("fake"))


def test_queries_without_vectors_are_encoded_once(opened: Open, registration: Registration):
    encoder = FakeEncoder()
    collection = opened(encoder, registration)
    # the first document shows that this encoder made the vectors
    assert encoder.texts == ["One|first", "which?", "why?"]
    np.testing.assert_array_equal(collection.queries.vectors, letters(["which?", "why?"]))
    np.testing.assert_array_equal(collection.documents.vectors, letters(TEXTS))
    encoder = FakeEncoder()
    again = opened(encoder, registration)
    assert encoder.texts == []
    np.testing.assert_array_equal(again.queries.vectors, collection.queries.vectors)


def test_the_vectors_of_another_encoder_are_noticed_before_queries_are_encoded(
    opened: Open, registration: Registration
):
    encoder = FakeEncoder(EncoderSpec("wrong"), turn=0.7)
    with pytest.raises(EncoderError, match=r"^wrong did not make the embeddings of toy \(cosine "):
        opened(encoder, registration)
    assert encoder.texts == ["One|first"]
    with pytest.raises(EncoderError, match=r"^fake makes 6 dimensions, the embeddings of toy "):
        opened(FakeEncoder(dimension=6), registration)


@pytest.mark.parametrize("scale", [3.0, None])
def test_encoded_queries_get_lengths_like_those_of_the_documents(
    opened: Open, registration: Registration, scale: float | None
):
    lengths = OWN_LENGTHS if scale is None else np.float32(scale)
    vectors_of_documents(registration.embeddings, letters(TEXTS) * lengths)
    collection = opened(FakeEncoder(), registration)
    expected = [scale, scale] if scale else [1.0 + len("which?"), 1.0 + len("why?")]
    np.testing.assert_allclose(
        np.linalg.norm(collection.queries.vectors, axis=1), expected, rtol=1e-5
    )
    np.testing.assert_allclose(collection.encode("why?"), collection.queries.vectors[1], rtol=1e-5)


def test_lengths_that_the_encoder_does_not_give_are_noticed(
    opened: Open, registration: Registration
):
    lengths = np.array([[1.0], [7.0]], np.float32)
    vectors_of_documents(registration.embeddings, letters(TEXTS) * lengths)
    with pytest.raises(EncoderError, match=r"^the vectors of the documents of toy have different"):
        opened(FakeEncoder(), registration)


def test_one_of_two_files_of_queries_is_an_error(opened: Open, registration: Registration):
    (registration.embeddings / "query_ids.txt").write_text("q1\nq2\n")
    with pytest.raises(DataError, match=r"queries\.npy: file not found"):
        opened(FakeEncoder(), registration)


# Dot product


def by_dot(registration: Registration) -> Registration:
    return Registration(
        registration.name,
        registration.path,
        None,
        registration.encoder,
        similarity="dot",
    )


def test_the_similarity_is_registered(space: Workspace, registration: Registration):
    space.register(by_dot(registration))
    assert Workspace(space.root).registrations()["toy"].similarity == "dot"
    space.register(registration)
    assert Workspace(space.root).registrations()["toy"].similarity == "cosine"
    identity = space.data_identity(by_dot(registration))
    assert identity != space.data_identity(
        Registration("toy", registration.path, None, registration.encoder)
    )


def test_with_dot_product_vectors_keep_the_lengths_of_the_encoder(
    opened: Open, registration: Registration
):
    encoder = FakeEncoder()
    collection = opened(encoder, by_dot(registration))
    np.testing.assert_array_equal(collection.documents.vectors, letters(TEXTS) * OWN_LENGTHS)
    np.testing.assert_array_equal(
        collection.queries.vectors, letters(["which?", "why?"]) * np.float32([[7], [5]])
    )
    assert len(encoder.texts) == 4
    encoder = FakeEncoder()
    opened(encoder, by_dot(registration))
    assert encoder.texts == []
    cosine = Registration("toy", registration.path, None, registration.encoder)
    np.testing.assert_array_equal(opened(encoder, cosine).documents.vectors, letters(TEXTS))
    assert len(encoder.texts) == 4  # unit vectors are stored beside the others
    assert opened(encoder, cosine).fingerprint != opened(encoder, by_dot(registration)).fingerprint


def test_a_long_vector_ranks_first_by_dot_product_and_not_by_cosine(
    opened: Open, registration: Registration
):
    collection = opened(FakeEncoder(), by_dot(registration))
    documents = np.array([[1.0, 0.0], [3.0, 3.0]], np.float32)
    query = np.array([[2.0, 0.5]], np.float32)
    expected = {"cosine": ([0, 1], [0.97014, 0.85749]), "dot": ([1, 0], [2.0, 7.5])}
    for similarity, (order, scores) in expected.items():
        one = Collection(
            collection.dataset,
            EmbeddingMatrix(("d1", "d2"), documents),
            EmbeddingMatrix(("q1",), query),
            FakeEncoder(dimension=2),
            similarity,
        )
        assert one.index.search(query, 2).tolist() == [order]
        np.testing.assert_allclose(
            one.index.products(one.base_queries(query)[0]), scores, atol=1e-4
        )


def test_an_adapter_refuses_a_ranking_by_dot_product(opened: Open, registration: Registration):
    collection = opened(FakeEncoder(), by_dot(registration))
    with pytest.raises(AdapterError) as caught:
        Ranker(collection, adapter(random_model(0, 4, 4)))
    assert str(caught.value) == (
        "toy is ranked by dot product, but adapters work only with cosines; use another page or "
        "command, or prepare the data again with --similarity cosine"
    )
