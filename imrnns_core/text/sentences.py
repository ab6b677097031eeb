"""Split a text into sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator

_END = re.compile(r"(?<=[.!?])[\"')\]]*\s+|(?<=[。！？])")


def split_sentences(text: str, words: int) -> Iterator[str]:
    """Yield the sentences of a text; one of fewer than `words` words is joined to the next."""
    begun = ""
    for part in _END.split(text.strip()):
        begun = f"{begun} {part.strip()}".strip()
        if len(begun.split()) >= words or len(begun) > 10 * words:
            yield begun
            begun = ""
    if begun:
        yield begun
