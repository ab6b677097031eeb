"""UMAP and PCA maps of a corpus; see docs/method.md, "Maps and their noise"."""

from __future__ import annotations

import hashlib
import importlib.util
import threading
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.records import Document
from imrnns_core.errors import DataError, MissingExtraError
from imrnns_core.io import atomic_write
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.projection.clusters import Clusters, find_clusters
from imrnns_core.types import FloatArray, IntArray

NEIGHBOURS = 15
"""Neighbours of a document in UMAP and in the projection of new vectors."""
SEED = 42
SCHEMA = 2
"""Part of a map's file name, so a map of an older schema is computed again."""
_UMAP_LOCK = threading.Lock()  # concurrent calls of numba's workqueue abort the process


@dataclass(frozen=True)
class CorpusMap:
    """Maps of N documents by their projected embeddings (m dimensions).

    Attributes:
        umap: Dimensions (2 or 3) → coordinates (N, dimensions). The longest side of the map is 1.
        pca_mean: (m,) mean of the projected documents.
        pca_axes: (3, m) principal axes.
        pca_share: (3,) share of the variance along each axis.
        clusters: The subject clusters of the documents.
    """

    umap: dict[int, FloatArray]
    pca_mean: FloatArray
    pca_axes: FloatArray
    pca_share: FloatArray
    clusters: Clusters

    def pca_project(self, vectors: FloatArray, dimensions: int) -> FloatArray:
        """Return the exact PCA coordinates (R, dimensions) of any vectors (R, m)."""
        return np.asarray(
            (vectors - self.pca_mean) @ self.pca_axes[:dimensions].T, dtype=np.float32
        )


def map_key(adapter: Adapter | None, fingerprint: str) -> str:
    """Return the key of the map for a collection's fingerprint and an adapter's projector.

    Without an adapter, the map is that of the base embeddings.
    """
    sha = hashlib.sha256(f"{SCHEMA} {SEED} {NEIGHBOURS} {fingerprint}".encode())
    projector = () if adapter is None else adapter.model.projector.parameters()
    for parameter in projector:
        sha.update(parameter.detach().numpy().tobytes())
    return sha.hexdigest()[:16]


def fit_map(projected: FloatArray, documents: Sequence[Document]) -> CorpusMap:
    """Compute the UMAP and PCA maps and the clusters of projected documents (N, m).

    It takes seconds for hundreds of documents, and about a minute for 5,000 on two cores.

    Raises:
        MissingExtraError: If umap-learn is not installed.
    """
    if importlib.util.find_spec("umap") is None:  # before the slow computations
        raise MissingExtraError("making a map", "maps")
    mean = projected.mean(axis=0)
    _, singular, axes = np.linalg.svd(projected - mean, full_matrices=False)
    variance = singular**2
    padded = np.zeros((3, projected.shape[1]), np.float32)
    # fewer than three documents have fewer than three axes
    padded[: min(3, len(axes))] = axes[:3]
    share = np.zeros(3, np.float32)
    share[: min(3, len(variance))] = (variance / max(float(variance.sum()), 1e-12))[:3]
    clusters = find_clusters(projected, [f"{d.title} {d.text}" for d in documents])
    return CorpusMap(
        {d: _umap(projected, d) for d in (2, 3)}, mean.astype(np.float32), padded, share, clusters
    )


def _umap(vectors: FloatArray, dimensions: int) -> FloatArray:
    """Return UMAP coordinates (N, dimensions) of vectors (N, m); the longest side is 1."""
    if len(vectors) < dimensions + 3:  # too few for a neighbourhood graph
        return np.zeros((len(vectors), dimensions), np.float32)
    with _UMAP_LOCK:
        from umap import UMAP  # takes seconds to import

        reducer: Any = UMAP(
            n_components=dimensions,
            n_neighbors=min(NEIGHBOURS, len(vectors) - 1),
            metric="cosine",
            random_state=SEED,
            n_jobs=1,
        )
        coordinates = np.array(reducer.fit_transform(vectors), dtype=np.float32)
    coordinates -= coordinates.min(axis=0)
    return np.asarray(coordinates / max(float(coordinates.max()), 1e-12), dtype=np.float32)


def save_map(corpus_map: CorpusMap, path: Path) -> None:
    """Write a map to a file, atomically."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary, temporary.open("wb") as handle:
        np.savez_compressed(
            handle,
            umap2=corpus_map.umap[2],
            umap3=corpus_map.umap[3],
            pca_mean=corpus_map.pca_mean,
            pca_axes=corpus_map.pca_axes,
            pca_share=corpus_map.pca_share,
            cluster_labels=corpus_map.clusters.labels.astype(np.int8),
            cluster_names=np.array(corpus_map.clusters.names),
        )


def load_map(path: Path) -> CorpusMap:
    """Read a map from a file.

    Raises:
        DataError: If the file is not a map.
    """
    try:
        with np.load(path, allow_pickle=False) as stored:
            clusters = Clusters(
                stored["cluster_labels"].astype(np.int64), tuple(stored["cluster_names"].tolist())
            )
            umap = {2: stored["umap2"], 3: stored["umap3"]}
            return CorpusMap(
                umap, stored["pca_mean"], stored["pca_axes"], stored["pca_share"], clusters
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(
            path, f"not a map ({error})", "delete it; it will be computed again"
        ) from None


def knn_project(
    corpus_map: CorpusMap,
    projected: FloatArray,
    vectors: FloatArray,
    dimensions: int,
    leave_out: IntArray | None = None,
) -> FloatArray:
    """Return UMAP coordinates (R, dimensions) of new unit vectors (R, m).

    The coordinates of a vector are the weighted mean over its nearest documents. UMAP starts new
    points in the same way. Its further optimisation is omitted: it depends on the other points of
    the batch, and it moves points whose vectors did not change (docs/method.md, "Maps and their
    noise").

    Args:
        corpus_map: The map.
        projected: (N, m) projected documents of the map.
        vectors: (R, m) unit vectors.
        dimensions: 2 or 3.
        leave_out: (R,) row of the document that each vector ignores, −1 for none.
    """
    similarity = vectors @ projected.T  # (R, N)
    if leave_out is not None:
        has_row = leave_out >= 0
        similarity[np.flatnonzero(has_row), leave_out[has_row]] = -2.0  # below any cosine
    count = min(NEIGHBOURS, projected.shape[0] - (1 if leave_out is not None else 0))
    if count < 1:
        return np.zeros((len(vectors), dimensions), np.float32)
    nearest = np.argpartition(-similarity, count - 1, axis=1)[:, :count]  # (R, count)
    distance = 1.0 - np.take_along_axis(similarity, nearest, axis=1)
    weights: NDArray[np.float64] = 1.0 / np.maximum(distance, 1e-4).astype(np.float64)
    weights /= weights.sum(axis=1, keepdims=True)
    return np.asarray(
        np.einsum("rk,rkd->rd", weights, corpus_map.umap[dimensions][nearest]), dtype=np.float32
    )
