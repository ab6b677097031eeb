"""The character encoding of a text file: marked, or guessed."""

from __future__ import annotations

import codecs

import charset_normalizer
import regex

_ENCODINGS = [
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp874"),
    *("koi8_r", "cp932", "euc_jp", "gb18030", "big5", "cp949", "mac_roman"),
]
"""Character encodings that are guessed: those in which files are still written."""
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before that of UTF-16, with which it begins
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BY_ZEROS: dict[tuple[bool, ...], str] = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
}
"""Which bytes of four are mostly zero → encoding."""
_LATIN = ("cp1250", "cp1252", "cp1254", "cp1257", "mac_roman")
"""Encodings of Latin letters, which short texts in Windows-1252 are mistaken for."""
_CENTRAL = ("Polish", "Czech", "Slovak", "Hungarian", "Croatian", "Slovene", "Romanian", "Turkish")
"""Languages with letters that Windows-1252 does not have."""
_UNLIKELY = regex.compile(
    r"(?<=\p{Ll})(?![A-Z])\p{Lu}|(?<=\p{L})[^\p{L}\p{M}\d\s\x00-\x7F‘’“”–—·…](?=\p{L})"
)
"""A capital letter with an accent after a small one, or a sign such as ¹ between two letters."""
FEW = 0.1
"""Largest share of special bytes in a text of Latin letters."""
CLEARLY = 0.1
"""A language must fit this much better than Windows-1252; of short texts, many fit equally well."""
SAMPLE_BYTES = 200_000
"""Bytes from which the character encoding of a file is guessed if it is not UTF-8."""


def marked_encoding(raw: bytes) -> str:
    """Return the encoding that a byte order mark names, or that zero bytes show; else UTF-8."""
    for mark, encoding in _MARKS.items():
        if raw.startswith(mark):
            return encoding
    # text of mostly Latin letters, without a mark: each letter has one byte that is not zero
    parts = [raw[i:SAMPLE_BYTES:4] for i in range(4)]
    zeros = tuple(part.count(0) > len(part) / 2 for part in parts)
    return _BY_ZEROS.get(zeros, "utf-8-sig")


def guessed_encoding(sample: bytes) -> str:
    """Return the likeliest encoding of some bytes; Windows-1252 unless another one is clear."""
    matches = list(charset_normalizer.from_bytes(sample, cp_isolation=_ENCODINGS))
    best = matches[0] if matches else None
    if best is None:
        return "cp1252"
    western = max((m.coherence for m in matches if m.encoding == "cp1252"), default=0.0)
    is_central = best.language in _CENTRAL and best.coherence > western + CLEARLY
    # texts in other scripts consist of special bytes; "5 £" has one
    is_latin = best.encoding in _LATIN or sum(b > 127 for b in sample) < FEW * len(sample)
    if is_latin and not is_central and _reads_as_western(sample):
        return "cp1252"
    others = [match.encoding for match in matches if match.encoding != "cp1252"]
    return others[0] if others else best.encoding


def _reads_as_western(sample: bytes) -> bool:
    """Return whether some bytes have no unlikely letters and signs if read as Windows-1252."""
    # the sample can end within a sign only in encodings of several bytes
    text = sample.decode("cp1252", errors="replace")
    special = sum(not character.isascii() for character in text)
    unlikely = len(_UNLIKELY.findall(text)) + text.count("\ufffd")
    return unlikely <= 0.02 * special
