"""What is kept belongs to the content of the files, not to their names."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import torch

from dashboard.services import (
    caching,
    catalog,
    comparisons,
)
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.retrieval.ranker import Ranker
from tests import toys


def next_run() -> None:
    """Let the time of one run of a page pass, in which files are taken to be unchanged."""
    time.sleep(1.2 * caching.IDENTITY_SECONDS)


def test_an_adapter_imported_again_under_its_name_replaces_everything_made_of_the_old(
    fresh: None, tmp_path: Path
) -> None:
    space = caching.workspace()
    first, second = (
        toys.adapter(toys.random_model(seed, 384, 384), ["d1"] * (seed + 1), "same")
        for seed in (0, 1)
    )
    target = space.root / "adapters" / "same.safetensors"
    save_adapter(first, target)
    before = comparisons.comparison("sample", "same", "q128", "", frozenset())
    assert comparisons.comparison("sample", "same", "q128", "", frozenset()) is before
    save_adapter(second, target)
    next_run()
    card, ranker = catalog.load_adapter("same").card, catalog.ranker("sample", "same")
    assert len(card.texts.positives) == 2
    assert torch.equal(ranker.adapter.model.projector.weight, second.model.projector.weight)
    after = comparisons.comparison("sample", "same", "q128", "", frozenset())
    np.testing.assert_array_equal(
        after.score("modulated"),
        Ranker(catalog.collection("sample"), second).compare("q128").score("modulated"),
    )
    assert not np.array_equal(before.score("modulated"), after.score("modulated"))
    assert comparisons.comparison("sample", "sample-adapter", "q128", "", frozenset()) is not before


def test_a_data_set_that_changed_on_disk_is_read_again(fresh: None, tmp_path: Path) -> None:
    space, data = caching.workspace(), toys.write_dataset(tmp_path / "mine")
    vectors = tmp_path / "vectors"
    vectors.mkdir()
    for stem, ids in (("document", ("d1", "d2")), ("query", ("q1",))):
        plural = {"document": "documents", "query": "queries"}[stem]
        save_embeddings(EmbeddingMatrix(ids, toys.letters(ids)), vectors, plural, stem)
    space.register(space.resolve(str(data), vectors))
    assert catalog.collection("mine") is catalog.collection("mine")
    assert catalog.collection("mine").dataset.queries["q1"].text == "which?"
    (data / "queries.jsonl").write_text(json.dumps({"_id": "q1", "text": "why?"}) + "\n")
    next_run()
    assert catalog.collection("mine").dataset.queries["q1"].text == "why?"
    save_embeddings(EmbeddingMatrix(("q1",), np.array([[1, 0, 0, 0]])), vectors, "queries", "query")
    next_run()
    np.testing.assert_array_equal(catalog.collection("mine").query_vectors(["q1"])[0], [1, 0, 0, 0])
