"""Where the change of a measure comes from: Shapley values of the parts of an adapter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import combinations, permutations
from math import isnan
from typing import Any, get_args

import numpy as np
import torch

from imrnns_core.evaluation.change_decomposition import MIN_QUERIES, Part, PartScorer
from imrnns_core.retrieval.batch import RankedBatch, rank, ranked_ids
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import cutoff_of, measure_rankings, parse_measures
from imrnns_core.statistics.query_groups import connected_queries
from imrnns_core.statistics.significance import paired_tests
from imrnns_core.types import DoubleArray, IntArray, Qrels

PARTS: tuple[Part, ...] = get_args(Part)
Coalition = frozenset[Part]


@dataclass(frozen=True)
class GainOfPart:
    """What one part adds to the mean of a measure.

    Attributes:
        change: Its Shapley value.
        ci95: 95 % bootstrap interval over queries; NaN for fewer than 20 independent queries. The
            mean modulation stays that of all queries.
        left_out: Change of the measure if only this part is left out of the complete adapter. None
            for a projector that cannot be left out.
    """

    change: float
    ci95: tuple[float, float]
    left_out: float | None


@dataclass(frozen=True)
class GainDecomposition:
    """Parts of modulated − base of a mean measure (docs/method.md, "Where the gain comes from").

    The change of a part is its Shapley value: the change that it makes when it is added to the
    other parts, averaged over all orders of adding the parts. The changes of the three parts add up
    to the mean of modulated − base. `PartScorer` defines the ranking with some of the parts.

    Source: Shapley, "A value for n-person games", 1953.

    Attributes:
        measure: The measure.
        projector_first: Whether only orders that start with the projector count. This is so if the
            projector changes the number of dimensions: base embeddings do not fit the modulation.
        complete: Mean of the measure with all parts.
        projector: The projector.
        constant: The mean modulation over all queries, with the LayerNorms.
        query_specific: The difference of each query's modulation from that mean.
    """

    measure: str
    projector_first: bool
    complete: float
    projector: GainOfPart
    constant: GainOfPart
    query_specific: GainOfPart

    def to_json(self) -> dict[str, Any]:
        """Return the record of the parts; JSON has no NaN, so an unknown interval is null."""
        record = asdict(self)
        for part in ("projector", "constant", "query_specific"):
            ends = record[part]["ci95"]
            record[part]["ci95"] = [None if isnan(end) else end for end in ends]
        return record


def decompose_gain(
    ranker: Ranker,
    batch: RankedBatch,
    qrels: Qrels,
    measure: str,
    copies: Mapping[str, int] | None = None,
) -> GainDecomposition | None:
    """Split the mean change of a measure among the parts of an adapter.

    Args:
        ranker: The ranker that made `batch`.
        batch: Rankings of the Q queries of `qrels`, in their order.
        qrels: Judgments of the queries.
        measure: Name of the measure.
        copies: Id of each relevant document → number of its group of near copies.

    Returns:
        The parts, None for fewer than two queries.
    """
    if len(qrels) < MIN_QUERIES:
        return None
    config = ranker.adapter.model.config
    projector_first = config.input_dim != config.output_dim
    values = {
        coalition: _measured(ranker, batch, ranks, qrels, measure)
        for coalition, ranks in _ranks(ranker, batch, tuple(qrels), projector_first).items()
    }
    shapley = np.stack([_shapley_value(part, values) for part in PARTS], axis=1)  # (Q, 3)
    complete, tests = Coalition(PARTS), paired_tests(shapley, connected_queries(qrels, copies))
    gains = [
        GainOfPart(
            test.change,
            test.interval,
            float((values[complete - {part}] - values[complete]).mean())
            if complete - {part} in values
            else None,
        )
        for part, test in zip(PARTS, tests, strict=True)
    ]
    return GainDecomposition(measure, projector_first, float(values[complete].mean()), *gains)


def _ranks(
    ranker: Ranker, batch: RankedBatch, query_ids: tuple[str, ...], projector_first: bool
) -> dict[Coalition, IntArray]:
    """Return the ranks (Q, K) of the candidates with each set of parts that can be computed."""
    # these three are the rankings of stages, so the parts add up to the change that is shown
    ranks = {
        Coalition(): batch.rank("base"),
        Coalition({"projector"}): batch.rank("projected"),
        Coalition(PARTS): batch.rank("modulated"),
    }
    vectors = torch.from_numpy(ranker.collection.query_vectors(query_ids))
    scorer = PartScorer(ranker, batch, vectors)
    ties = ranker.collection.ranked.ties[batch.vector_rows]
    for coalition in _coalitions():
        if coalition not in ranks and ("projector" in coalition or not projector_first):
            scores = ranker.collection.index.equalized(scorer.scores(coalition), batch.vector_rows)
            ranks[coalition] = rank(scores, ties)
    return ranks


def _coalitions() -> Iterable[Coalition]:
    return (Coalition(c) for size in range(len(PARTS) + 1) for c in combinations(PARTS, size))


def _measured(
    ranker: Ranker, batch: RankedBatch, ranks: IntArray, qrels: Qrels, measure: str
) -> DoubleArray:
    """Return the measure (Q,) of the ranking of the documents of a batch by these ranks (Q, K)."""
    # no document below the cut-off counts, and rankings are as long as the list of candidates
    order = np.argsort(ranks, axis=1)[:, : cutoff_of(measure)][:, : batch.candidates]
    top = np.take_along_axis(batch.rows, order, axis=1)
    rankings = ranked_ids(ranker.collection.dataset, qrels, top)
    return measure_rankings(parse_measures([measure]), qrels, rankings)[:, 0]


def _shapley_value(part: Part, values: dict[Coalition, DoubleArray]) -> DoubleArray:
    """Return the mean step (Q,) that a part makes, over the orders whose sets all have a value."""
    steps = []
    for order in permutations(PARTS):
        sets = [Coalition(order[:size]) for size in range(len(PARTS) + 1)]
        if all(parts in values for parts in sets):
            position = order.index(part)
            steps.append(values[sets[position + 1]] - values[sets[position]])
    return np.asarray(np.mean(steps, axis=0))
