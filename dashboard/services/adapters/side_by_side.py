"""The comparison of an adapter with another one, or with the base ranking."""

from __future__ import annotations

from dashboard.services import caching, evaluations
from dashboard.services.caching import shared
from imrnns_core.evaluation.system_comparison import (
    SystemComparison,
    compare_evaluations,
    compare_with_base,
)

TOP_K = 10
"""The limit for failed queries, which a comparison does not use."""


def compare(data: str, adapter_name: str, split: str, other: str | None) -> SystemComparison:
    """Compare an adapter with another one over a split; None is the base ranking."""
    content = caching.workspace().adapter_identity(other) if other else ""
    return _compare(data, adapter_name, split, other, content)


# the other adapter is not in the key that `shared` makes, so its content is an argument
@shared(8, "Comparing on all judged queries …")
def _compare(
    data: str, adapter_name: str, split: str, other: str | None, other_content: str
) -> SystemComparison:
    measured = evaluations.evaluation(data, adapter_name, split, TOP_K)
    if other is None:
        return compare_with_base(measured)
    return compare_evaluations(measured, evaluations.evaluation(data, other, split, TOP_K))
