"""UMAP and PCA maps of a corpus, computed once and kept. docs/method.md, "Maps and their noise"."""

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
SEED = 42
SCHEMA = 2
"""Goes into the name of a map: one of another make is not found, and made again."""
_UMAP_LOCK = threading.Lock()  # numba's workqueue layer aborts on concurrent calls


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

    def pca_project(self, vectors: FloatArray, dimensions: int) -> FloatArray:
        """Return the (R, dimensions) PCA places of (R, m) vectors; exact for any vector."""
        return np.asarray(
            (vectors - self.pca_mean) @ self.pca_axes[:dimensions].T, dtype=np.float32
        )


def map_key(adapter: Adapter, fingerprint: str) -> str:
    """Return a name for the map of a collection's fingerprint under an adapter's projector."""
    sha = hashlib.sha256(f"{SCHEMA} {SEED} {NEIGHBOURS} {fingerprint}".encode())
    for parameter in (adapter.model.projector.weight, adapter.model.projector.bias):
        sha.update(parameter.detach().numpy().tobytes())
    return sha.hexdigest()[:16]


def fit_map(projected: FloatArray, documents: Sequence[Document]) -> CorpusMap:
    """Lay out (N, m) projected documents by UMAP, in two and three dimensions, and by PCA.

    Find and name their clusters.

    Takes seconds for hundreds and about a minute for 5,000 documents on two cores. Raises
    MissingExtraError where umap-learn is not installed.
    """
    if importlib.util.find_spec("umap") is None:  # said before anything is computed
        raise MissingExtraError("making a map", "maps")
    mean = projected.mean(axis=0)
    _, singular, axes = np.linalg.svd(projected - mean, full_matrices=False)
    variance = singular**2
    padded = np.zeros((3, projected.shape[1]), np.float32)
    padded[: min(3, len(axes))] = axes[:3]
    share = np.zeros(3, np.float32)
    share[: min(3, len(variance))] = (variance / max(float(variance.sum()), 1e-12))[:3]
    clusters = find_clusters(projected, [f"{d.title} {d.text}" for d in documents])
    return CorpusMap(
        {d: _umap(projected, d) for d in (2, 3)}, mean.astype(np.float32), padded, share, clusters
    )


def _umap(vectors: FloatArray, dimensions: int) -> FloatArray:
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
        places = np.array(reducer.fit_transform(vectors), dtype=np.float32)
    places -= places.min(axis=0)
    return np.asarray(places / max(float(places.max()), 1e-12), dtype=np.float32)


def save_map(corpus_map: CorpusMap, path: Path) -> None:
    """Write a map, at once or not at all."""
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
    """Read a map; DataError if the file is not one."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            clusters = Clusters(
                stored["cluster_labels"].astype(np.int64), tuple(stored["cluster_names"].tolist())
            )
            places = {2: stored["umap2"], 3: stored["umap3"]}
            return CorpusMap(
                places, stored["pca_mean"], stored["pca_axes"], stored["pca_share"], clusters
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(path, f"not a map ({error})", "delete it; it will be made again") from None


def knn_project(
    corpus_map: CorpusMap,
    projected: FloatArray,
    vectors: FloatArray,
    dimensions: int,
    leave_out: IntArray | None = None,
) -> FloatArray:
    """Return (R, dimensions) UMAP places of new (R, m) unit vectors.

    The mean place of their nearest documents, nearer ones counting more.

    This is where UMAP itself starts a new point. Its further optimisation is left out: it depends
    on the other points of the batch, and moves points that did not move
    (docs/method.md, "Maps and their noise").

    Args:
        corpus_map: The map.
        projected: (N, m) the documents it was made of.
        vectors: (R, m) unit vectors.
        dimensions: 2 or 3.
        leave_out: (R,) rows that do not attract their own vector, −1 for none.
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
    return np.asarray(
        np.einsum("rk,rkd->rd", weights, corpus_map.umap[dimensions][nearest]), dtype=np.float32
    )
