"""Stems of words, through PyStemmer: `cell` and `cells` have one stem."""

from __future__ import annotations

from functools import cache
from typing import Any


def stem(word: str) -> str:
    """Return the stem of an English word in lower case (Snowball, "Porter 2")."""
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
