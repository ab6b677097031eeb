"""Subject clusters of a corpus, named by the words that set them apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imrnns_core.text.stemming import stem
from imrnns_core.text.stop_words import stop_words
from imrnns_core.types import FloatArray, IntArray

MAX_CLUSTERS = 12
"""More could neither be coloured nor named so that people tell them apart."""
NAME_WORDS = 3
SEED = 42


@dataclass(frozen=True)
class Clusters:
    """N documents in C clusters, the largest first.

    `labels` (N,) and a readable name for each cluster.
    """

    labels: IntArray
    names: tuple[str, ...]


def find_clusters(vectors: FloatArray, texts: Sequence[str]) -> Clusters:
    """Cluster (N, m) unit vectors by k-means; name each cluster by class-based TF-IDF."""
    count = int(min(MAX_CLUSTERS, max(1, round((len(vectors) / 5) ** 0.5))))
    if count < 2:
        return Clusters(np.zeros(len(vectors), np.int64), ("all documents",))
    from sklearn.cluster import MiniBatchKMeans  # takes a second to import

    found = MiniBatchKMeans(count, random_state=SEED, n_init=5, batch_size=1024).fit_predict(
        vectors
    )
    kept, labels, sizes = np.unique(found, return_inverse=True, return_counts=True)
    order = np.argsort(-sizes, kind="stable")
    position = np.empty(len(kept), np.int64)
    position[order] = np.arange(len(kept))
    labels = position[labels]
    return Clusters(labels, name_clusters(texts, labels))


def name_clusters(texts: Sequence[str], labels: IntArray) -> tuple[str, ...]:
    """Return a name for each cluster: the words with the largest class-based TF-IDF.

    √tf · log(1 + A / f), where tf is a word's share of its cluster, f its frequency in all clusters
    and A the mean number of words of a cluster (Grootendorst, "BERTopic", 2022, section 3.3). The
    root is that of BERTopic's `reduce_frequent_words`.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    count = int(labels.max()) + 1
    rare = 3 if len(texts) >= 100 else 1
    vectorizer: Any = CountVectorizer(
        stop_words=sorted(stop_words()),
        token_pattern=r"(?u)\b[^\W\d_]\w{2,}\b",
        min_df=rare,
        max_df=0.8 if len(texts) >= 20 else 1.0,
        dtype=np.float32,
    )
    try:
        words = vectorizer.fit_transform(texts)
    except ValueError:  # no word is left
        return tuple(f"cluster {c + 1}" for c in range(count))
    vocabulary = vectorizer.get_feature_names_out()
    counts = np.stack(
        [np.asarray(words[labels == c].sum(axis=0)).ravel() for c in range(count)]
    )  # (C, words)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    weight = np.sqrt(share) * np.log1p(counts.sum() / count / counts.sum(axis=0))
    return tuple(
        _name(vocabulary[np.argsort(-row)[:20]], row[np.argsort(-row)[:20]], c)
        for c, row in enumerate(weight)
    )


def _name(words: Any, weights: Any, number: int) -> str:
    """Join the words with the largest weights, one word of each stem."""
    chosen: dict[str, str] = {}  # stem → word
    for word, weight in zip(words, weights, strict=True):
        if weight > 0 and len(chosen) < NAME_WORDS:
            chosen.setdefault(stem(str(word)), str(word))
    return ", ".join(chosen.values()) or f"cluster {number + 1}"
