"""Subject clusters of a corpus, named by their most distinctive words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imrnns_core.text.stemming import stem
from imrnns_core.text.stop_words import stop_words
from imrnns_core.types import FloatArray, IntArray

MAX_CLUSTERS = 12
"""More clusters could not be distinguished by colour and name."""
NAME_WORDS = 3
"""Maximum number of words in the name of a cluster."""
SEED = 42


@dataclass(frozen=True)
class Clusters:
    """N documents in C clusters, in order of descending size.

    Attributes:
        labels: (N,) cluster of each document.
        names: (C,) names of the clusters.
    """

    labels: IntArray
    names: tuple[str, ...]


def find_clusters(vectors: FloatArray, texts: Sequence[str]) -> Clusters:
    """Cluster unit vectors (N, m) by k-means, and name the clusters by class-based TF-IDF."""
    # heuristic: the number of clusters grows with the square root of the number of documents
    count = int(min(MAX_CLUSTERS, max(1, round((len(vectors) / 5) ** 0.5))))
    if count < 2:
        return Clusters(np.zeros(len(vectors), np.int64), ("all documents",))
    from sklearn.cluster import MiniBatchKMeans  # takes a second to import

    k_means = MiniBatchKMeans(count, random_state=SEED, n_init=5, batch_size=1024)
    # k-means may leave clusters empty; the others are numbered by descending size
    non_empty, labels, sizes = np.unique(
        k_means.fit_predict(vectors), return_inverse=True, return_counts=True
    )
    order = np.argsort(-sizes, kind="stable")
    rank_by_size = np.empty(len(non_empty), np.int64)
    rank_by_size[order] = np.arange(len(non_empty))
    labels = rank_by_size[labels]
    return Clusters(labels, name_clusters(texts, labels))


def name_clusters(texts: Sequence[str], labels: IntArray) -> tuple[str, ...]:
    """Return a name for each cluster: the words with the largest class-based TF-IDF.

    Source: Grootendorst, "BERTopic", 2022, section 3.3. The weight of a word is √tf · log(1 + A/f).
    Here tf is the word's share of all words in the cluster, f its frequency in all clusters and A
    the mean number of words per cluster. The root is BERTopic's option `reduce_frequent_words`.

    Args:
        texts: N texts.
        labels: (N,) cluster of each text.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    count = int(labels.max()) + 1
    min_documents = 3 if len(texts) >= 100 else 1
    vectorizer: Any = CountVectorizer(
        stop_words=sorted(stop_words()),
        token_pattern=r"(?u)\b[^\W\d_]\w{2,}\b",
        min_df=min_documents,
        max_df=0.8 if len(texts) >= 20 else 1.0,
        dtype=np.float32,
    )
    try:
        words = vectorizer.fit_transform(texts)
    except ValueError:  # all words are too rare, too frequent or stop words
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
    """Return the words with the largest weights, one word per stem, joined by commas."""
    word_of_stem: dict[str, str] = {}
    for word, weight in zip(words, weights, strict=True):
        if weight > 0 and len(word_of_stem) < NAME_WORDS:
            word_of_stem.setdefault(stem(str(word)), str(word))
    return ", ".join(word_of_stem.values()) or f"cluster {number + 1}"
