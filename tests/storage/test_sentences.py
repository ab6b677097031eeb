"""Sentence vectors are encoded once, and an interrupted encode resumes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.data.records import Document
from imrnns_core.encoding import sharded
from imrnns_core.retrieval.collection import Collection
from imrnns_core.storage.sentences import (
    encode_sentences,
    sentence_paths,
    stored_or_encoded_sentences,
    stored_sentences,
)
from tests.toys import FakeEncoder, collection, letters

TEXTS = ("One two three four. Five six seven eight.", "", "A last one, of five words.")


def texts(encoder: FakeEncoder, bodies: tuple[str, ...] = TEXTS) -> Collection:
    documents = tuple(Document(f"d{i}", "", text) for i, text in enumerate(bodies))
    vectors = letters([f"|{text}" for text in bodies], turn=encoder.turn)
    made = collection(vectors, encoder=encoder)
    return replace(made, dataset=replace(made.dataset, documents=documents))


def test_sentences_are_encoded_once(tmp_path: Path):
    encoder = FakeEncoder()
    assert stored_sentences(tmp_path, texts(encoder)) is None
    reported: list[tuple[str, int, int]] = []
    first = stored_or_encoded_sentences(
        tmp_path, texts(encoder), lambda *progress: reported.append(progress)
    )
    assert reported == [("sentences", 3, 3)]
    assert first.rows.tolist() == [0, 0, 2]  # the second document has no text
    expected = letters(["One two three four.", "Five six seven eight.", TEXTS[2]])
    np.testing.assert_allclose(first.vectors, expected, atol=1e-3)
    encoded = len(encoder.texts)
    again = stored_or_encoded_sentences(tmp_path, texts(encoder))
    np.testing.assert_array_equal(again.vectors, first.vectors)
    assert len(encoder.texts) == encoded
    assert [path.suffix for path in (tmp_path / "sentences").iterdir()] == [".npz"]


def test_an_interrupted_encode_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sharded, "SHARD", 1)
    with pytest.raises(KeyboardInterrupt):  # the check of the encoder and two shards
        stored_or_encoded_sentences(tmp_path, texts(FakeEncoder(stop_after=3)))
    encoder = FakeEncoder()
    resumed = stored_or_encoded_sentences(tmp_path, texts(encoder))
    # the texts are encoded in alphabetical order
    assert [text for text in encoder.texts if "|" not in text] == ["One two three four."]
    np.testing.assert_allclose(
        resumed.vectors, encode_sentences(texts(FakeEncoder())).vectors, atol=1e-3
    )


def test_only_new_sentences_are_encoded(tmp_path: Path):
    first = stored_or_encoded_sentences(tmp_path, texts(FakeEncoder()))
    added = ("A last one, of five words. And a new one, here.", *TEXTS[:2], "Five six seven eight.")
    encoder = FakeEncoder()
    larger = stored_or_encoded_sentences(tmp_path, texts(encoder, added))
    assert [text for text in encoder.texts if "|" not in text] == ["And a new one, here."]
    assert larger.rows.tolist() == [0, 0, 1, 1, 3]
    order = [2, 0, 1, 1]  # the same sentences as before, and the new one apart
    np.testing.assert_array_equal(larger.vectors[[0, 2, 3, 4]], first.vectors[order])
    np.testing.assert_allclose(larger.vectors[1], letters(["And a new one, here."])[0], atol=1e-3)
    assert [path.suffix for path in (tmp_path / "sentences").iterdir()] == [".npz"]
    fewer, encoder = added[1:], FakeEncoder()
    less = stored_or_encoded_sentences(tmp_path, texts(encoder, fewer))
    assert (less.rows.tolist(), encoder.texts) == ([0, 0, 2], [])
    np.testing.assert_array_equal(less.vectors, first.vectors[[0, 1, 1]])


def test_sentences_of_another_encoder_are_not_reused(tmp_path: Path):
    stored_or_encoded_sentences(tmp_path, texts(FakeEncoder()))
    encoder = FakeEncoder(turn=0.5)
    encoder.weights_digest = "other"
    stored = stored_or_encoded_sentences(tmp_path, texts(encoder))
    assert len([text for text in encoder.texts if "|" not in text]) == 3
    expected = letters(["One two three four."], turn=0.5)[0]
    np.testing.assert_allclose(stored.vectors[0], expected, atol=1e-3)


def test_a_file_of_an_older_version_is_used(tmp_path: Path):
    one = texts(FakeEncoder())
    encoded, older = encode_sentences(one), sentence_paths(tmp_path, one)[1]
    older.parent.mkdir()
    np.savez(older, vectors=encoded.vectors.astype(np.float16), rows=encoded.rows)
    encoder = FakeEncoder()
    stored = stored_or_encoded_sentences(tmp_path, texts(encoder))
    assert encoder.texts == []
    np.testing.assert_allclose(stored.vectors, encoded.vectors, atol=1e-3)


def test_other_texts_and_a_damaged_file_are_encoded_again(tmp_path: Path):
    stored_or_encoded_sentences(tmp_path, texts(FakeEncoder()))
    one = texts(FakeEncoder())
    other = replace(
        one,
        dataset=replace(
            one.dataset, documents=(*one.dataset.documents[:2], Document("d2", "", "x"))
        ),
    )
    assert stored_sentences(tmp_path, other) is None
    path = sentence_paths(tmp_path, one)[0]
    path.write_bytes(path.read_bytes()[:100])
    assert stored_sentences(tmp_path, one) is None
    assert stored_or_encoded_sentences(tmp_path, one).rows.tolist() == [0, 0, 2]


def test_the_sample_ships_its_sentences(sample: Collection, tmp_path: Path):
    shipped = stored_sentences(tmp_path, sample)
    assert shipped is not None
    path = sentence_paths(tmp_path, sample)[-1]
    assert path.stat().st_size <= 2.5e6
    assert [p.name for p in path.parent.iterdir()] == [path.name]  # none is out of date
    assert len(shipped.rows) == 2820
    assert set(shipped.rows.tolist()) == set(range(len(sample.dataset.documents)))
    np.testing.assert_allclose(
        np.linalg.norm(shipped.vectors.astype(np.float32), axis=1), 1, atol=1e-3
    )
    document = sample.dataset.documents[0]
    alone = replace(sample, dataset=replace(sample.dataset, documents=(document,)))
    encoded = encode_sentences(alone).vectors
    np.testing.assert_allclose(
        shipped.vectors[: len(encoded)].astype(np.float32), encoded, atol=2e-3
    )
