"""How many judgments show which of two rankings is better.

Run: python -m benchmarks.judging DATA [--adapter NAME] [--split SPLIT]

Each remedy is compared with the base. All judgments of documents in either top 10 are hidden, and
given back one by one in four orders: the choice of the page Remedies (ten at a time), the pool in
the order of ranks (rank 1 of both rankings in all queries, then rank 2, and so on), and at random.
Documents without a judgment count as not relevant. 20 times, another 80 % of the queries are used,
and ties are broken anew.

Certain: the range of the mean change excludes zero. Stable: the sign of the change with the
judgments so far is that with all judgments, and stays so.

The last figure of a line hides nothing: it counts what is to be judged beyond the known judgments,
in the order of the choice, until the sign is certain, if no further document is relevant.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from imrnns_core.evaluation.change_bounds import CUTOFF, OpenChange, TwoRankings
from imrnns_core.evaluation.informative_judgments import (
    TEN,
    ChangeRange,
    Pair,
    narrowing_pairs,
)
from imrnns_core.remedies.measuring import measure_remedies
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import Rankings
from imrnns_core.storage.judgments import GRADES
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import Qrels

SEEDS = 20
SHARE = 0.8
Order = Callable[[TwoRankings, OpenChange], list[Pair]]
"""Returns the next pairs to judge; none if all are judged."""


@dataclass(frozen=True)
class Trial:
    """Two rankings of some queries, with hidden judgments.

    Attributes:
        base: Top 10 of the base.
        other: Top 10 of the other ranking.
        known: The judgments that are not hidden: of documents in no top 10, and grade 0 for those
            in a top 10 that nobody judged.
        hidden: The judgments to give back.
    """

    base: Rankings
    other: Rankings
    known: Qrels
    hidden: Qrels

    @classmethod
    def draw(
        cls, base: Rankings, other: Rankings, qrels: Qrels, generator: np.random.Generator
    ) -> Trial:
        """Use 80 % of the queries, in random order."""
        queries = generator.permutation(list(qrels))[: round(SHARE * len(qrels))].tolist()
        known, hidden = dict[str, dict[str, int]](), dict[str, dict[str, int]]()
        for query_id in queries:
            top = dict.fromkeys([*base[query_id], *other[query_id]], 0)
            judged = qrels[query_id]
            every = {**top, **judged}
            known[query_id] = {d: g for d, g in every.items() if (d in top) != (d in judged)}
            hidden[query_id] = {d: g for d, g in judged.items() if d in top}
        return cls({q: base[q] for q in queries}, other, known, hidden)

    @classmethod
    def further(cls, base: Rankings, other: Rankings, qrels: Qrels) -> Trial:
        """Hide nothing; what nobody judged is not relevant."""
        unjudged = {
            q: {d: 0 for d in (*base[q], *other[q]) if d not in judged}
            for q, judged in qrels.items()
        }
        return cls(base, other, qrels, unjudged)

    def pairs(self) -> list[Pair]:
        """Return the pairs whose judgments are hidden."""
        return [(q, d) for q, judged in self.hidden.items() for d in judged]

    def counts(self, order: Order) -> tuple[int, int]:
        """Return how many judgments it takes until the sign is certain, and until it is stable."""
        rankings = TwoRankings.of(self.base, self.other)
        change = OpenChange.of(rankings, self.known, max(GRADES))
        ends = np.stack([change.now, change.low, change.high])
        row = {query_id: i for i, query_id in enumerate(rankings.query_ids)}
        means, queue = [ends.mean(axis=1)], list[Pair]()
        while queue := queue or order(rankings, change):
            query_id, document = queue.pop(0)
            i, j = row[query_id], rankings.documents[row[query_id]].index(document)
            one = change.judged(np.array([i]), np.array([j]), self.hidden[query_id][document])
            change.unjudged[i], change.gains[i] = one.unjudged[0], one.gains[0]
            change.counts[i] = one.counts[0]
            change = replace(change)  # without the bounds of before
            ends[:, i] = one.now[0], one.low[0], one.high[0]
            means.append(ends.mean(axis=1))
        certain = [ChangeRange(now, low, high, 0).has_certain_sign for now, low, high in means]
        signs = np.sign(np.round([own[0] for own in means], 12))
        wrong = np.flatnonzero(signs != signs[-1])
        return (
            certain.index(True) if any(certain) else len(means) - 1,
            int(wrong[-1]) + 1 if len(wrong) else 0,
        )


def choice(generator: np.random.Generator) -> Order:
    """Return the order of the page Remedies."""
    return lambda rankings, change: narrowing_pairs(rankings, change, generator, TEN)


def orders(trial: Trial, generator: np.random.Generator) -> Iterator[tuple[str, Order]]:
    """Yield the name of each order and the function that returns the next pairs in it."""
    pairs = [trial.pairs()[n] for n in generator.permutation(len(trial.pairs()))]

    def rank(pair: Pair) -> int:
        tops = (trial.base[pair[0]], trial.other[pair[0]])
        return min(top.index(pair[1]) if pair[1] in top else CUTOFF for top in tops)

    def listed(own: list[Pair]) -> Order:
        return lambda _, change: own if change.unjudged.any() else []

    yield "choice", choice(generator)
    yield "ranks", listed(sorted(pairs, key=rank))
    yield "random", listed(list(pairs))


def line(name: str, base: Rankings, other: Rankings, qrels: Qrels) -> str:
    """Return the mean counts for one pair of rankings."""
    counts, pools, changes = defaultdict[str, list[tuple[int, int]]](list), list[int](), []
    for seed in range(SEEDS):
        generator = np.random.default_rng(seed)
        trial = Trial.draw(base, other, qrels, generator)
        pools.append(len(trial.pairs()))
        judged = {q: {**own, **trial.hidden[q]} for q, own in trial.known.items()}
        rankings = TwoRankings.of(trial.base, other)
        changes.append(ChangeRange.of(OpenChange.of(rankings, judged, 1)).now)
        for order, own in orders(trial, generator):
            counts[order].append(trial.counts(own))
    means = {order: np.mean(own, axis=0) for order, own in counts.items()}
    figures = (f"{order} {certain:.0f}, {stable:.0f}" for order, (certain, stable) in means.items())
    low, high = min(changes), max(changes)
    further = Trial.further(base, other, qrels)
    needed, _ = further.counts(choice(np.random.default_rng(0)))
    return (
        f"{name}: change {low:+.3f} to {high:+.3f}, pool {np.mean(pools):.0f}; "
        f"{'; '.join(figures)}; further {needed} of {len(further.pairs())}"
    )


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--adapter", default="none")
    parser.add_argument("--split", default="test")
    arguments = parser.parse_args()
    space = Workspace()
    collection = space.open(space.resolve(arguments.data))
    ranker = Ranker(collection, space.ranker(collection, arguments.adapter).optional_adapter)
    lexical = space.lexical_index(collection.dataset)
    bench = measure_remedies(ranker, lexical, arguments.split)
    qrels = collection.dataset.judged_queries(arguments.split)
    print("Judgments until the sign is certain, and until it is stable")
    for own in bench.measured:
        print(line(own.remedy.name, bench.top, own.top, qrels), flush=True)


if __name__ == "__main__":
    main()
