"""Damage to well-formed inputs, in bytes and in JSON values."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

_TOKENS: tuple[bytes | str, ...] = (
    *(
        b"",
        b"\0",
        b"\n",
        b"\r",
        b"\t",
        b" ",
        b",",
        b";",
        b"|",
        b'"',
        b'""',
        b"'",
        b"\\",
        b"{",
        b"}",
    ),
    *(b"[", b"]", b"[]", b"{}", b"null", b"true", b"NaN", b"Infinity", b"-Infinity", b"1e999"),
    *(b"-1", b"0", b"0.5", b"1_000", b"1e308", b"9" * 5000, b"-" + b"9" * 400, b"0x10", b"1e-400"),
    *(b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf", b"\x1f\x8b", b"PK\x03\x04", b"\x80\x04\x95"),
    *(b"[" * 20_000, b'{"a":' * 5_000, b"<top>", b"</top>", b"<num>", b"<topic number=", b"<!--"),
    *(
        b"---\n",
        b"---\na: !!python/object/apply:os.system [x]\n---\n",
        b"# ",
        b"\n===\n",
        b"<title>",
    ),
    *(b"=cmd|' /C calc'!A0", b"@SUM(1)", b"\x1b[31m", b"\x1b]0;x\x07", b"[bold]", b"Q0", b"\x85"),
    *("\u202e\u2066", "\u2028", "\ud800", "\\ud800", "é" * 50, "\U0001f600", "‏"),
)
TOKENS = tuple(
    token if isinstance(token, bytes) else token.encode(errors="surrogatepass") for token in _TOKENS
)
"""What is put into a file: values that parsers know, and values that they hardly expect."""
ENCODINGS = ("utf-16", "utf-8-sig", "latin-1", "utf-32", "cp1252", "shift_jis")
ODD_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 10**30, 0.5, float("nan"), float("inf"), "", "a\nb", "=1+1"),
    *([], {}, [None], [[]], {"a": {"a": []}}, ["a", 1], "\x1b[31mred", "\u202eabc", "x" * 10_000),
)


@st.composite
def damaged(draw: st.DrawFn, content: bytes, others: Sequence[bytes] = ()) -> bytes:
    """Draw a content with up to four pieces of damage; `others` are spliced into it."""
    for _ in range(draw(st.integers(0, 4))):
        content = draw(st.sampled_from(_DAMAGES))(draw, content, others)[:300_000]
    return content


def _flip(draw: st.DrawFn, content: bytes, _: Sequence[bytes]) -> bytes:
    if not content:
        return content
    at, value = draw(st.integers(0, len(content) - 1)), draw(st.integers(0, 255))
    return content[:at] + bytes([value]) + content[at + 1 :]


def _cut(draw: st.DrawFn, content: bytes, _: Sequence[bytes]) -> bytes:
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    return content[:start] + content[end:]


def _truncate(draw: st.DrawFn, content: bytes, _: Sequence[bytes]) -> bytes:
    return content[: draw(st.integers(0, len(content)))]


def _insert(draw: st.DrawFn, content: bytes, _: Sequence[bytes]) -> bytes:
    at = draw(st.integers(0, len(content)))
    return content[:at] + draw(st.sampled_from(TOKENS)) + content[at:]


def _replace_word(draw: st.DrawFn, content: bytes, _: Sequence[bytes]) -> bytes:
    """Replace a word, number or text in quotation marks, so that the syntax stays intact."""
    words = list(re.finditer(rb'"[^"]*"|[\w.+-]+', content[:20_000]))
    if not words:
        return content
    word = draw(st.sampled_from(words))
    return content[: word.start()] + draw(st.sampled_from(TOKENS)) + content[word.end() :]


def _repeat(draw: st.DrawFn, content: bytes, _: Sequence[bytes]) -> bytes:
    lines = content.split(b"\n")
    line = draw(st.sampled_from(lines))
    return b"\n".join([*lines, *[line] * draw(st.integers(1, 300))])


def _splice(draw: st.DrawFn, content: bytes, others: Sequence[bytes]) -> bytes:
    other = draw(st.sampled_from([content, *others]))
    at, start = draw(st.integers(0, len(content))), draw(st.integers(0, len(other)))
    return content[:at] + other[start:]


def _recode(draw: st.DrawFn, content: bytes, _: Sequence[bytes]) -> bytes:
    text = content.decode("utf-8", errors="replace")
    return text.encode(draw(st.sampled_from(ENCODINGS)), errors="replace")


_DAMAGES = (_flip, _cut, _truncate, _insert, _replace_word, _repeat, _splice, _recode)


@st.composite
def damaged_json(draw: st.DrawFn, value: Any, depth: int = 0) -> Any:
    """Draw a JSON value of which some parts are missing, odd or renamed."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.sampled_from(ODD_VALUES))
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if draw(st.integers(0, 15))}
        return {k: draw(damaged_json(v, depth + 1)) for k, v in kept.items()}
    if isinstance(value, list):
        return [draw(damaged_json(v, depth + 1)) for v in value]
    return value


@st.composite
def damaged_records(draw: st.DrawFn, value: Any) -> bytes:
    """Draw the text of a JSON value that is damaged in its values, then perhaps in its text."""
    text = json.dumps(draw(damaged_json(value))).encode()
    return draw(damaged(text)) if draw(st.booleans()) else text
