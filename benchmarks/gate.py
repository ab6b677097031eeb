"""How often `imrnns-lens gate` raises an alarm without a fault, and how often it finds one.

Run: python -m benchmarks.gate DATA [--adapter NAME] [--runs 200]

A run without a fault rounds the vectors to float16 (or not), adds noise of the size that other
batch sizes and threads cause, and puts the documents in another order. The faults are: wrong
vectors for 5 % of the documents, documents of which only the first words were encoded, and queries
encoded with a prefix that the encoder does not know.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.records import Document
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.evaluation.gate import NewFailure, new_failures
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray

BATCH_NOISE = 1e-6
"""Standard deviation of a component of a unit vector between batch sizes and numbers of threads."""
WRONG_SHARE = 0.05
FIRST_WORDS = 8
PREFIX = "Represent this sentence for searching relevant passages: "


def harmless(collection: Collection, seed: int) -> Collection:
    """Return the collection with vectors and order as another machine would make them."""
    generator = np.random.default_rng(seed)

    def rounded(vectors: FloatArray) -> FloatArray:
        noisy = vectors + BATCH_NOISE * generator.normal(size=vectors.shape).astype(np.float32)
        return noisy.astype(np.float16).astype(np.float32) if seed % 2 else noisy

    order = generator.permutation(len(collection.documents))
    documents, queries = collection.documents, collection.queries
    own = [collection.dataset.documents[i] for i in order.tolist()]
    return replace(
        collection,
        dataset=replace(collection.dataset, documents=tuple(own)),
        documents=EmbeddingMatrix(tuple(d.id for d in own), rounded(documents.vectors[order])),
        queries=EmbeddingMatrix(queries.ids, rounded(queries.vectors)),
    )


def wrong_vectors(collection: Collection, seed: int) -> Collection:
    """Exchange the vectors of some documents among them, as after a shift of ids."""
    generator, documents = np.random.default_rng(seed), collection.documents
    count = max(2, round(WRONG_SHARE * len(documents)))
    chosen = generator.choice(len(documents), count, replace=False)
    vectors = documents.vectors.copy()
    vectors[chosen] = vectors[np.roll(chosen, 1)]
    return replace(collection, documents=EmbeddingMatrix(documents.ids, vectors))


def cut_documents(collection: Collection, seed: int) -> Collection:
    """Encode only the first words of half of the documents."""
    generator, documents = np.random.default_rng(seed), collection.documents
    chosen = generator.choice(len(documents), len(documents) // 2, replace=False)
    texts = [collection.dataset.documents[i] for i in chosen.tolist()]
    cut = [Document(d.id, "", " ".join(d.text.split()[:FIRST_WORDS])) for d in texts]
    vectors = documents.vectors.copy()
    vectors[chosen] = collection.encoder.encode_documents(cut)
    return replace(collection, documents=EmbeddingMatrix(documents.ids, vectors))


def wrong_prefix(collection: Collection, seed: int) -> Collection:
    """Encode the queries with a prefix of another encoder."""
    queries = collection.queries
    texts = [collection.dataset.queries[i].text for i in queries.ids]
    encoded = collection.encoder.encode_queries([PREFIX + text for text in texts])
    return replace(collection, queries=EmbeddingMatrix(queries.ids, encoded))


FAULTS = (wrong_vectors, cut_documents, wrong_prefix)


def record_of(evaluation: Evaluation) -> dict[str, object]:
    """Return the record that `imrnns-lens evaluate --json` writes."""
    record: dict[str, object] = json.loads(json.dumps(evaluation.to_json()))
    return record


def alarms(
    collection: Collection,
    adapter: Adapter | None,
    split: str,
    change: Callable[[Collection, int], Collection],
    seed: int,
) -> list[NewFailure]:
    """Return the new failures of a changed collection."""
    earlier = record_of(evaluate(Ranker(collection, adapter), split))
    changed = change(collection, seed)
    now = evaluate(Ranker(changed, adapter), split)
    return new_failures(now, earlier, changed.documents.row)


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--adapter", default="none")
    parser.add_argument("--split", default="test")
    parser.add_argument("--runs", type=int, default=200)
    arguments = parser.parse_args()
    space = Workspace()
    collection = space.open(space.resolve(arguments.data))
    adapter = space.ranker(collection, arguments.adapter).optional_adapter
    for name, change, runs in (
        ("no fault", harmless, arguments.runs),
        *((fault.__name__.replace("_", " "), fault, 20) for fault in FAULTS),
    ):
        found = [
            len(alarms(collection, adapter, arguments.split, change, seed)) for seed in range(runs)
        ]
        share = np.mean([count > 0 for count in found])
        print(f"{name}: an alarm in {share:.1%} of {runs} runs, {np.mean(found):.1f} queries")


if __name__ == "__main__":
    main()
