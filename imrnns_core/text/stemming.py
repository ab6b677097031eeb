"""Stemming with PyStemmer: `cell` and `cells` have the same stem."""

from __future__ import annotations

from functools import cache
from typing import Any


def stem(word: str) -> str:
    """Return the stem of a lower-case English word (Snowball, "Porter 2")."""
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
