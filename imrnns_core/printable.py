"""Texts of others as a terminal, a line or a file name can show them without interpreting them."""

from __future__ import annotations

import re

LONGEST_LINE = 1_500
"""Characters of a message; a file can put any length into it."""
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Characters that change the order in which the others are shown."""
_CONTROLS = dict.fromkeys(
    i for i in (*range(0x20), *range(0x7F, 0xA0), *_BIDI) if chr(i) not in "\n\t"
)
"""C0 controls, DEL, C1 controls and marks of direction, without line ends and tabs."""
_BREAKS = re.compile(r"[\n\t\u2028\u2029]+")
_UNPRINTABLE = re.compile(r"[\ud800-\udfff\ufffe\uffff]")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|(com|lpt)[0-9])(\.|$)")
"""Names of devices, which Windows does not allow as names of files."""


def printable(text: str) -> str:
    """Return a text without characters that a terminal executes or that reverse its order."""
    return text.translate(_CONTROLS)


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """Return a text as one printable line; the middle of a longer one is left out."""
    # a break is a blank, so that words stay apart
    line = _UNPRINTABLE.sub("\ufffd", printable(_BREAKS.sub(" ", text)))
    if len(line) <= longest:
        return line
    half = longest // 2
    return f"{line[:half]} … {line[-half:]}"


def file_name(text: str, longest: int = 80) -> str:
    """Return a name that is valid on any file system.

    It consists of at most `longest` letters, digits, dots, dashes and underscores.
    """
    name = re.sub(r"[^A-Za-z0-9._-]+", "_", text).strip("._")[:longest].rstrip(".")
    return f"_{name}" if _RESERVED.match(name) else name or "data"
