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


def texts(encoder: FakeEncoder) -> Collection:
    documents = tuple(Document(f"d{i}", "", text) for i, text in enumerate(TEXTS))
    vectors = letters([f"|{text}" for text in TEXTS])
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
    assert [text for text in encoder.texts if "|" not in text] == [TEXTS[2]]
    np.testing.assert_allclose(
        resumed.vectors, encode_sentences(texts(FakeEncoder())).vectors, atol=1e-3
    )


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
    path = sentence_paths(tmp_path, sample)[1]
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
