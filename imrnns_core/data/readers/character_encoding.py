"""The character encoding of a text file: marked, or guessed."""

from __future__ import annotations

import charset_normalizer

_ENCODINGS = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949", "mac_roman"),
]
"""Character encodings that are guessed: those in which files are still written."""
SAMPLE_BYTES = 200_000
"""Bytes from which the character encoding of a file is guessed if it is not UTF-8."""


def marked_encoding(raw: bytes) -> str:
    """Return the encoding that a byte order mark names, else UTF-8."""
    return "utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def guessed_encoding(sample: bytes) -> str:
    """Return the likeliest encoding of some bytes; Windows-1252 if they are too few to tell."""
    matches = charset_normalizer.from_bytes(sample, cp_isolation=_ENCODINGS)
    best = matches.best()
    if best is None:
        return "cp1252"
    equal = [m for m in matches if (m.chaos, m.coherence) == (best.chaos, best.coherence)]
    names = {name for match in equal for name in (match.encoding, *match.could_be_from_charset)}
    return "cp1252" if "cp1252" in names else best.encoding
