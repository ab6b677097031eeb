"""How numbers and texts are written: true minus signs, and texts cut to the room they have."""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it takes seconds to load, and the loading screen needs colours before
    from imrnns_core.evaluation.outcomes import Outcome

SIGNS: dict[Outcome, str] = {
    "rescued": "▲▲",
    "improved": "▲",
    "unchanged": "=",
    "worsened": "▼",
    "broken": "▼▼",
    "ranked too low": "✕",
    "not retrieved": "∅",
}
STAGE_HEADS = ("base", "proj.", "doc.", "mod.")
"""Heads of the narrow columns of the stages."""
RELEVANCE_SIGNS = {"relevant": "★ ", "not relevant": "✕ ", "unjudged": ""}
"""What stands before the title of a document in a list."""


def minus(text: str) -> str:
    """Return a text of numbers with true minus signs."""
    return text.replace("-", "−")


def decimal(value: float) -> str:
    """Return a score, to four decimals."""
    return minus(f"{value:.4f}")


def signed(value: float, decimals: int = 4) -> str:
    """Return a number with its sign."""
    return minus(f"{value:+.{decimals}f}")


def relevance_name(grade: int) -> str:
    """Name a judged grade; -1 is unjudged."""
    return "unjudged" if grade < 0 else "not relevant" if grade == 0 else "relevant"


def graded(grade: int) -> str:
    """Name a judged grade, with its number where it is relevant."""
    return relevance_name(grade) + (f" ({grade})" if grade > 0 else "")


def plain(text: str, width: int = 60, lines: int = 3) -> str:
    """Return a text for a hover label.

    Escaped, so that Plotly shows it letter by letter, and wrapped.
    """
    wrapped = textwrap.wrap(" ".join(text.split()), width) or [""]
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], wrapped[lines - 1] + " …"]
    return "<br>".join(html.escape(line, quote=False) for line in wrapped)


def cut(text: str, length: int) -> str:
    """Return a text cut at the end of a word, or within its first one where that is too long."""
    found = textwrap.shorten(text, length, placeholder="…")
    return text[: length - 1] + "…" if found == "…" != text else found


def short(text: str, length: int = 28) -> str:
    """Return a label for an axis or a legend: escaped and cut."""
    flat = " ".join(text.split())
    return html.escape(flat if len(flat) <= length else flat[: length - 1] + "…", quote=False)


def cell(text: str, width: int) -> str:
    """Return a text cut to the three lines that a table's column of `width` pixels has room for."""
    return cut(text, int(0.33 * (width - 16)))
