"""The target view, the maps, and the movement on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.data.records import Document
from imrnns_core.errors import DataError
from imrnns_core.projection import corpus_map as mapping
from imrnns_core.projection import movement
from imrnns_core.projection.clusters import Clusters
from imrnns_core.projection.corpus_map import (
    CorpusMap,
    fit_map,
    knn_project,
    load_map,
    map_key,
    save_map,
)
from imrnns_core.projection.movement import (
    pca_movement,
    placement_error,
    true_movement,
    umap_movement,
    visible_share,
)
from imrnns_core.projection.target_view import neighbourhood_order, target_view
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from tests.toys import (
    World,
    adapter,
    collection,
    random_model,
    stage_ranks,
    stage_scores,
    still_model,
    worlds,
)

ONE = Clusters(np.zeros(1, np.int64), ("all documents",))


def texts(count: int) -> list[Document]:
    return [Document(f"d{i}", f"title {i}", "text") for i in range(count)]


@given(worlds(), st.integers(1, 30))
def test_the_radius_is_the_true_angle_and_directions_are_evenly_spaced(world: World, count: int):
    comparison = world.ranker().compare("q0")
    positions = np.random.default_rng(world.seed).permutation(world.candidates)[:count]
    view = target_view(comparison, positions)
    np.testing.assert_allclose(
        np.cos(np.radians(view.radius)), stage_scores(comparison)[:, positions], atol=1e-6
    )
    np.testing.assert_allclose(
        view.radius, np.degrees(np.arccos(stage_scores(comparison)[:, positions])), atol=1e-4
    )
    np.testing.assert_allclose(
        np.sort(view.direction), np.arange(len(positions)) * 360 / len(positions), atol=1e-4
    )
    for s in range(4):  # the rank orders documents by their distance from the centre
        assert (
            np.diff(view.radius[s][np.argsort(stage_ranks(comparison)[s, positions])]) >= 0
        ).all()


def test_angles_by_hand():
    comparison = Ranker(
        collection([[0, 1], [1, 0], [3, 3]], [[1, 0]]), adapter(still_model(2))
    ).compare("q0")
    np.testing.assert_allclose(
        target_view(comparison, np.arange(3)).radius[0], [0, 45, 90], atol=0.05
    )
    np.testing.assert_allclose(
        target_view(comparison, np.array([2, 0])).radius[0], [90, 0], atol=0.05
    )


def test_similar_documents_have_neighbouring_directions():
    vectors = np.array([[1, 0], [0, 1], [0.99, 0.1], [0.1, 0.99], [0.98, 0.2]], np.float32)
    order = neighbourhood_order(vectors).tolist()
    assert sorted(order) == [0, 1, 2, 3, 4]
    kinds = ["".join("x" if i in (0, 2, 4) else "y" for i in order)]
    assert kinds[0] in ("xxxyy", "yyxxx")
    assert neighbourhood_order(vectors[:2]).tolist() == [0, 1]


def test_the_true_movement_is_a_cosine_distance():
    comparison = Ranker(
        collection([[1, 0], [0.8, 0.6]], [[0.9, 0.1]]), adapter(still_model(2))
    ).compare("q0")
    s = 0.5**0.5  # both modulated vectors are (s, −s)
    movement = dict(zip(comparison.document_ids, true_movement(comparison).tolist(), strict=True))
    assert movement == pytest.approx({"d0": 1 - s, "d1": 1 - 0.2 * s}, abs=1e-6)


# PCA


@pytest.fixture
def _no_umap(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        mapping, "_umap", lambda vectors, d: np.asarray(vectors[:, :d], dtype=np.float32)
    )


@pytest.mark.usefixtures("_no_umap")
def test_pca_of_points_in_a_plane_is_exact():
    rng = np.random.default_rng(0)
    plane, _ = np.linalg.qr(rng.normal(size=(7, 2)))
    points = rng.normal(size=(40, 2)) * [3, 1]
    vectors = (points @ plane.T + 5).astype(np.float32)
    fitted = fit_map(vectors, texts(len(vectors)))
    np.testing.assert_allclose(fitted.pca_mean, vectors.mean(0), atol=1e-5)
    np.testing.assert_allclose(fitted.pca_axes @ fitted.pca_axes.T, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(fitted.pca_share.sum(), 1, atol=1e-5)
    np.testing.assert_allclose(fitted.pca_share[2], 0, atol=1e-5)
    assert fitted.pca_share[0] > fitted.pca_share[1] > 0.02
    drawn = fitted.pca_project(vectors, 2)
    true = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.testing.assert_allclose(
        np.linalg.norm(drawn[:, None] - drawn[None], axis=-1), true, atol=1e-4
    )
    np.testing.assert_allclose(fitted.pca_project(vectors, 3)[:, :2], drawn, atol=1e-6)


def test_too_few_documents_for_a_map_still_get_coordinates():
    fitted = fit_map(np.array([[1, 0], [0, 1]], np.float32), texts(2))
    np.testing.assert_array_equal(fitted.umap[2], np.zeros((2, 2)))
    np.testing.assert_allclose(fitted.pca_share, [1, 0, 0], atol=1e-6)
    np.testing.assert_allclose(
        np.abs(fitted.pca_project(np.array([[1, 0], [0, 1]], np.float32), 2)),
        [[0.5**0.5, 0]] * 2,
        atol=1e-6,
    )


@pytest.mark.usefixtures("_no_umap")
def test_the_share_of_the_movement_that_pca_shows():
    ranker = World(seed=2, n=9, m=9, documents=12, queries=1, candidates=6).ranker()
    comparison, positions = ranker.compare("q0"), np.array([0, 3, 5])
    modulation = comparison.modulation
    fitted = fit_map(ranker.transform.projected.numpy(), ranker.collection.dataset.documents)
    drawn = pca_movement(fitted, comparison, ranker.collection.dataset, positions, 2)
    np.testing.assert_allclose(
        drawn.start,
        fitted.pca_project(modulation.projected_documents.numpy()[positions], 2),
        atol=1e-6,
    )
    move = (modulation.modulated_documents - modulation.projected_documents).numpy()[positions]
    np.testing.assert_allclose(drawn.end - drawn.start, move @ fitted.pca_axes[:2].T, atol=1e-5)
    np.testing.assert_allclose(
        [drawn.query_start, drawn.query_end],
        fitted.pca_project(
            np.stack([modulation.projected_query.numpy(), modulation.modulated_query.numpy()]), 2
        ),
        atol=1e-6,
    )
    assert visible_share(comparison, positions, drawn) == pytest.approx(
        float(((move @ fitted.pca_axes[:2].T) ** 2).sum() / (move**2).sum()), abs=1e-4
    )
    axis = replace(
        modulation, modulated_documents=modulation.projected_documents + fitted.pca_axes[0]
    )
    along = replace(comparison, stage_vectors=axis)
    assert visible_share(
        along, positions, pca_movement(fitted, along, ranker.collection.dataset, positions, 2)
    ) == pytest.approx(1, abs=1e-4)
    still = unmoved(comparison)
    assert (
        visible_share(
            still, positions, pca_movement(fitted, still, ranker.collection.dataset, positions, 2)
        )
        == 0.0
    )


def unmoved(comparison: Comparison) -> Comparison:
    """Return the comparison with modulated documents that did not move."""
    vectors = comparison.modulation
    still = replace(vectors, modulated_documents=vectors.projected_documents)
    return replace(comparison, stage_vectors=still)


# Coordinates of new points


def circle(count: int) -> tuple[CorpusMap, np.ndarray]:
    """Documents on a circle, whose coordinates are their vectors."""
    angle = np.arange(count) * 2 * np.pi / count
    vectors = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    flat = CorpusMap(
        {2: vectors.copy()},
        np.zeros(2, np.float32),
        np.zeros((3, 2), np.float32),
        np.zeros(3, np.float32),
        ONE,
    )
    return flat, vectors


def test_a_vector_equal_to_a_document_gets_its_coordinates():
    flat, vectors = circle(40)
    for leave_out in (None, np.full(40, -1)):
        np.testing.assert_allclose(
            knn_project(flat, vectors, vectors, 2, leave_out), vectors, atol=0.02
        )


def test_a_document_does_not_attract_its_own_vector():
    flat, vectors = circle(8)
    flat.umap[2][3] = [50, 50]
    placed = knn_project(flat, vectors, vectors[[3, 3]], 2, np.array([3, -1]))
    assert float(np.abs(placed[0]).max()) < 1
    assert float(placed[1].min()) > 45


def test_coordinates_are_a_mean_of_neighbours_weighted_by_similarity():
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    coordinates = np.array([[0, 0], [4, 0], [0, 4]], np.float32)
    flat = CorpusMap(
        {2: coordinates},
        np.zeros(3, np.float32),
        np.zeros((3, 3), np.float32),
        np.zeros(3, np.float32),
        ONE,
    )
    # cosines .8, .6, 0: distances .2, .4, 1, weights 5, 2.5, 1
    placed = knn_project(flat, vectors, np.array([[0.8, 0.6, 0]], np.float32), 2)
    np.testing.assert_allclose(placed, [[4 * 2.5 / 8.5, 4 * 1 / 8.5]], atol=1e-5)
    alone = CorpusMap({2: coordinates[:1]}, flat.pca_mean, flat.pca_axes, flat.pca_share, ONE)
    np.testing.assert_array_equal(
        knn_project(alone, vectors[:1], vectors[:1], 2, np.array([0])), [[0, 0]]
    )


@pytest.mark.usefixtures("_no_umap")
def test_an_arrow_starts_where_the_map_places_the_unmoved_vector():
    ranker = World(seed=6, n=10, m=8, documents=30, queries=1, candidates=10).ranker()
    comparison, positions = ranker.compare("q0"), np.array([1, 4, 7])
    projected = ranker.transform.projected.numpy()
    flat = fit_map(projected, ranker.collection.dataset.documents)
    drawn = umap_movement(flat, projected, comparison, ranker.collection.dataset, positions, 2)
    rows = comparison.rows[positions]
    np.testing.assert_allclose(
        drawn.start, knn_project(flat, projected, projected[rows], 2, rows), atol=1e-5
    )
    moved = comparison.modulation.modulated_documents.numpy()[positions]
    np.testing.assert_allclose(drawn.end, knn_project(flat, projected, moved, 2, rows), atol=1e-5)
    distances = np.linalg.norm(drawn.start - flat.umap[2][rows], axis=1)
    error = placement_error(flat, comparison, positions, drawn.start)
    assert error == pytest.approx(np.median(distances))
    assert error > 0
    np.testing.assert_allclose(drawn.true, true_movement(comparison)[positions], atol=1e-7)
    queries = np.stack(
        [
            comparison.modulation.projected_query.numpy(),
            comparison.modulation.modulated_query.numpy(),
        ]
    )
    np.testing.assert_allclose(
        [drawn.query_start, drawn.query_end],
        knn_project(flat, projected, queries, 2),
        atol=1e-6,
    )


@pytest.mark.usefixtures("_no_umap")
def test_without_movement_the_arrows_have_no_length_and_are_no_better_than_chance():
    ranker = World(seed=6, n=10, m=8, documents=30, queries=1, candidates=10).ranker()
    projected = ranker.transform.projected.numpy()
    flat = fit_map(projected, ranker.collection.dataset.documents)
    still = unmoved(ranker.compare("q0"))
    for drawn in (
        umap_movement(flat, projected, still, ranker.collection.dataset, np.arange(10), 2),
        pca_movement(flat, still, ranker.collection.dataset, np.arange(10), 2),
    ):
        np.testing.assert_array_equal(drawn.end, drawn.start)
        np.testing.assert_allclose(drawn.true, 0, atol=1e-6)
        assert drawn.agreement.direction_p == 1.0
        assert not drawn.agreement.better_than_chance


def test_the_arrows_of_an_exact_map_agree_with_the_true_movement(
    monkeypatch: pytest.MonkeyPatch,
):
    """In three dimensions, PCA shows the whole movement."""
    # with so few dimensions, many documents are as close as copies are with 384
    monkeypatch.setattr(movement, "NEAR_COPY", 1.1)
    ranker = World(seed=2, n=3, m=3, documents=60, queries=1, candidates=40).ranker()
    comparison, projected = ranker.compare("q0"), ranker.transform.projected.numpy()
    _, _, axes = np.linalg.svd(projected - projected.mean(0), full_matrices=False)
    exact = CorpusMap({}, projected.mean(0), axes, np.ones(3, np.float32), ONE)
    drawn = pca_movement(exact, comparison, ranker.collection.dataset, np.arange(20), 3)
    assert visible_share(comparison, np.arange(20), drawn) == pytest.approx(1, abs=1e-5)
    assert drawn.agreement.length == pytest.approx(1, abs=1e-6)
    # not 1: the map compares distances, the truth compares cosines
    assert drawn.agreement.direction > 0.85
    assert drawn.agreement.better_than_chance


def test_pages_of_one_template_count_once_whatever_their_vectors():
    page = "Open a ticket under Network, install the client and sign in with your badge number. "
    pages = [
        Document(f"d{n}", "", text)
        for n, text in enumerate(
            [page + "Rule 1 holds.", page + "Rule 2 holds.", "Meals are capped at 60 euros a day."]
        )
    ]
    apart, close = np.eye(3, dtype=np.float32), np.full((3, 1), 1, np.float32)
    first, second, other = movement.near_copies(pages, apart).tolist()
    assert first == second != other
    assert len(set(movement.near_copies(pages, close).tolist())) == 1


# On disk


def test_save_and_load(tmp_path: Path):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=s).astype(np.float32) for s in ((5, 2), (5, 3), (4,), (3, 4), (3,))]
    path = tmp_path / "maps" / "a.npz"
    save_map(
        CorpusMap(
            {2: arrays[0], 3: arrays[1]},
            *arrays[2:],
            Clusters(np.array([0, 1, 1, 0, 2]), ("a, b", "<c>", "ü")),
        ),
        path,
    )
    loaded_map = load_map(path)
    loaded = [
        loaded_map.umap[2],
        loaded_map.umap[3],
        loaded_map.pca_mean,
        loaded_map.pca_axes,
        loaded_map.pca_share,
    ]
    for a, b in zip(loaded, arrays, strict=True):
        np.testing.assert_array_equal(a, b)
    assert loaded_map.clusters.labels.tolist() == [0, 1, 1, 0, 2]
    assert loaded_map.clusters.names == ("a, b", "<c>", "ü")
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "raw",
    [b"rubbish", b"", b"PK\x03\x04rubbish"],
)
def test_a_file_that_is_not_a_map(tmp_path: Path, raw: bytes):
    (tmp_path / "a.npz").write_bytes(raw)
    with pytest.raises(
        DataError, match=r"a\.npz: not a map \(.*\); delete it; it will be computed again$"
    ):
        load_map(tmp_path / "a.npz")


def test_a_map_belongs_to_a_fingerprint_and_a_projector():
    first, second = random_model(0, 8, 8), random_model(1, 8, 8)
    key = map_key(adapter(first), "a")
    assert key == map_key(adapter(first, ["d1"], "another name"), "a")
    assert len({key, map_key(adapter(second), "a"), map_key(adapter(first), "b")}) == 3
    same_projector = random_model(1, 8, 8)
    same_projector.projector.load_state_dict(first.projector.state_dict())
    assert map_key(adapter(same_projector), "a") == key


def test_the_sample_ships_the_map_of_its_adapter(sample: Collection):
    workspace = Workspace()
    ranker = Ranker(sample, workspace.adapter("sample-adapter"))
    path = workspace.map_paths(map_key(ranker.adapter, sample.fingerprint))[1]
    assert path.is_file(), "the shipped map is stale: run make sample"
    shipped, projected = load_map(path), ranker.transform.projected.numpy()
    for d in (2, 3):
        coordinates = shipped.umap[d]
        assert coordinates.shape == (len(projected), d)
        np.testing.assert_allclose(coordinates.min(0), 0, atol=1e-6)
        np.testing.assert_allclose(coordinates.max(), 1, atol=1e-6)
        # a neighbour on the map is mostly one of the 15 true neighbours
        map_distance = np.linalg.norm(
            coordinates[:, None] - coordinates[None], axis=-1
        ) + 9 * np.eye(len(coordinates))
        true = np.argsort(-(projected @ projected.T - 9 * np.eye(len(coordinates))), axis=1)[:, :15]
        assert (true == map_distance.argmin(1)[:, None]).any(1).mean() > 0.6
    np.testing.assert_allclose(shipped.pca_mean, projected.mean(0), atol=1e-5)
