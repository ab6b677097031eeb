"""Causes and remedies of a query in words."""

from __future__ import annotations

from imrnns_core.remedies.causes import LEVEL, Diagnosis, RemedyOutcome, TriedRemedies
from imrnns_core.remedies.placebo import DRAWS
from imrnns_core.reporting.formatting import p_equals
from imrnns_core.retrieval.hybrid import DEPTH

WHEN_SHOWN = (
    "A cause is shown if its remedies, applied to this query alone, bring a relevant document "
    f"higher than in the base ranking, and if the document gains more than in {1 - LEVEL:.0%} of "
    f"{DRAWS} random changes of the same size (corrected for the number of causes). Remedies do "
    "not use the judgments of the query."
).replace("%", " %")
NONE = (
    "No remedy brings a relevant document up by clearly more than random changes of its size do. "
    "The table below has the ranks."
)


def rank_change(base: int, rank: int) -> str:
    """Return the ranks before and after a change: `rank 15 → 1`. 0 means not ranked."""
    if not base:
        return f"not in the top {DEPTH} → {f'rank {rank}' if rank else 'still not'}"
    return f"rank {base} → {rank or f'not in the top {DEPTH}'}"


def remedy_line(diagnosis: Diagnosis) -> str:
    """Return the best remedy that shows a cause, with its effect; empty if there is none."""
    if diagnosis.is_moved_down:
        return f"no adapter: {rank_change(diagnosis.ranks[-1], 1)}"
    if diagnosis.remedy is None:
        return ""
    change = rank_change(diagnosis.ranks[0], diagnosis.remedy.rank)
    return f"{diagnosis.remedy.remedy.name}: {change}"


def cause_lines(tried: TriedRemedies) -> list[tuple[str, str]]:
    """Return each cause that is shown, with its remedies and their effect."""
    lines = dict[str, list[str]]()
    for own in tried.shown:
        lines.setdefault(own.remedy.cause, []).append(_effect(tried.base_rank, own))
    return [(cause, "\n".join(effects)) for cause, effects in lines.items()]


def _effect(base: int, own: RemedyOutcome) -> str:
    change = rank_change(base, own.rank)
    return f"{own.remedy.name}: {change} ({p_equals(own.p)})"
