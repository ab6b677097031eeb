"""Pictures of a move in a plane, and how far to trust them (METHOD, "Maps").

The target view is exact. UMAP and PCA are pictures: the true movement and the map's own noise floor
stand beside them.
"""

from __future__ import annotations

import hashlib
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.checkpoint import Adapter
from imrnns_core.clusters import Clusters, find_clusters
from imrnns_core.errors import DataError
from imrnns_core.files import replacing
from imrnns_core.records import Comparison, Document, FloatArray, IntArray

NEIGHBOURS = 15
SEED = 42
SCHEMA = 2
"""Goes into the name of a map: one of another make is not found, and made again."""
_UMAP_LOCK = threading.Lock()  # numba's workqueue layer aborts on concurrent calls


@dataclass(frozen=True)
class TargetView:
    """R candidates around the query: `radius` (4, R) true angle to the query in degrees at each stage, `direction` (R,) in degrees.

    Neighbouring directions are similar documents; only the radius is a measurement.
    """

    radius: FloatArray
    direction: FloatArray


@dataclass(frozen=True)
class CorpusMap:
    """Places of N documents in the adapter's working space (projected embeddings, m dimensions).

    Attributes:
        umap: dimensions (2 or 3) → (N, dimensions), scaled to a unit box's longer side.
        pca_mean: (m,) mean of the projected documents.
        pca_axes: (3, m) principal axes.
        pca_share: (3,) share of the variance on each axis.
        clusters: The documents' subject clusters, with readable names.
    """

    umap: dict[int, FloatArray]
    pca_mean: FloatArray
    pca_axes: FloatArray
    pca_share: FloatArray
    clusters: Clusters

    def linear(self, vectors: FloatArray, dimensions: int) -> FloatArray:
        """Return the (R, dimensions) PCA places of (R, m) vectors; exact for any vector."""
        return np.asarray((vectors - self.pca_mean) @ self.pca_axes[:dimensions].T, dtype=np.float32)


@dataclass(frozen=True)
class Movement:
    """How far candidates moved, truly and as drawn.

    Attributes:
        true: (R,) cosine distance between projected and modulated embedding.
        drawn: (R,) length of the arrow, in the map's units.
        noise: (R,) how far the same documents would be drawn from their own places if they had not moved.
    """

    true: FloatArray
    drawn: FloatArray
    noise: FloatArray

    @property
    def within_noise(self) -> bool:
        """True where the median arrow is shorter than twice the median noise: then it shows nothing."""
        return bool(np.median(self.drawn) < 2 * np.median(self.noise))


def target_view(comparison: Comparison, positions: IntArray) -> TargetView:
    """Place candidates, positions (R,), by their true angle to the query, in the neighbourhood order of the documents."""
    radius = np.degrees(np.arccos(np.clip(comparison.scores[:, positions], -1.0, 1.0))).astype(np.float32)
    count = len(positions)
    direction = np.empty(count, dtype=np.float32)
    direction[neighbourhood_order(comparison.modulation.documents.numpy()[positions])] = np.arange(count) * 360.0 / count
    return TargetView(radius, direction)


def neighbourhood_order(vectors: FloatArray) -> IntArray:
    """Return an order (K,) of (K, n) vectors in which similar ones stand together (average linkage, optimal leaves)."""
    if len(vectors) < 3:
        return np.arange(len(vectors))
    from scipy.cluster.hierarchy import leaves_list, linkage

    return np.asarray(leaves_list(linkage(vectors, method="average", optimal_ordering=True)), dtype=np.int64)


def true_movement(comparison: Comparison) -> FloatArray:
    """Return (K,) cosine distance between each candidate's projected and modulated embedding."""
    modulation = comparison.modulation
    cosine = (modulation.projected_documents * modulation.modulated_documents).sum(-1)
    return np.asarray((1.0 - cosine).clamp_min(0.0).numpy())


def map_key(adapter: Adapter, fingerprint: str) -> str:
    """Return a name for the map of the collection with this fingerprint under this adapter's projector."""
    sha = hashlib.sha256(f"{SCHEMA} {SEED} {NEIGHBOURS} {fingerprint}".encode())
    for parameter in (adapter.model.projector.weight, adapter.model.projector.bias):
        sha.update(parameter.detach().numpy().tobytes())
    return sha.hexdigest()[:16]


def fit_map(projected: FloatArray, documents: Sequence[Document]) -> CorpusMap:
    """Lay out (N, m) projected documents by UMAP, in two and three dimensions, and by PCA; find and name their clusters.

    Takes seconds for hundreds and about a minute for 5,000 documents on two cores.
    """
    mean = projected.mean(axis=0)
    _, singular, axes = np.linalg.svd(projected - mean, full_matrices=False)
    variance = singular**2
    padded = np.zeros((3, projected.shape[1]), np.float32)
    padded[: min(3, len(axes))] = axes[:3]
    share = np.zeros(3, np.float32)
    share[: min(3, len(variance))] = (variance / max(float(variance.sum()), 1e-12))[:3]
    clusters = find_clusters(projected, [f"{d.title} {d.text}" for d in documents])
    return CorpusMap({d: _umap(projected, d) for d in (2, 3)}, mean.astype(np.float32), padded, share, clusters)


