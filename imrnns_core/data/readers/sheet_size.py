"""The limit of the cells of a sheet: readers keep a cell for each empty one in between, too."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from imrnns_core.data.readers.unpacked_size import CHUNK, ZIP_DAMAGE, check_ratio
from imrnns_core.errors import DataError

MAX_CELLS = 10_000_000
"""Cells of all sheets of a file, with the empty ones between the first and the last."""
_EXCEL = re.compile(
    rb"""<(?:\w+:)?(c|row)(?=[\s/>])(?:[^>]*?\sr\s*=\s*["']([A-Z]{0,3})(\d{0,7})["'])?"""
)
"""A row or cell, and where it is; without a place it follows the one before."""
_ROW = re.compile(rb"<table:table-row\b([^>]*)>(.*?)</table:table-row>", re.S)
_CELL = re.compile(rb"<table:(?:covered-)?table-cell\b([^>]*)>")
_REPEATED = re.compile(rb"""number-(?:columns|rows)-repeated\s*=\s*["'](\d+)""")
_OVERLAP = 300
"""Bytes that two parts of a file share, so that no cell is cut in two."""


def check_sheet(content: IO[bytes], shown: Path) -> None:
    """Check that an Excel or OpenDocument file has cells that can be read.

    A damaged file passes: its reader says what is wrong with it.

    Args:
        content: The file.
        shown: The path that the message shows.

    Raises:
        DataError: If it has more than `MAX_CELLS` cells, or unpacks to more than `check_ratio`
            allows.
    """
    packed = content.seek(0, 2)
    try:
        with zipfile.ZipFile(content) as archive:
            check_ratio(shown, packed, sum(info.file_size for info in archive.infolist()))
            names = archive.namelist()
            cells = sum(_cells(archive, info) for info in archive.infolist())
    except (*ZIP_DAMAGE, OSError):
        return
    if any(name.endswith(".bin") and "worksheets/" in name for name in names):
        raise DataError(shown, "is a binary workbook", "save it as xlsx or CSV")
    if cells > MAX_CELLS:
        problem = f"has sheets of {cells:,} cells, more than {MAX_CELLS:,}"
        raise DataError(shown, problem, "delete the cells far from the table, or save it as CSV")


def _cells(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """Return the cells of a sheet: rows times columns."""
    if info.filename.startswith("xl/worksheets/"):
        return _excel_cells(_parts(archive, info))
    if info.filename != "content.xml":
        return 0
    # trailing rows and cells without content are dropped by the reader
    rows = _ROW.findall(b"".join(part[overlap:] for overlap, part in _parts(archive, info)))
    return sum(_repeated(row) * _width(cells) for row, cells in rows if b"office:" in cells)


def _excel_cells(parts: Iterator[tuple[int, bytes]]) -> int:
    """Return the rows, to the last one with a cell, times the columns."""
    rows = columns = row = 0
    for _, part in parts:
        for kind, letters, number in _EXCEL.findall(part):
            row = int(number or row)
            if kind == b"c":
                rows, columns = max(rows, row), max(columns, _column(letters))
    return rows * columns


def _width(cells: bytes) -> int:
    last = cells.index(b">", cells.rindex(b"office:")) + 1
    return sum(map(_repeated, _CELL.findall(cells[:last])))


def _repeated(attributes: bytes) -> int:
    found = _REPEATED.search(attributes)
    return min(int(found[1]), MAX_CELLS + 1) if found else 1


def _column(letters: bytes) -> int:
    """Return the number of a column by its name: A is 1, AA is 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _parts(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[tuple[int, bytes]]:
    """Yield the parts of a file, each with the number of bytes that it repeats of the last one."""
    rest = b""
    with archive.open(info) as file:
        while part := file.read(CHUNK):
            yield len(rest), rest + part
            rest = part[-_OVERLAP:]
