"""Lines about the change from base to modulated: its parts, its range, and its outcomes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from imrnns_core.evaluation.change_decomposition import MIN_QUERIES, ChangeDecomposition
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.gain_decomposition import GainDecomposition
from imrnns_core.evaluation.unjudged import UnjudgedRange
from imrnns_core.reporting.formatting import decimal, interval, percent, signed
from imrnns_core.retrieval.batch import Certainty, RankedBatch


def certainty_line(certainty: Certainty) -> str:
    """Return how certain the modulated top k of the whole corpus is for one query."""
    whole = f"The modulated top {certainty.top_k} of the whole corpus is"
    if certainty.proof == "exact":
        return f"{whole} exact: all documents were scored."
    if certainty.proof == "proven":
        return (
            f"{whole} proven: {certainty.pool:,} documents were scored, and no other document can "
            "have a higher score."
        )
    return f"{whole} not proven: another document may belong into it."


def scope_line(batch: RankedBatch) -> str:
    """Return what the adapter ranked, and for how many queries the top k of the corpus is sure."""
    counts = Counter((each.proof, each.pool) for each in batch.certainty).most_common()
    certain = sum(count for (proof, _), count in counts if proof != "not proven")
    reasons = {
        "exact": "for {count:,}, all documents were scored",
        "proven": (
            "for {count:,}, {pool:,} documents were scored, and no other document can have a "
            "higher score"
        ),
        "not proven": "for {count:,}, another document may belong into it",
    }
    return (
        "Base and adapter search the whole corpus. The modulated top "
        f"{batch.certainty[0].top_k} is certain for {certain:,} of {len(batch.certainty):,} "
        f"queries: "
        + "; ".join(
            reasons[proof].format(count=count, pool=pool) for (proof, pool), count in counts
        )
    )


def share_line(shares: ChangeDecomposition | None) -> str:
    """Return the share of each part of an adapter in the score change."""
    if shares is None:
        return f"At least {MIN_QUERIES} queries are needed to split a change into parts."
    if not any((shares.projector, shares.constant, shares.query_specific)):
        return "No score changes relative to the other candidates, so no part has a share."
    return (
        "Share of each part in the candidates' score changes: "
        f"projector {percent(shares.projector)}, "
        f"constant modulation (average over queries) {percent(shares.constant)}, "
        f"query-specific modulation {percent(shares.query_specific)}"
    )


def gain_lines(gain: GainDecomposition) -> Iterator[str]:
    """Yield what each part of an adapter adds to a measure, one line each."""
    yield (
        f"Parts of the change of {gain.measure} (Shapley values; before rounding, they add up to "
        f"modulated − base). Without it: {gain.measure} of an adapter without this part; with all "
        f"parts it is {decimal(gain.complete)}."
    )
    if gain.projector_first:
        yield (
            "This projector changes the number of dimensions, so no other part works without it. "
            "Its part is the step from base to projected."
        )
    names = {
        "projector": gain.projector,
        "constant modulation": gain.constant,
        "query-specific modulation": gain.query_specific,
    }
    for name, part in names.items():
        line = f"  {name} {signed(part.change)}, 95 % interval {interval(part.ci95)}"
        if part.left_out is not None:
            line += f"; without it {decimal(gain.complete + part.left_out)}"
        yield line


def range_line(ends: UnjudgedRange) -> str:
    """Return what unjudged documents could change."""
    return (
        f"{NDCG} if every unjudged document in the top 10 is not relevant: base "
        f"{decimal(ends.base[0])}, modulated {decimal(ends.modulated[0])}, change "
        f"{signed(ends.change[0])}; if each has the highest grade of its query: base "
        f"{decimal(ends.base[1])}, modulated {decimal(ends.modulated[1])}, change "
        f"{signed(ends.change[1])}."
    )


def outcome_reading(result: Evaluation) -> str:
    """Return what the outcomes of an evaluation mean."""
    if not result.has_adapter:
        return (
            f"Found: a relevant document is in the top {result.top_k}. Ranked too low: the best "
            "relevant candidate is below. Not retrieved: no relevant document is "
            "among the candidates."
        )
    return (
        f"A ranking succeeds if a relevant document is in its top {result.top_k}. Rescued: only "
        "the modulated ranking succeeds. Broken: only the base ranking succeeds. Improved, "
        f"worsened, unchanged: both succeed, and {NDCG} rises, falls or stays. Ranked too low: "
        "neither succeeds. Not retrieved: neither base nor adapter returns a relevant document."
    )