def _umap(vectors: FloatArray, dimensions: int) -> FloatArray:
    if len(vectors) < dimensions + 3:  # too few for a neighbourhood graph
        return np.zeros((len(vectors), dimensions), np.float32)
    with _UMAP_LOCK:
        from umap import UMAP  # takes seconds to import

        reducer: Any = UMAP(
            n_components=dimensions, n_neighbors=min(NEIGHBOURS, len(vectors) - 1), metric="cosine", random_state=SEED, n_jobs=1
        )
        places = np.array(reducer.fit_transform(vectors), dtype=np.float32)
    places -= places.min(axis=0)
    return np.asarray(places / max(float(places.max()), 1e-12), dtype=np.float32)


def save_map(corpus_map: CorpusMap, path: Path) -> None:
    """Write a map, at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(
            handle, umap2=corpus_map.umap[2], umap3=corpus_map.umap[3],
            pca_mean=corpus_map.pca_mean, pca_axes=corpus_map.pca_axes, pca_share=corpus_map.pca_share,
            cluster_labels=corpus_map.clusters.labels.astype(np.int8), cluster_names=np.array(corpus_map.clusters.names),
        )  # fmt: skip


def load_map(path: Path) -> CorpusMap:
    """Read a map; DataError if the file is not one."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            clusters = Clusters(stored["cluster_labels"].astype(np.int64), tuple(stored["cluster_names"].tolist()))
            places = {2: stored["umap2"], 3: stored["umap3"]}
            return CorpusMap(places, stored["pca_mean"], stored["pca_axes"], stored["pca_share"], clusters)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(path, f"not a map ({error})", "delete it; it will be made again") from None


def place(
    corpus_map: CorpusMap, projected: FloatArray, vectors: FloatArray, dimensions: int, leave_out: IntArray | None = None
) -> FloatArray:
    """Return (R, dimensions) UMAP places of new (R, m) unit vectors: the mean place of their nearest documents, nearer ones counting more.

    This is where UMAP itself starts a new point. Its further optimisation is left out: it depends on the
    other points of the batch, and moves points that did not move (METHOD, "Maps").

    Args:
        corpus_map: The map.
        projected: (N, m) the documents it was made of.
        vectors: (R, m) unit vectors.
        dimensions: 2 or 3.
        leave_out: (R,) rows that shall not attract their own vector, −1 for none.
    """
    similarity = vectors @ projected.T  # (R, N)
    if leave_out is not None:
        known = leave_out >= 0
        similarity[np.flatnonzero(known), leave_out[known]] = -2.0
    count = min(NEIGHBOURS, projected.shape[0] - (1 if leave_out is not None else 0))
    if count < 1:
        return np.zeros((len(vectors), dimensions), np.float32)
    nearest = np.argpartition(-similarity, count - 1, axis=1)[:, :count]  # (R, count)
    distance = 1.0 - np.take_along_axis(similarity, nearest, axis=1)
    weights: NDArray[np.float64] = 1.0 / np.maximum(distance, 1e-4).astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(np.einsum("rk,rkd->rd", weights, corpus_map.umap[dimensions][nearest]), dtype=np.float32)


@dataclass(frozen=True)
class Neighbourhood:
    """Where R candidates and the query of a comparison lie on the UMAP map, base and modulated."""

    base: FloatArray  # (R, d)
    modulated: FloatArray  # (R, d)
    query_base: FloatArray  # (d,)
    query_modulated: FloatArray  # (d,)
    movement: Movement


def neighbourhood(
    corpus_map: CorpusMap, projected: FloatArray, comparison: Comparison, positions: IntArray, dimensions: int
) -> Neighbourhood:
    """Place some candidates (positions (R,) in the comparison) and the query on the UMAP map.

    A candidate starts at its own place and ends where its modulated vector is placed; the document itself
    does not attract it, and the noise is what that rule does to a document that did not move.
    """
    modulation = comparison.modulation
    rows = comparison.rows[positions]
    base = corpus_map.umap[dimensions][rows]
    unmoved = place(corpus_map, projected, modulation.projected_documents.numpy()[positions], dimensions, rows)
    moved = place(corpus_map, projected, modulation.modulated_documents.numpy()[positions], dimensions, rows)
    queries = np.stack([modulation.projected_query.numpy(), modulation.modulated_query.numpy()])
    query_places = place(corpus_map, projected, queries, dimensions)
    movement = Movement(true_movement(comparison)[positions], np.linalg.norm(moved - base, axis=1), np.linalg.norm(unmoved - base, axis=1))
    return Neighbourhood(base, moved, query_places[0], query_places[1], movement)


def linear_movement(
    corpus_map: CorpusMap, comparison: Comparison, positions: IntArray, dimensions: int
) -> tuple[FloatArray, FloatArray, float]:
    """Return PCA places (R, d) of candidates at base and modulated, and the share of the squared true move that the axes show."""
    modulation = comparison.modulation
    start, end = modulation.projected_documents.numpy()[positions], modulation.modulated_documents.numpy()[positions]
    before, after = corpus_map.linear(start, dimensions), corpus_map.linear(end, dimensions)
    whole = float(((end - start) ** 2).sum())
    return before, after, float(((after - before) ** 2).sum()) / whole if whole > 0 else 0.0
