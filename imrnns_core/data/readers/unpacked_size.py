"""The limit of what an uploaded file may unpack to; nothing is unpacked to disk."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import IO

from imrnns_core.data.readers.files import check_ratio
from imrnns_core.errors import DataError

MAX_UNPACKED = 2_000_000_000
"""Bytes to which an uploaded file may unpack, all files of a zip together."""
CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_DAMAGED = (OSError, EOFError, zlib.error, RuntimeError, NotImplementedError, zipfile.BadZipFile)


def check_unpacked_size(content: IO[bytes], shown: Path) -> None:
    """Check that a zip, a sheet or a gzip file unpacks to a size that can be read.

    A damaged file passes: its reader says what is wrong with it.

    Args:
        content: The file, whose position can be changed.
        shown: The name that the message shows.

    Raises:
        DataError: If it unpacks to more than `MAX_UNPACKED` bytes, or as `check_ratio` does.
    """
    packed = content.seek(0, 2)
    try:
        unpacked = _unpacked_bytes(content)
    except _DAMAGED:
        return
    if unpacked > MAX_UNPACKED:
        raise DataError(
            shown,
            f"unpacks to more than {MAX_UNPACKED / 1e9:.0f} GB",
            "unpack it yourself, and name the folder",
        )
    check_ratio(shown, packed, unpacked)


def _unpacked_bytes(content: IO[bytes]) -> int:
    """Return the unpacked size; counting stops once it is above the limit."""
    if not zipfile.is_zipfile(content):
        content.seek(0)
        return _gzip_bytes(content, MAX_UNPACKED)
    with zipfile.ZipFile(content) as archive:
        members = archive.infolist()
        total = sum(member.file_size for member in members)
        for member in members:
            if total > MAX_UNPACKED:
                break
            with archive.open(member) as file:  # also of compressed files in the zip
                total += _gzip_bytes(file, MAX_UNPACKED - total)
    return total


def _gzip_bytes(file: IO[bytes], limit: int) -> int:
    """Return the size to which a gzip file unpacks; 0 if it is none."""
    if file.read(len(_GZIP)) != _GZIP:
        return 0
    file.seek(0)
    total = 0
    with gzip.GzipFile(fileobj=file) as unpacked:
        while total <= limit and (part := unpacked.read(CHUNK)):
            total += len(part)
    return total
