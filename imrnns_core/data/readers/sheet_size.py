"""The check of a sheet before its reader sees it: XML that is complete, and cells that it can hold.

The reader keeps a cell for each empty one in between, and does not stop at XML that ends too early.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from xml.parsers import expat

from imrnns_core.data.readers.unpacked_size import CHUNK, ZIP_DAMAGE, check_ratio
from imrnns_core.errors import DataError

MAX_CELLS = 10_000_000
"""Cells of all sheets of a file, with the empty ones between the first and the last."""
_AGAIN = "save it again as xlsx or CSV"


def check_sheet(content: IO[bytes], shown: Path) -> None:
    """Check that an Excel or OpenDocument file has cells that can be read.

    A file that is no zip passes: the old xls format has at most 16 million cells in a sheet.

    Args:
        content: The file.
        shown: The path that the message shows.

    Raises:
        DataError: If it is damaged, has more than `MAX_CELLS` cells, or unpacks to more than
            `check_ratio` allows.
    """
    packed = content.seek(0, 2)
    if not zipfile.is_zipfile(content):
        return
    try:
        with zipfile.ZipFile(content) as archive:
            members = archive.infolist()
            check_ratio(shown, packed, sum(info.file_size for info in members))
            cells = sum(_cells(archive, info) for info in members)
    except (*ZIP_DAMAGE, OSError, expat.ExpatError) as error:
        raise DataError(shown, f"cannot be read as a sheet ({error})", _AGAIN) from None
    if cells > MAX_CELLS:
        problem = f"has sheets of {cells:,} cells, more than {MAX_CELLS:,}"
        raise DataError(shown, problem, "delete the cells far from the table, or save it as CSV")


def _cells(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> int:
    """Return the cells of a sheet, 0 for other parts; all XML is read to its end."""
    name = info.filename.lower()
    if "worksheets/" in name and name.endswith(".bin"):
        raise ValueError("a binary workbook")
    if not name.endswith((".xml", ".rels")):
        return 0
    counter = _OpenDocument() if name.endswith("content.xml") else _Excel()
    parser = expat.ParserCreate()
    parser.StartElementHandler = counter.start
    parser.StartDoctypeDeclHandler = _refuse_entities
    with archive.open(info) as file:
        while part := file.read(CHUNK):
            parser.Parse(part)
    parser.Parse(b"", True)
    return counter.cells


def _refuse_entities(*_: object) -> None:
    raise ValueError("with a DOCTYPE")


@dataclass
class _Excel:
    """Counts the rows, to the last one with a cell, times the columns."""

    row: int = 0
    column: int = 0
    rows: int = 0
    columns: int = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        kind, where = tag.rpartition(":")[2], attributes.get("r", "")
        if kind not in ("row", "c"):
            return
        letters = where.rstrip("0123456789")
        if kind == "row":
            self.row, self.column = int(where or self.row + 1), 0
            return
        self.row = int(where[len(letters) :] or self.row)
        self.column = _column(letters) or self.column + 1
        self.rows, self.columns = max(self.rows, self.row), max(self.columns, self.column)

    @property
    def cells(self) -> int:
        return self.rows * self.columns


@dataclass
class _OpenDocument:
    """Counts the cells with their repetitions, to the last one with content in each row."""

    rows: int = 1
    width: int = 0
    counted: int = 0
    cells: int = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "table:table-row":
            self.rows = int(attributes.get("table:number-rows-repeated", 1))
            self.width = self.counted = 0
        if tag in ("table:table-cell", "table:covered-table-cell"):
            self.width += int(attributes.get("table:number-columns-repeated", 1))
        if tag.startswith("text:") or any(name.startswith("office:") for name in attributes):
            self.cells += self.rows * (self.width - self.counted)
            self.counted = self.width


def _column(letters: str) -> int:
    """Return the number of a column by its name: A is 1, AA is 27; 0 without a name."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
