"""The limits of what a compressed file may unpack to; nothing is unpacked to disk."""

from __future__ import annotations

import gzip
import lzma
import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import IO

from imrnns_core.errors import DataError

MAX_RATIO, FREE_BYTES = 100, 50_000_000
"""A compressed file may be 100 times as large when unpacked; this does not apply to 50 MB."""
MAX_MEMBERS = 100_000
"""Files in a zip."""
ZIP_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OverflowError),
    *(RuntimeError, NotImplementedError, ValueError),
)
"""What `zipfile` raises for a damaged zip, a password (RuntimeError) or an unknown compression."""
CHUNK = 1 << 20
"""Bytes that are unpacked at once."""
MAX_UNPACKED = 2_000_000_000
"""Bytes to which an uploaded file may unpack, all files of a zip together."""
_GZIP = b"\x1f\x8b"


def unpacked_limit(packed: int) -> int:
    """Return the bytes to which a compressed file of this size may unpack."""
    return max(FREE_BYTES, MAX_RATIO * packed)


def check_ratio(path: Path, packed: int, unpacked: int) -> None:
    """Check what a compressed file unpacks to.

    Args:
        path: The path that the message shows.
        packed: Its size in bytes.
        unpacked: Its unpacked size in bytes.

    Raises:
        DataError: If it is more than `MAX_RATIO` times as large, and more than `FREE_BYTES`.
    """
    if unpacked > unpacked_limit(packed):
        raise DataError(
            path,
            f"unpacks to more than {MAX_RATIO} times its size",
            "unpack it yourself if you trust it, and name the folder",
        )


def leads_out(name: str) -> bool:
    """Return whether a path in an archive is absolute, of a drive, or climbs with `..`."""
    return ".." in name.split("/") or bool(re.match(r"/|[A-Za-z]:", name))


def zip_members(path: Path) -> list[zipfile.ZipInfo]:
    """Return the files of a zip, which together may unpack to what `check_ratio` allows.

    Raises:
        DataError: If the zip is damaged, or has too many or too large files.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (*ZIP_DAMAGE, OSError) as error:
        raise damaged_zip(path, error) from None
    if len(members) > MAX_MEMBERS:
        problem = f"has {len(members):,} files, more than {MAX_MEMBERS:,}"
        raise DataError(path, problem, "unpack it yourself if you trust it, and name the folder")
    check_ratio(path, path.stat().st_size, sum(member.file_size for member in members))
    return members


def damaged_zip(path: Path, error: Exception) -> DataError:
    """Return the error for a zip that cannot be read."""
    problem = f"cannot be read from the zip ({error})"
    return DataError(path, problem, "create the zip again, without a password")


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
    except (*ZIP_DAMAGE, OSError):
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
