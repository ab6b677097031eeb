"""Vectors that do not depend on the order of the corpus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.records import Document
from imrnns_core.storage.vectors import stored_or_encoded_vectors
from imrnns_core.types import FloatArray
from tests.toys import FakeEncoder


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
