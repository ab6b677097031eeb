"""Vectors do not depend on the order of the corpus, and each text is encoded once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.records import Document, Query
from imrnns_core.storage.vectors import stored_or_encoded_vectors
from imrnns_core.types import FloatArray
from tests.toys import FakeEncoder, letters


class RoundingEncoder(FakeEncoder):
    """Rounds a text differently at each position, as encoders do for a different batch."""

    def encode_documents(
        self, documents: Sequence[Document], progress: Any = None, unit: bool = True
    ) -> FloatArray:
        vectors = super().encode_documents(documents, progress, unit)
        return vectors + np.float32(1e-6) * np.arange(len(vectors), dtype=np.float32)[:, None]


def test_the_order_of_the_corpus_changes_no_vector_and_equal_texts_have_one(tmp_path: Path):
    texts = [("One", "first"), ("", "second"), ("One", "first"), ("", "first"), ("One", "")]
    documents = tuple(Document(f"d{i}", *text) for i, text in enumerate(texts))
    dataset = Dataset("toy", tmp_path, documents, {})
    vectors = []
    for name, order in (("a", documents), ("b", documents[::-1])):
        encoder = RoundingEncoder()
        matrix, _ = stored_or_encoded_vectors(
            tmp_path / name, replace(dataset, documents=order), encoder, None
        )
        assert matrix.ids == tuple(document.id for document in order)
        assert sorted(encoder.texts) == ["One|", "One|first", "|first", "|second"]
        vectors.append({i: matrix.vectors[row].tobytes() for i, row in matrix.row.items()})
    assert vectors[0] == vectors[1]
    assert vectors[0]["d0"] == vectors[0]["d2"] != vectors[0]["d3"]


# Only new texts are encoded


def toy(*texts: str, queries: tuple[str, ...] = ("which?",)) -> Dataset:
    documents = tuple(Document(f"d-{text}", "", text) for text in texts)
    return Dataset("toy", Path("toy"), documents, {f"q-{q}": Query(f"q-{q}", q) for q in queries})


def encoded(
    folder: Path, dataset: Dataset, encoder: FakeEncoder | None = None
) -> tuple[list[str], dict[str, FloatArray]]:
    """Return the texts that the encoder got, and id → vector of all documents and queries."""
    encoder = encoder or FakeEncoder()
    matrices = stored_or_encoded_vectors(folder, dataset, encoder, None)
    assert matrices[0].ids == dataset.document_ids
    vectors = {i: matrix.vectors[row] for matrix in matrices for i, row in matrix.row.items()}
    for text_id, vector in vectors.items():
        text = f"|{text_id[2:]}" if text_id.startswith("d-") else text_id[2:]
        np.testing.assert_array_equal(vector, letters([text])[0], text_id)
    return encoder.texts, vectors


def test_only_new_and_changed_texts_are_encoded(tmp_path: Path):
    folder = tmp_path / "vectors"
    assert encoded(folder, toy("one", "two", "three"))[0] == ["|one", "|three", "|two", "which?"]
    assert encoded(folder, toy("three", "one", "two"))[0] == []  # another order
    assert encoded(folder, toy("three", "one", "two"))[0] == []
    assert encoded(folder, toy("four", "one", "two", "0"))[0] == ["|0", "|four"]
    assert encoded(folder, toy("two", queries=("which?", "why?")))[0] == ["why?"]
    assert encoded(folder, toy("two", queries=()))[0] == []
    assert encoded(folder, toy("two", "one", queries=("why?",)))[0] == ["|one", "why?"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == ["vectors"]


def test_a_text_under_another_id_keeps_its_vector(tmp_path: Path):
    first, _ = stored_or_encoded_vectors(tmp_path / "v", toy("one", "two"), FakeEncoder(), None)
    renamed = replace(toy("one"), documents=(Document("new", "", "two"), Document("d", "", "one")))
    encoder = FakeEncoder()
    matrix, _ = stored_or_encoded_vectors(tmp_path / "v", renamed, encoder, None)
    assert (matrix.ids, encoder.texts) == (("new", "d"), [])
    np.testing.assert_array_equal(matrix.vectors, first.vectors[::-1])


@pytest.mark.parametrize("change", ["weights", "prefix", "schema", "hashes", "vectors"])
def test_vectors_of_another_encoder_or_damaged_ones_are_not_reused(tmp_path: Path, change: str):
    folder, encoder = tmp_path / "v", FakeEncoder()
    encoded(folder, toy("one", "two"))
    if change == "weights":
        encoder.weights_digest = "other"
    elif change == "prefix":
        encoder.spec = EncoderSpec("fake", document_prefix="d: ")
    elif change == "schema":
        manifest = folder / "manifest.json"
        manifest.write_text(manifest.read_text().replace('"schema": 1', '"schema": 0'))
    elif change == "hashes":
        np.save(folder / "documents-texts.npy", np.zeros((1, 32), np.uint8))
    else:
        (folder / "queries.npy").write_bytes(b"")
    texts, _ = encoded(folder, toy("one", "two", "three"), encoder)
    assert texts == ["|one", "|three", "|two", "which?"]


@pytest.mark.parametrize("name", ["documents.npy", "queries.npy", "documents-texts.npy"])
@pytest.mark.parametrize("added", [(), ("three",)])
def test_a_changed_bit_is_found_and_the_texts_are_encoded_again(
    tmp_path: Path, name: str, added: tuple[str, ...], caplog: pytest.LogCaptureFixture
):
    """One bit of a mantissa: the vector stays finite, and its ranking would only be wrong."""
    folder = tmp_path / "v"
    encoded(folder, toy("one", "two"))
    content = bytearray((folder / name).read_bytes())
    content[-2] ^= 1
    (folder / name).write_bytes(content)
    texts, _ = encoded(folder, toy("one", "two", *added))
    assert texts == [*sorted(f"|{text}" for text in ("one", "two", *added)), "which?"]
    assert f"{folder}: a file is damaged, so its texts are encoded again" in caplog.text
    assert encoded(folder, toy("one", "two", *added))[0] == []


def test_an_interrupted_encode_of_new_texts_resumes_and_keeps_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("imrnns_core.encoding.sharded.SHARD", 2)
    folder, more = tmp_path / "v", toy("a", "b", "c", "one", "two")
    encoded(folder, toy("one", "two"))
    with pytest.raises(KeyboardInterrupt):
        encoded(folder, more, FakeEncoder(stop_after=1))
    assert encoded(folder, toy("two", "one"))[0] == []  # the old ones are still there
    with pytest.raises(KeyboardInterrupt):
        encoded(folder, more, FakeEncoder(stop_after=1))
    # the old vectors are damaged meanwhile: the finished shard is of other texts, so it is not used
    (folder / "documents.npy").write_bytes(b"")
    assert encoded(folder, more)[0] == ["|a", "|b", "|c", "|one", "|two", "which?"]
    with pytest.raises(KeyboardInterrupt):
        encoded(folder, toy("a", "x", "y", "z"), FakeEncoder(stop_after=1))
    assert encoded(folder, toy("a", "x", "y", "z"))[0] == ["|z"]


@pytest.mark.parametrize("step", [0, 1])
def test_a_kill_while_the_new_vectors_take_over_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
):
    folder = tmp_path / "v"
    encoded(folder, toy("one", "two"))
    renamed, calls = Path.replace, list[Path]()

    def killed(path: Path, target: Path) -> Path:
        if path.name in ("v", "finished"):
            calls.append(path)
            if len(calls) == step + 1:
                raise KeyboardInterrupt
        return renamed(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            encoded(folder, toy("one", "two", "three"))
    assert encoded(folder, toy("one", "two", "three"))[0] == []
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix != ".lock") == ["v"]
