"""How numbers and texts are written: true minus signs, and texts cut to the available room."""

from __future__ import annotations

import html
import re
import textwrap
from typing import TYPE_CHECKING

from imrnns_core.config import workspace_root
from imrnns_core.printable import file_name

_FOLDERS = re.compile(r"(?<![\w./])(?:/(?!/)|[A-Za-z]:\\)(?:[^\s#:;,'\"()]+[/\\])+")
"""The folders of an absolute path; not those of an address, which begin with two slashes."""

if TYPE_CHECKING:  # it takes seconds to load, and the loading screen needs colours before
    from imrnns_core.evaluation.outcomes import Outcome

SIGNS: dict[Outcome, str] = {
    "rescued": "▲▲",
    "improved": "▲",
    "unchanged": "=",
    "found": "✓",
    "worsened": "▼",
    "broken": "▼▼",
    "ranked too low": "✕",
    "not retrieved": "∅",
}
STAGE_HEADS = ("base", "proj.", "doc.", "mod.")
"""Headings of narrow columns, one for each stage."""
HEADS = {
    **dict(zip(("base", "projected", "document-modulated", "modulated"), STAGE_HEADS, strict=True)),
    "reciprocal rank fusion": "fusion",
    "BM25": "BM25",
    "encoder": "enc.",
}
"""Headings of narrow columns, one for each ranking."""
RELEVANCE_SIGNS = {"relevant": "★ ", "not relevant": "✕ ", "unjudged": ""}
"""The sign in front of a document's title in a list."""
SMALLEST_P = 1e-4
"""Smaller p values are written as an upper limit."""


def minus(text: str) -> str:
    """Return a text of numbers with true minus signs."""
    return text.replace("-", "−")


def decimal(value: float) -> str:
    """Return a score with four decimals."""
    return minus(f"{_without_negative_zero(value, 4):.4f}")


def signed(value: float, decimals: int = 4) -> str:
    """Return a number with its sign."""
    return minus(f"{_without_negative_zero(value, decimals):+.{decimals}f}")


def percent(share: float) -> str:
    """Return a share as a whole percentage: 0.28 is "28 %"."""
    return minus(f"{round(100 * share)} %")  # round gives an integer, which has no negative zero


def p_value(p: float) -> str:
    """Return the p value of a test: "p = 0.0012", or "p < 0.0001" where it is smaller."""
    return "p < 0.0001" if p < SMALLEST_P else f"p = {p:.4f}"


def count(number: int, one: str, many: str) -> str:
    """Return a number with its noun: "1 query", "2 queries"."""
    return f"{number:,} {one if number == 1 else many}"


def _without_negative_zero(value: float, decimals: int) -> float:
    return round(float(value), decimals) + 0.0  # −0.0 + 0.0 is 0.0


def relevance_name(grade: int) -> str:
    """Name a judged grade; -1 is unjudged."""
    return "unjudged" if grade < 0 else "not relevant" if grade == 0 else "relevant"


def graded(grade: int) -> str:
    """Name a judged grade, with its number where it is relevant."""
    return relevance_name(grade) + (f" (grade {grade})" if grade > 0 else "")


def plain(text: str, width: int = 60, lines: int = 3) -> str:
    """Return a text for a hover label: escaped, so that Plotly shows it as it is, and wrapped."""
    wrapped = textwrap.wrap(" ".join(text.split()), width) or [""]
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], wrapped[lines - 1] + " …"]
    return "<br>".join(html.escape(line, quote=False) for line in wrapped)


def cut(text: str, length: int) -> str:
    """Return a text cut at the end of a word, or within its first word where that is too long."""
    shortened = textwrap.shorten(text, length, placeholder="…")
    return text[: length - 1] + "…" if shortened == "…" != text else shortened


def short(text: str, length: int = 28) -> str:
    """Return a label for an axis or a legend: escaped and cut."""
    flat = " ".join(text.split())
    return html.escape(flat if len(flat) <= length else flat[: length - 1] + "…", quote=False)


def cell(text: str, width: int) -> str:
    """Return a text cut to the three lines that fit into a table column of `width` pixels."""
    return cut(text, int(0.33 * (width - 16)))


def download_name(name: str) -> str:
    """Return a name of a file, with its type, that is valid on any file system."""
    stem, _, suffix = name.rpartition(".")
    return f"{file_name(stem)}.{suffix}"


def without_folders(text: str) -> str:
    """Return a message with paths relative to the workspace, or with the names of files alone.

    Whoever opens the dashboard need not know the folders of the machine that it runs on.
    """
    return _FOLDERS.sub("", text.replace(f"{workspace_root()}/", ""))
