"""The ids in TREC files."""

from __future__ import annotations

import re
from collections.abc import Container
from urllib.parse import quote, unquote

_BLANK = re.compile(r"\s")


def to_trec_id(identifier: str) -> str:
    """Return an id as TREC files have it: blanks would separate columns, so they become %20.

    Ids without blanks stay as they are.
    """
    if not _BLANK.search(identifier):
        return identifier
    return re.sub(r"[\s%]", lambda found: quote(found[0]), identifier)


def from_trec_id(text: str, known: Container[str]) -> str:
    """Return the id that a TREC file names: the text itself, or decoded if only this is known."""
    if text in known:
        return text
    decoded = unquote(text)
    return decoded if decoded in known else text
