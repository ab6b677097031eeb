"""Read the records of a table: JSONL, JSON, CSV, TSV, Excel, OpenDocument or Parquet."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.columns import NAMES, plain
from imrnns_core.data.readers.files import SourceFile
from imrnns_core.data.readers.json_rows import Record, Rows, read_json_array, read_json_lines
from imrnns_core.data.readers.parquet_rows import read_parquet
from imrnns_core.data.readers.sheet_size import check_sheet
from imrnns_core.data.recognition import LONE_SURROGATE
from imrnns_core.errors import DataError

DELIMITERS = ",;\t|"
TITLE_ROWS = 10
"""Rows among which the names of the columns are looked for."""
_NAMES = frozenset(chain.from_iterable(NAMES.values()))
_MAX_NAME = 60
"""A cell of the first row with more characters is a text, not the name of a column."""


def read_rows(file: SourceFile, report: FileReport) -> Rows:
    """Yield the records of a table.

    Counts each record in `report.records`, and rejects those that are broken.

    Raises:
        DataError: If the file cannot be read at all, or a small file unpacks to endless records.
    """
    readers: dict[str, Callable[[SourceFile, FileReport], Rows]] = {
        ".json": read_json_array,
        ".jsonl": read_json_lines,
        ".ndjson": read_json_lines,
        ".parquet": read_parquet,
        **dict.fromkeys((".xlsx", ".xls", ".ods"), _sheet),
    }
    rows = readers.get(file.suffix, _csv)(file, report)
    most = file.most_records
    for number, row in enumerate(rows, start=1):
        if number > most:
            raise file.endless()
        yield row


def cells_of(line: str, mark: str | None) -> list[str]:
    """Return the cells of a line of judgments or of a run; `mark` None means blanks."""
    if mark is None:
        return line.split()
    if mark == "\t":
        return [cell.strip().strip('"') for cell in line.split(mark)]
    # a cell in quotation marks may contain the separator
    # the default is 128 kB; the limit is that of the whole process, so it is never lowered
    csv.field_size_limit(max(csv.field_size_limit(), len(line) + 1))
    reader = csv.reader([line], delimiter=mark, skipinitialspace=True)
    return [cell.strip() for cell in next(reader, [])]


def first_rows(file: SourceFile, count: int = 20) -> list[Record]:
    """Return the first records of a table, without a report.

    Raises:
        DataError: If the file cannot be read at all.
    """
    report = FileReport(str(file.path), "documents")
    return [record for _, record in islice(read_rows(file, report), count)]


def _csv(file: SourceFile, report: FileReport) -> Rows:
    text = file.text(report)
    mark = delimiter(file, text)
    if mark == "\t":  # tools that write tabs rarely quote: a quotation mark is part of the text
        cells = (line.split("\t") for line in text.split("\n"))
        return _table(enumerate(([_unquoted(c) for c in row] for row in cells), start=1), report)
    # a text may be longer than the default of 128 kB; the limit is that of the whole process, so
    # it is never lowered
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    return _table(_quoted_rows(text, mark, report), report)


def _unquoted(cell: str) -> str:
    whole = re.fullmatch(r'"((?:[^"]|"")*)"', cell)
    return whole[1].replace('""', '"') if whole else cell


def _quoted_rows(text: str, mark: str, report: FileReport) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each row starts; a quoted cell may go over several lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    lines, start = list[str](), 1
    for row in reader:
        if reader.line_num > start and not lines:
            lines = text.split("\n")
        # Python's reader ends such a row at the end of the file, and hides all lines between
        if reader.line_num > start and _open_quote(lines[start - 1 : reader.line_num]):
            report.records += 1
            report.reject("with a quotation mark that is never closed", start, row[0])
            return
        yield start, row
        start = reader.line_num + 1


def _open_quote(lines: Sequence[str]) -> bool:
    """Return whether the lines have an odd number of quotation marks."""
    return sum(line.count('"') for line in lines) % 2 == 1


def delimiter(file: SourceFile, text: str) -> str:
    """Return the character that separates the cells of the first line."""
    if file.suffix == ".tsv":
        return "\t"
    first = text.lstrip().split("\n", 1)[0]
    # outside quotation marks: a title may contain any of them
    outside = re.sub(r'"[^"]*"', "", first)
    return max(DELIMITERS, key=lambda mark: (outside.count(mark), -DELIMITERS.index(mark)))


def _table(rows: Iterable[tuple[int, Sequence[Any]]], report: FileReport) -> Rows:
    """Yield the rows of a table by the names in its first row, or in one below a title."""
    names: list[str] | None = None
    # blank rows are at the end of many sheets
    filled = ((line, row) for line, row in rows if any(str(cell).strip() for cell in row))
    for line, row in _below_title(filled, report):
        if names is None:
            names = header(row, report)
            if names is not None and not _known_names(row):
                report.remarks.append(
                    f"the first row, with “{names[0][:_MAX_NAME]}”, is read as the names of the "
                    "columns; if it is a record, write a row of names above it"
                )
            if names is not None:
                continue
            names = [str(i) for i in range(1, len(row) + 1)]
            report.remarks.append("no header; columns are named by their number")
        report.records += 1
        if len(row) > len(names) and any(str(cell).strip() for cell in row[len(names) :]):
            report.reject(f"with more than {len(names)} columns", line, str(row[0]))
            continue
        if len(row) < len(names):
            report.keep(f"with fewer than {len(names)} columns", line, str(row[0]))
        yield line, dict(zip(names, row, strict=False))


def _below_title(
    rows: Iterator[tuple[int, Sequence[Any]]], report: FileReport
) -> Iterator[tuple[int, Sequence[Any]]]:
    """Yield the rows from the one that names columns, if only narrower rows are above it."""
    first = list(islice(rows, TITLE_ROWS))
    widths = [sum(bool(str(cell).strip()) for cell in row) for _, row in first]
    known = [len(_known_names(row)) > 1 for _, row in first]
    start = known.index(True) if True in known else 0
    if start and max(widths[:start]) < widths[start]:
        report.remarks.append(
            f"the columns are named in line {first[start][0]}; the lines above it are not read"
        )
        first = first[start:]
    return chain(first, rows)


def _known_names(row: Sequence[Any]) -> frozenset[str]:
    """Return the known names of columns in a row."""
    return _NAMES & {plain(cell) for cell in row if isinstance(cell, str)}


def header(row: Sequence[Any], report: FileReport) -> list[str] | None:
    """Return the column names in the first row of a table, or None if it is a record.

    A name that comes again gets a number.
    """
    cells = [str(cell).strip() for cell in row]
    named = [cell for cell in cells if cell]
    repeated = [name for name, count in Counter(map(str.lower, named)).items() if count > 1]
    if repeated and len(_known_names(row)) > 1:
        report.remarks.append(
            f"several columns are named {', '.join(f'“{name}”' for name in repeated)}; the first "
            "one of each is read"
        )
        before = [[c.lower() for c in cells[:i]].count(c.lower()) for i, c in enumerate(cells)]
        numbers = [f" ({n + 1})" if c and n else "" for c, n in zip(cells, before, strict=True)]
        return [f"{c or i}{n}" for i, (c, n) in enumerate(zip(cells, numbers, strict=True), 1)]
    is_record = bool(repeated) or any(
        isinstance(cell, (int, float))
        or re.fullmatch(r"[\d.,+-]+|\w+://\S+", text)
        or len(text) > _MAX_NAME
        for cell, text in zip(row, cells, strict=True)
        if text
    )
    if is_record or not named:
        return None
    return [cell or str(i) for i, cell in enumerate(cells, start=1)]


def _sheet(file: SourceFile, report: FileReport) -> Rows:
    """Read the first sheet that has rows."""
    from python_calamine import CalamineError, CalamineWorkbook

    content = file.content()
    check_sheet(io.BytesIO(content), file.path)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows: list[list[Any]] = []
        filled = list[str]()
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height:
                rows = rows if filled else sheet.to_python()
                filled.append(name)
    except (CalamineError, OSError, ValueError) as error:
        remedy = "save it again as xlsx or CSV"
        raise DataError(file.path, f"cannot be read as a sheet ({error})", remedy) from None
    if len(filled) > 1:
        report.remarks.append(f"has {len(filled)} sheets; only “{filled[0]}” is read")
    return _table(enumerate(([_cell(c) for c in row] for row in rows), start=1), report)


def _cell(value: Any) -> Any:
    """Return whole numbers without the `.0` that sheets give to every number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def clean(value: Any, report: FileReport, line: int) -> str:
    """Return a value as text; half surrogate pairs, which no encoder accepts, become U+FFFD."""
    text = "" if value is None else value if isinstance(value, str) else str(value)
    if not text.isascii() and LONE_SURROGATE.search(text):
        report.change("with half a surrogate pair, now U+FFFD", line, repr(text[:40]))
        text = LONE_SURROGATE.sub("\ufffd", text)
    return text
