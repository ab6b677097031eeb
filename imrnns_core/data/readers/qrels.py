"""Read judgments (qrels) in the BEIR and TREC layouts, or from any table with these columns."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from typing import NamedTuple

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.columns import ROLES, Columns, named
from imrnns_core.data.readers.files import SourceFile
from imrnns_core.data.readers.grades import is_rounded, parse_grade
from imrnns_core.data.readers.json_rows import Record, Rows
from imrnns_core.data.readers.rows import cells_of, clean, delimiter, read_rows
from imrnns_core.data.readers.trec import from_trec_id
from imrnns_core.errors import DataError

Judged = dict[str, dict[str, Fraction]]
_ROLES = ROLES["judgments"]
UNKNOWN_DOCUMENT = "of a document that the corpus does not have"
REMEDY = "write query-id, corpus-id and score, separated by tabs"
IN_TREC = {"query-id": "1", "document": "3", "grade": "4"}
IN_BEIR = {"query-id": "1", "document": "2", "grade": "3"}
"""Roles of the columns, by their number, in files without a header."""


class _Layout(NamedTuple):
    columns: Columns
    has_header: bool


def read_qrels(
    file: SourceFile,
    report: FileReport,
    queries: Container[str],
    documents: Container[str],
    judged: Judged,
    chosen: Columns | None = None,
) -> None:
    """Add the judgments of a file to `judged`, query id → document id → grade.

    Text files have the columns query, document and grade, or in TREC files query, 0, document and
    grade, separated by tabs, commas or blanks. A header names them in any order. Judgments of
    unknown documents are kept: they count in the ideal ranking of nDCG, as in trec_eval. Those of
    unknown queries are rejected: there is nothing to rank for them.

    Args:
        file: The file.
        report: Gets the columns, the counts and the irregularities.
        queries: The known query ids.
        documents: The known document ids.
        judged: The judgments of the split; of two for a pair, the first stays.
        chosen: Role → column, for columns that the user named.

    Raises:
        DataError: If the file cannot be read, or has no such columns.
    """
    if file.suffix in (".jsonl", ".ndjson", ".json", ".parquet", ".xlsx", ".xls", ".ods"):
        rows = read_rows(file, report)
        first = next(rows, None)
        columns = _columns(list(first[1]) if first else [], chosen or {}, file)
        rows = chain([first] if first else [], rows)
    else:
        rows, columns = _text_rows(file, report, chosen or {})
    report.columns.update(columns)
    for line, record in rows:
        _judge(record, line, columns, report, (queries, documents), judged)


def _columns(names: Sequence[str], chosen: Columns, file: SourceFile) -> Columns:
    rest = [name for name in names if name not in chosen.values()]
    columns = {**chosen, **named([role for role in _ROLES if role not in chosen], rest)}
    if missing := [role for role in _ROLES if role not in columns]:
        problem = f"no column for {' and '.join(missing)} among {', '.join(names) or 'none'}"
        raise DataError(file.path, problem, "rename the column, or name it (--column grade=NAME)")
    return columns


def _text_rows(file: SourceFile, report: FileReport, chosen: Columns) -> tuple[Rows, Columns]:
    lines = file.lines(report)
    first = next(lines, None)
    if first is None:
        return iter(()), IN_BEIR
    mark = _mark(file, first[1])
    layout = _layout(cells_of(first[1], mark), chosen, file)
    rest = lines if layout.has_header else chain([first], lines)
    names = [c.strip() for c in cells_of(first[1], mark)] if layout.has_header else None
    return _records(rest, mark, names, report), layout.columns


def _mark(file: SourceFile, first: str) -> str | None:
    """Return what separates the columns of a line; None means blanks."""
    if "\t" in first:
        return "\t"
    if not any(mark in first for mark in ",;|") or _is_trec(first.split()):
        return None
    # an id can contain one of these characters
    mark = delimiter(file, first)
    by_blanks, by_mark = (_is_judgment(cells_of(first, own)) for own in (None, mark))
    return None if by_blanks and not by_mark else mark


def _is_judgment(cells: Sequence[str]) -> bool:
    """Return whether the cells of a line can be a judgment."""
    return len(cells) in (3, 4) and parse_grade(cells[-1]) is not None


def _is_trec(cells: Sequence[str]) -> bool:
    """Return whether the cells of a line are a judgment in the TREC format."""
    return len(cells) == 4 and cells[1].lower() in ("0", "q0") and _is_judgment(cells)


def _layout(cells: Sequence[str], chosen: Columns, file: SourceFile) -> _Layout:
    """Return the columns of a file from its first line.

    Raises:
        DataError: If the first line is neither a header with all columns nor a judgment.
    """
    if chosen or parse_grade(cells[-1]) is None:
        found = named(_ROLES, cells)
        if chosen or len(found) > 1 or len(cells) not in (3, 4):
            return _Layout(_columns(cells, chosen, file), has_header=True)
    if len(cells) not in (3, 4):
        raise DataError(file.path, f"{len(cells)} columns", REMEDY, 1)
    return _Layout(IN_TREC if len(cells) == 4 else IN_BEIR, has_header=False)


def _records(
    lines: Iterator[tuple[int, str]],
    mark: str | None,
    names: Sequence[str] | None,
    report: FileReport,
) -> Rows:
    width = len(names) if names else None
    for line, text in lines:
        report.records += 1
        cells = cells_of(text, mark)
        width = width or len(cells)
        if len(cells) != width:
            report.reject(f"without {width} columns", line, text.strip())
            continue
        yield line, dict(zip(names or map(str, range(1, width + 1)), cells, strict=True))


def _judge(
    record: Record,
    line: int,
    columns: Columns,
    report: FileReport,
    known: tuple[Container[str], Container[str]],
    judged: Judged,
) -> None:
    """Add the judgment of one record to `judged`, or reject it."""
    query_id, document_id, text = (
        clean(record.get(columns[role]), report, line).strip() for role in _ROLES
    )
    query_id, document_id = from_trec_id(query_id, known[0]), from_trec_id(document_id, known[1])
    grade = parse_grade(text)
    if grade is None:
        report.reject("whose grade is not a number up to 1,000,000", line, text)
    elif not query_id or not document_id:
        report.reject("without query or document", line)
    elif query_id not in known[0]:
        report.reject("of a query that the data set does not have", line, query_id)
    else:
        add(judged, query_id, document_id, grade, report, line)
        if grade < 0:
            report.change("whose negative grade counts as 0, not relevant", line, text)
        if is_rounded(text):
            report.keep("whose grade was rounded to hundredths", line, text)
        if document_id not in known[1]:
            report.keep(UNKNOWN_DOCUMENT, line, document_id)


def add(
    judged: Judged, query_id: str, document_id: str, grade: Fraction, report: FileReport, line: int
) -> None:
    """Add a judgment and count it; of two for the same pair, the first stays."""
    repeats = document_id in judged.get(query_id, {})
    earlier = judged.setdefault(query_id, {}).setdefault(document_id, grade)
    if repeats and earlier == grade:
        report.keep("that repeat an earlier one", line, f"{document_id} for {query_id}")
        report.accept()
    elif earlier != grade:
        example = f"{document_id} for {query_id}"
        report.reject("with another grade than an earlier judgment of the pair", line, example)
    else:
        report.accept()
