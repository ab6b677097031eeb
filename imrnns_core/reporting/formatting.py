"""How reports and terminal tables write numbers: true minus signs, four decimals, units."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan

from imrnns_core.types import Similarity

SMALLEST_P = 1e-4
SIMILARITIES: Mapping[Similarity, str] = {"cosine": "cosine similarity", "dot": "dot product"}
"""How the documents of a data set are ranked, in words."""


def decimal(value: float, decimals: int = 4) -> str:
    """Return a number with a true minus sign, and no sign on zero."""
    text = f"{value:.{decimals}f}"
    # a tiny loss would be written as −0.0000
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def signed(value: float, decimals: int = 4) -> str:
    """Return a number with its sign; what rounds to zero gets a plus sign."""
    text = f"{value:+.{decimals}f}"
    return text.replace("-", "+" if float(text) == 0 else "−")


def percent(share: float) -> str:
    """Return a share as a percentage; what rounds to zero has no sign."""
    return f"{decimal(100 * share, 0)} %"


def interval(bounds: tuple[float, float] | list[float] | None, decimals: int = 4) -> str:
    """Return an interval of changes; None or NaN means that there are too few queries."""
    if bounds is None or isnan(bounds[0]):
        return "unknown (few queries)"
    low, high = bounds
    return f"{signed(low, decimals)} to {signed(high, decimals)}"


def p_value(p: float) -> str:
    """Return a p-value without its name: `0.0123`, or `< 0.0001`."""
    return "< 0.0001" if p < SMALLEST_P else f"{p:.4f}"


def p_equals(p: float) -> str:
    """Return a p-value with its name: `p = 0.0123`, or `p < 0.0001`."""
    return f"p {p_value(p)}" if p < SMALLEST_P else f"p = {p_value(p)}"


def counted(count: int, singular: str, plural: str = "") -> str:
    """Return a count with its noun: `1 query`, `2 queries`."""
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def cut(text: str, length: int) -> str:
    """Return a text of at most `length` characters; `…` shows that it was longer."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
