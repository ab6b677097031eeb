"""The modulated ranking of a whole corpus from two searches of a vector store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from imrnns_core.config import SearchConfig
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix, unit
from imrnns_core.data.records import Document, Query
from imrnns_core.model.effective_query import effective_query
from imrnns_core.model.scoring import score_modulated
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.stores.address import parse_address
from imrnns_core.retrieval.stores.opening import open_store
from imrnns_core.retrieval.stores.store import VectorStore
from tests.retrieval.stores.stored import DIMENSION
from tests.toys import FakeEncoder, adapter, random_model

CANDIDATES, TOP = 8, 3


def collection_of(store: VectorStore) -> Collection:
    """Return the documents and vectors of a store, with three random queries."""
    ids = store.ids
    queries = {f"q{i}": Query(f"q{i}", f"question {i}") for i in range(3)}
    documents = tuple(Document(i, "", i) for i in ids)
    vectors = np.random.default_rng(9).normal(size=(3, DIMENSION)).astype(np.float32)
    return Collection(
        Dataset("stored", Path("stored"), documents, queries, {}),
        EmbeddingMatrix(ids, store.vectors(ids)),
        EmbeddingMatrix(tuple(queries), vectors),
        FakeEncoder(dimension=DIMENSION),
    )


def check_effective_query(address: str) -> None:
    """Compare the top of the engine with that of two searches of the store and exact scores."""
    with open_store(parse_address(address)) as store:
        collection = collection_of(store)
        for seed in range(4):
            # with γ, β and a projector bias
            model = random_model(seed, DIMENSION, DIMENSION)
            ranker = Ranker(collection, adapter(model), SearchConfig(CANDIDATES, TOP, "corpus"))
            for query_id in collection.dataset.queries:
                compared = ranker.compare(query_id)
                expected = [hit.document_id for hit in compared.ranking("modulated", TOP)]
                assert _served(store, ranker, query_id) == expected


def _served(store: VectorStore, ranker: Ranker, query_id: str) -> list[str]:
    """Return the modulated top of the corpus, which only the store searches."""
    model, vector = ranker.adapter.model, ranker.collection.query_vectors([query_id])
    base = [i for i, _ in store.search(unit(vector)[0], CANDIDATES)]
    rows = ranker.collection.documents.rows(base)
    with torch.inference_mode():
        query = model.project(torch.from_numpy(vector))
        means = ranker.transform.effect[rows].mean(0, keepdim=True).chunk(2, dim=-1)
        refined = torch.nn.functional.normalize(model.refine_query(query, *means), dim=-1)
        q_eff = effective_query(model, *model.query_adapter(query), refined).base.numpy()[0]
        # the pool is so large that random factors, which vary widely, hide no document
        pool = sorted({*base, *(i for i, _ in store.search(unit(q_eff), len(store.ids) - 5))})
        rows = ranker.collection.documents.rows(pool)
        scores = score_modulated(
            model, ranker.transform, torch.from_numpy(rows)[None], query, refined
        )
    return [pool[i] for i in np.argsort(-scores[0].numpy())[:TOP]]
