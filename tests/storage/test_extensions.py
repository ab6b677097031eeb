"""A sentence memory is extended once by the documents that a collection has got since."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.retrieval.collection import Collection
from imrnns_core.storage import extensions
from imrnns_core.storage.extensions import memory_warnings
from imrnns_core.storage.workspace import Workspace
from tests.training.label_free.test_memory_extension import part, trained
from tests.training.label_free.test_sentence_memory import told


@pytest.fixture
def whole() -> Collection:
    return told(judged=False)


@pytest.fixture
def file(tmp_path: Path, whole: Collection) -> str:
    """An adapter whose memory lacks the last two documents."""
    path = tmp_path / "memory.safetensors"
    save_adapter(trained(part(whole, range(58))), path)
    return str(path)


def test_new_documents_are_added_once(
    tmp_path: Path, whole: Collection, file: str, monkeypatch: pytest.MonkeyPatch
):
    space, steps = Workspace(tmp_path / "space"), list[tuple[str, int, int]]()
    first = space.ranker(whole, file, lambda *step: steps.append(step))
    assert steps == [("new-sentences", 2, 2)]
    assert first.adapter.card.outcome.initialization["sentences"] == 60
    assert memory_warnings(first.adapter, whole) == []
    assert [p.suffix for p in (space.root / "extended").iterdir()] == [".safetensors"]

    def refuse(*_: object) -> None:
        raise AssertionError("the extended adapter was not read from the workspace")

    monkeypatch.setattr(type(whole.encoder), "encode_queries", refuse)
    again = space.ranker(whole, file)
    for ours, stored in zip(
        first.adapter.model.parameters(), again.adapter.model.parameters(), strict=True
    ):
        assert torch.equal(ours, stored)


def test_a_damaged_extension_is_made_again(tmp_path: Path, whole: Collection, file: str):
    space = Workspace(tmp_path / "space")
    first = space.ranker(whole, file)
    (stored,) = (space.root / "extended").iterdir()
    stored.write_bytes(stored.read_bytes()[:99])
    again = space.ranker(whole, file)
    weight = first.adapter.model.query_adapter.layers[0].weight
    assert torch.equal(again.adapter.model.query_adapter.layers[0].weight, weight)


def test_an_extension_of_another_version_is_not_used(
    tmp_path: Path, whole: Collection, file: str, monkeypatch: pytest.MonkeyPatch
):
    space, steps = Workspace(tmp_path / "space"), list[tuple[str, int, int]]()
    space.ranker(whole, file)
    monkeypatch.setattr(extensions, "SCHEMA", extensions.SCHEMA - 1)
    space.ranker(whole, file, lambda *step: steps.append(step))
    assert steps == [("new-sentences", 2, 2)]


def test_without_the_encoder_the_reader_is_warned(tmp_path: Path, whole: Collection, file: str):
    whole.documents.vectors[0] = np.roll(whole.documents.vectors[0], 1)  # of another encoder
    ranker = Workspace(tmp_path / "space").ranker(whole, file)
    assert len(ranker.adapter.model.query_adapter.layers[0].weight) == 58
    assert memory_warnings(ranker.adapter, whole) == [
        "the sentence memory of memory lacks 2 of 60 documents, the first one is 'd58', and cannot "
        "be extended, so these documents are ranked too low; train the adapter again"
    ]
