"""The range of nDCG that unjudged documents leave open."""

from __future__ import annotations

from dataclasses import dataclass

from imrnns_core.data.dataset import Dataset
from imrnns_core.retrieval.batch import RankedBatch, ranked_ids
from imrnns_core.statistics.measures import cutoff_of, measure_rankings, parse_measures
from imrnns_core.types import Qrels, Stage

Ends = tuple[float, float]
"""A mean if unjudged documents are not relevant, and if they have the best grade of the query."""


@dataclass(frozen=True)
class UnjudgedRange:
    """Means of a measure under two assumptions about unjudged documents.

    The first number counts unjudged documents as not relevant, as trec_eval does. The second one
    gives the best grade of the query to every unjudged document in the top k of the base or of the
    modulated ranking, and computes the ideal ranking again. Both rankings are measured under the
    same assumption. If only some of these documents are relevant, the change can be outside its
    range.

    Attributes:
        base: Mean of the base ranking.
        modulated: Mean of the modulated ranking.
        change: Mean of modulated − base.
    """

    base: Ends
    modulated: Ends
    change: Ends


def unjudged_range(
    dataset: Dataset, batch: RankedBatch, qrels: Qrels, measure: str
) -> UnjudgedRange:
    """Measure the base and the modulated ranking under both assumptions.

    Args:
        dataset: The data set of the queries.
        batch: The rankings of the queries.
        qrels: The judgments of the same queries, each with a relevant document.
        measure: A measure with a cut-off k.
    """
    stages: tuple[Stage, ...] = ("base", "modulated")
    # no document below the cut-off counts
    tops = [
        ranked_ids(dataset, qrels, [r[: cutoff_of(measure)] for r in batch.ranked_rows(stage)])
        for stage in stages
    ]
    # the judgments come last, so that they replace the assumed grade
    assumed = {
        query_id: {
            **dict.fromkeys((d for top in tops for d in top[query_id]), max(judged.values())),
            **judged,
        }
        for query_id, judged in qrels.items()
    }
    measures = parse_measures([measure])
    (base, best_base), (modulated, best_modulated) = (
        [float(measure_rankings(measures, known, top).mean()) for known in (qrels, assumed)]
        for top in tops
    )
    return UnjudgedRange(
        (base, best_base),
        (modulated, best_modulated),
        (modulated - base, best_modulated - best_base),
    )
