"""Clusters of a corpus and their names."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imrnns_core.projection.clusters import find_clusters, name_clusters
from imrnns_core.projection.corpus_map import load_map, map_key
from imrnns_core.storage.layout import SAMPLE_FOLDER
from imrnns_core.storage.workspace import Workspace


def corpus() -> tuple[np.ndarray, list[str]]:
    """Twenty documents about money and ten about planets; only “common” is in both."""
    rng = np.random.default_rng(0)
    centres = np.repeat(np.eye(4, dtype=np.float32)[:2], [20, 10], axis=0)
    vectors = centres + rng.normal(scale=0.02, size=(30, 4)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), [
        "common peso pesos bank"
    ] * 20 + ["common planet orbit moon"] * 10


def test_documents_of_one_subject_share_a_cluster_and_its_words_name_it():
    vectors, texts = corpus()
    clusters = find_clusters(vectors, texts)
    money, planets = set(clusters.labels[:20].tolist()), set(clusters.labels[20:].tolist())
    assert not money & planets
    assert all("bank" in clusters.names[c] and "planet" not in clusters.names[c] for c in money)
    assert all("planet" in clusters.names[c] for c in planets)
    assert (np.diff(np.bincount(clusters.labels)) <= 0).all()  # the largest first


def test_a_name_has_no_two_forms_of_one_word_and_no_word_of_all_documents():
    _, texts = corpus()
    names = name_clusters(texts, np.repeat([0, 1], [20, 10]))
    assert set(names[0].split(", ")) in ({"peso", "bank"}, {"pesos", "bank"})
    assert set(names[1].split(", ")) == {"planet", "orbit", "moon"}


def test_few_documents_and_texts_without_words():
    assert find_clusters(np.eye(3, dtype=np.float32), ["a", "b", "c"]).names == ("all documents",)
    vectors, _ = corpus()
    assert find_clusters(vectors, ["1 2"] * 30).names[0] == "cluster 1"


def test_the_map_that_ships_names_the_clusters_of_the_sample():
    space = Workspace(Path("unused"))
    collection = space.open(space.resolve("sample"))
    path = (
        SAMPLE_FOLDER
        / "maps"
        / f"{map_key(space.adapter('sample-adapter'), collection.fingerprint)}.npz"
    )
    clusters = load_map(path).clusters
    assert len(clusters.labels) == len(collection.dataset.documents)
    assert len(clusters.names) == 12
    name = clusters.names[clusters.labels[collection.documents.row["mexican-peso"]]]
    assert "dollar" in name  # currencies; which words lead depends on the adapter that ships
