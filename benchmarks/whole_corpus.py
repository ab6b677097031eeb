"""Measure the modulated ranking of a whole corpus: what its pools find, prove, and are worth.

    python -m benchmarks.whole_corpus sample --adapter sample-paper --split test
    python -m benchmarks.whole_corpus FOLDER --embeddings FOLDER --adapter FILE --split dev

The reference is the exact pass, which scores every document.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from imrnns_core.config import SearchConfig
from imrnns_core.model.scoring import refine, score_corpus
from imrnns_core.retrieval.batch import RankedBatch, ranked_ids
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import measure
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import IntArray, Qrels, Stage

MEASURES = ("nDCG@10", "R@100")


def main() -> None:
    """Print what the pools find and prove, and the measures of all rankings."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data")
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--split", default="dev")
    parser.add_argument("--embeddings", type=Path)
    parser.add_argument("--workspace", type=Path)
    options = parser.parse_args()
    workspace = Workspace(options.workspace)
    collection = workspace.open(workspace.resolve(options.data, options.embeddings))
    ranker = workspace.ranker(collection, options.adapter)
    qrels = collection.dataset.judged_queries(options.split)
    print(f"{ranker.adapter_name}, {options.split}: {len(qrels)} queries")
    _print_pools(ranker, tuple(qrels))
    _print_measures(ranker, qrels)


def _print_pools(ranker: Ranker, query_ids: tuple[str, ...]) -> None:
    """Print which share of the true top 10 each way finds, how it is proven, and its time."""
    config = SearchConfig(scope="corpus", exact_pass=False)
    true = exact_top(ranker, query_ids, config.top_k)
    ways = {
        "candidates": ranker.with_scope("candidates"),
        "corpus without exact pass": Ranker(ranker.collection, ranker.adapter, config),
        "corpus": Ranker(ranker.collection, ranker.adapter, replace(config, exact_pass=True)),
    }
    for name, way in ways.items():
        way.rank_queries(query_ids[:1])  # what is computed once per corpus
        start = time.perf_counter()
        batch = way.rank_queries(query_ids)
        milliseconds = 1000 * (time.perf_counter() - start) / len(query_ids)
        top = [rows[: config.top_k] for rows in batch.ranked_rows("modulated")]
        found = np.mean([len({*a} & {*b}) / len(b) for a, b in zip(top, true, strict=True)])
        print(f"  {name}: top {config.top_k} found {found:.4f}, {milliseconds:.2f} ms per query")
        for proof, number in batch.proofs.most_common():
            print(f"    {proof}: {number / len(query_ids):.3f}")


def exact_top(ranker: Ranker, query_ids: tuple[str, ...], k: int) -> list[IntArray]:
    """Return the rows of the true modulated top k of each query, by scores of all documents."""
    collection = ranker.collection
    if collection.passages is not None:
        raise SystemExit("this benchmark does not choose passages; prepare without --passages")
    vectors, model = collection.query_vectors(query_ids), ranker.adapter.model
    candidates = collection.candidates(vectors, ranker.config.candidates, query_ids)
    own = collection.dataset.left_out_rows(query_ids)
    with torch.inference_mode():
        query = model.project(torch.from_numpy(vectors))
        refined = refine(model, ranker.transform, query, torch.from_numpy(candidates))
        scores = score_corpus(model, ranker.transform, query, refined).numpy()
    if own is not None:
        scores[np.flatnonzero(own >= 0), own[own >= 0]] = -np.inf
    ties = np.broadcast_to(collection.tie_ranks, scores.shape)
    return list(np.lexsort((ties, -scores), axis=-1)[:, :k])


def _print_measures(ranker: Ranker, qrels: Qrels) -> None:
    narrow = ranker.with_scope("candidates").rank_queries(tuple(qrels))
    wide = ranker.with_scope("corpus").rank_queries(tuple(qrels))
    systems: dict[str, tuple[RankedBatch, Stage]] = {
        "base": (wide, "base"),
        "modulated, candidates": (narrow, "modulated"),
        "modulated, corpus": (wide, "modulated"),
    }
    for name, (batch, stage) in systems.items():
        ranking = ranked_ids(ranker.collection.dataset, tuple(qrels), batch.ranked_rows(stage))
        means = measure(MEASURES, qrels, ranking).values.mean(axis=0)
        print(
            f"  {name}: " + ", ".join(f"{m} {x:.4f}" for m, x in zip(MEASURES, means, strict=True))
        )


if __name__ == "__main__":
    main()
