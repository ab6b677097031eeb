"""Measure the score q·d + weight × q·(best sentence of d) for several weights.

    python -m benchmarks.max_sim sample --splits train dev

Other data sets need sentence vectors first: `imrnns-lens prepare DATA --sentences`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from imrnns_core.config import SearchConfig
from imrnns_core.data.embeddings import unit
from imrnns_core.statistics.measures import measure
from imrnns_core.storage.sentences import stored_sentences
from imrnns_core.storage.workspace import Workspace

WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0)


def main() -> None:
    """Print nDCG@10 of each weight, for the base candidates of all queries of the splits."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--splits", nargs="+", default=["train", "dev"])
    options = parser.parse_args()
    workspace = Workspace(options.workspace)
    collection = workspace.open(workspace.resolve(options.data))
    sentences = stored_sentences(workspace.root, collection)
    if sentences is None:
        raise SystemExit(f"encode them first: imrnns-lens prepare {options.data} --sentences")
    dataset = collection.dataset
    qrels = {q: j for split in options.splits for q, j in dataset.judged_queries(split).items()}
    queries = unit(collection.query_vectors(tuple(qrels)))
    candidates = collection.index.search(queries, SearchConfig().candidates)
    # in the order of ties, which a stable sort keeps
    rows = np.take_along_axis(candidates, collection.tie_ranks[candidates].argsort(axis=1), axis=1)
    base = np.einsum("qkn,qn->qk", collection.unit_documents[rows], queries)
    best = np.stack([sentences.max_similarity(q, r) for q, r in zip(queries, rows, strict=True)])
    print(f"{len(qrels)} queries of {', '.join(options.splits)}; nDCG@10")
    for weight in WEIGHTS:
        order = np.argsort(-(base + weight * best), axis=1, kind="stable")[:, :10]
        ids = np.array(dataset.document_ids)[np.take_along_axis(rows, order, axis=1)]
        ranking = {q: ranked.tolist() for q, ranked in zip(qrels, ids, strict=True)}
        print(f"weight {weight:4.2f}  {measure(['nDCG@10'], qrels, ranking).values.mean():.4f}")


if __name__ == "__main__":
    main()
