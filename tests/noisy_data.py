"""A data set whose training takes seconds, for the tests of trainings in processes of their own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings, unit

QUERIES = 200


def write_noisy_data(folder: Path, dimension: int = 128, queries: int = QUERIES) -> Path:
    """Write a data set on which the reference recipe has something to learn.

    Training takes some seconds, with 600 queries and 384 dimensions about twenty. There are twice
    as many documents.
    """
    rng = np.random.default_rng(0)
    (folder / "qrels").mkdir(parents=True)
    documents = unit(rng.normal(size=(2 * queries, dimension)).astype(np.float32))
    asked_vectors = documents[:queries].copy()
    asked_vectors[:, dimension // 2 :] = 0.25 * rng.normal(size=(queries, dimension // 2))
    save_embeddings(
        EmbeddingMatrix(tuple(f"d{i}" for i in range(2 * queries)), documents),
        folder,
        "documents",
        "document",
    )
    save_embeddings(
        EmbeddingMatrix(tuple(f"q{i}" for i in range(queries)), asked_vectors),
        folder,
        "queries",
        "query",
    )
    corpus = "".join(
        json.dumps({"_id": f"d{i}", "title": "", "text": f"text {i}"}) + "\n"
        for i in range(2 * queries)
    )
    (folder / "corpus.jsonl").write_text(corpus, encoding="utf-8")
    asked = "".join(
        json.dumps({"_id": f"q{i}", "text": f"question {i}"}) + "\n" for i in range(queries)
    )
    (folder / "queries.jsonl").write_text(asked, encoding="utf-8")
    judged = "".join(f"q{i}\td{i}\t1\n" for i in range(queries))
    (folder / "qrels" / "train.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + judged, encoding="utf-8"
    )
    return folder
