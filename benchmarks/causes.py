"""How often a cause is shown: for the relevant documents of queries, and for random ones.

Run: python -m benchmarks.causes DATA [--adapter NAME] [--split SPLIT]

For a random document, a cause is a false one: the remedy does not know which document is expected.
One random candidate without a positive judgment is drawn for each query and each range of base
ranks. Then the advice to authors is tried on all queries.
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import numpy as np

from imrnns_core.remedies.advice import advise
from imrnns_core.remedies.causes import TriedRemedies, try_remedies
from imrnns_core.remedies.remedy import Search
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.alternatives import alternatives_of
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import Qrels, relevant_ids

RANGES = ((2, 3), (4, 10), (11, 30), (31, 100))
TOP = 10


def failing_line(qrels: Qrels, tried: list[TriedRemedies]) -> str:
    """Return how many failing queries have a remedy that works, and for how many it is shown."""
    failing = [own for own in tried if not 1 <= own.base_rank <= TOP]
    works = [own for own in failing if any(1 <= o.rank <= TOP for o in own.outcomes)]
    shown = [own for own in works if any(1 <= o.rank <= TOP for o in own.shown)]
    lower = [own for own in tried if own.base_rank != 1]
    return (
        f"{len(qrels)} queries, {len(lower)} not at rank 1: a cause for "
        f"{sum(bool(own.shown) for own in lower)}; {len(failing)} fail: some remedy brings "
        f"{len(works)} into the top {TOP}, a shown one {len(shown)}"
    )


def advice_line(search: Search, qrels: Qrels) -> str:
    """Return how often the words of the query bring the relevant document up, and random ones."""
    ranked = (
        (search.ranker.compare(query_id), relevant_ids(judged))
        for query_id, judged in qrels.items()
    )
    found = [advise(search.ranker, search.lexical, *own) for own in ranked]
    tried = [own for own in found if own is not None]
    failing = [own for own in tried if own.base_rank > TOP]
    draws = np.array([own.random_ranks for own in failing])
    better = [(own.random_ranks < own.base_rank).mean() for own in tried]
    return (
        f"advice: tried on {len(tried)} queries, shown for {sum(own.is_shown for own in tried)}; "
        f"a better rank for {sum(own.rank < own.base_rank for own in tried)}, with random words "
        f"for {np.mean(better):.1%}; {len(failing)} fail: {sum(o.rank <= TOP for o in failing)} "
        f"are in the top {TOP}, with random words {(draws <= TOP).mean():.1%}"
    )


def random_rates(search: Search, qrels: Qrels, seed: int) -> dict[tuple[int, int], tuple[int, int]]:
    """Return the random documents with a cause, and all of them, for each range of base ranks."""
    ids, generator = search.collection.dataset.document_ids, np.random.default_rng(seed)
    counts = defaultdict[tuple[int, int], list[int]](lambda: [0, 0])
    for low, high in RANGES:
        drawn = []
        for own, judged in zip(search.base, qrels.values(), strict=True):
            relevant = set(relevant_ids(judged))
            candidates = [ids[row] for row in own.rows[low - 1 : high].tolist()]
            others = [d for d in candidates if d not in relevant]
            drawn.append({str(generator.choice(others))} if others else set[str]())
        for tried, document in zip(try_remedies(search, drawn), drawn, strict=True):
            counts[low, high][0] += bool(tried.shown)
            counts[low, high][1] += bool(document)
    return {own: (shown, every) for own, (shown, every) in counts.items()}


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--adapter", default="none")
    parser.add_argument("--split", default="test")
    arguments = parser.parse_args()
    space = Workspace()
    collection = space.open(space.resolve(arguments.data))
    dataset = collection.dataset
    ranker = Ranker(collection, space.ranker(collection, arguments.adapter).optional_adapter)
    qrels = dataset.judged_queries(arguments.split)
    queries = [dataset.queries[query_id] for query_id in qrels]
    others = alternatives_of(space, collection)
    search = Search.of(ranker, space.lexical_index(dataset), queries, None, others)
    relevant = [relevant_ids(judged) for judged in qrels.values()]
    print(failing_line(qrels, try_remedies(search, relevant)))
    print(advice_line(search, qrels))
    for (low, high), (shown, every) in random_rates(search, qrels, 0).items():
        print(f"random documents at base ranks {low} to {high}: {shown} of {every}")


if __name__ == "__main__":
    main()
