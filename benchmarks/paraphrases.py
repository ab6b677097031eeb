"""Does the remedy of a shown cause also repair a paraphrase of the query?

Run: python -m benchmarks.paraphrases DATA

`paraphrases.json` has one for each failing query of the sample and of SciFact dev. They were
written from the queries alone, before anybody looked at causes. For each of these queries with a
cause, its best remedy is applied to the paraphrase.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from imrnns_core.data.records import Query
from imrnns_core.remedies.causes import RemedyOutcome, TriedRemedies, try_remedies
from imrnns_core.remedies.remedy import Search
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.alternatives import alternatives_of
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import relevant_ids

TOP = 10
FILE = Path(__file__).with_name("paraphrases.json")


def rank_with(tried: TriedRemedies, outcome: RemedyOutcome) -> int:
    """Return the rank of the best relevant document with the remedy of another query."""
    names = {own.remedy.name: own.rank for own in tried.outcomes}
    # a remedy that does not change the ranking has no outcome
    return names.get(outcome.remedy.name, tried.base_rank)


def main() -> None:
    """Print a line for each query with a cause, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=["sample", "scifact"])
    data = parser.parse_args().data
    space = Workspace()
    collection = space.open(space.resolve(data))
    dataset, lexical = collection.dataset, space.lexical_index(collection.dataset)
    others = alternatives_of(space, collection)
    written: dict[str, str] = json.loads(FILE.read_text(encoding="utf-8"))[data]
    relevant = [relevant_ids(dataset.judgments[query_id]) for query_id in written]
    queries = [dataset.queries[query_id] for query_id in written]
    typed = [Query("", text) for text in written.values()]
    vectors = np.stack([collection.encode(query.text) for query in typed])

    def tried(queries: list[Query], vectors: np.ndarray | None) -> list[TriedRemedies]:
        search = Search.of(Ranker(collection), lexical, queries, vectors, others)
        return try_remedies(search, relevant)

    repaired, higher, shown = 0, 0, 0
    for query, own, other in zip(queries, tried(queries, None), tried(typed, vectors), strict=True):
        if not own.shown:
            continue
        best = own.shown[0]
        rank = rank_with(other, best)
        shown += 1
        repaired += 1 <= rank <= TOP
        higher += 1 <= rank <= TOP or 0 < rank < (other.base_rank or rank + 1)
        print(
            f"{query.id}: base {own.base_rank}, {best.remedy.name} {best.rank}; "
            f"paraphrase: base {other.base_rank}, with it {rank}"
        )
    print(
        f"{len(written)} failing queries, {shown} with a cause; with its remedy, the paraphrase "
        f"has a relevant document in the top {TOP} for {repaired}, there or higher for {higher}"
    )


if __name__ == "__main__":
    main()
