"""Read judgments (qrels) in the BEIR and TREC layouts."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from imrnns_core.data.dataset import MAX_GRADE
from imrnns_core.errors import DataError
from imrnns_core.types import Qrels

COLUMN_NAMES = {
    "query": {"query-id", "query_id", "queryid", "qid", "query", "topic"},
    "document": {"corpus-id", "corpus_id", "doc_id", "docid", "document", "document_id", "pid"},
    "grade": {"score", "grade", "relevance", "rel", "label"},
}
"""Names of the columns in a header line."""


class _Columns(NamedTuple):
    """Positions of query id, document id and grade in a line."""

    query: int = 0
    document: int = -2
    grade: int = -1


def parse_qrels(
    path: Path,
    lines: Iterable[tuple[int, str]],
    documents: Container[str],
    queries: Container[str],
) -> Qrels:
    """Return the judgments of a file, query id → document id → grade.

    Columns are separated by tabs or spaces. A header line names the columns, in any order. Without
    a header, a line has query, document and grade, or in TREC files query, 0, document and grade.

    `path` is for messages, `lines` are numbered, `documents` and `queries` are the known ids.

    Raises DataError if a line is not a valid judgment; the error names the line.
    """
    qrels: dict[str, dict[str, int]] = {}
    columns: _Columns | None = None
    for line, text in lines:
        if not text.strip():
            continue
        fields = _fields(path, line, text)
        if columns is None:
            header = _header(path, line, fields)
            columns = header or _Columns()
            if header:
                continue
        query_id, document_id, grade_text = (fields[i] for i in columns)
        grade = _grade(path, line, grade_text)
        _check_known(path, line, "query", query_id, queries)
        _check_known(path, line, "document", document_id, documents)
        judged = qrels.setdefault(query_id, {})
        if judged.get(document_id, grade) != grade:
            raise DataError(
                path,
                f"judges {document_id!r} for {query_id!r} twice, with different grades",
                "keep one of the lines",
                line,
            )
        judged[document_id] = grade
    return qrels


def _fields(path: Path, line: int, text: str) -> list[str]:
    fields = text.rstrip("\r").split("\t") if "\t" in text else text.split()
    if len(fields) not in (3, 4):
        remedy = "write query-id, corpus-id and score, separated by tabs"
        raise DataError(path, f"{len(fields)} columns", remedy, line)
    return fields


def _header(path: Path, line: int, fields: Sequence[str]) -> _Columns | None:
    """Return the columns that a header line names, None if the line is a judgment."""
    if _is_whole_number(fields[-1]):
        return None
    names = [field.strip().lower() for field in fields]
    found = {
        column: [i for i, name in enumerate(names) if name in known]
        for column, known in COLUMN_NAMES.items()
    }
    if not any(found.values()):
        return None  # a judgment whose grade is wrong: the message about the grade is clearer
    if any(len(positions) != 1 for positions in found.values()):
        raise DataError(
            path,
            f"the header {', '.join(fields)} does not name each of query, document and grade once",
            "name the columns query-id, corpus-id and score",
            line,
        )
    return _Columns(**{column: positions[0] for column, positions in found.items()})


def _is_whole_number(text: str) -> bool:
    try:
        int(text)
    except ValueError:
        return False
    return True


def _grade(path: Path, line: int, text: str) -> int:
    if not _is_whole_number(text):
        raise DataError(
            path,
            f"grade {text!r} is not a whole number",
            f"write a grade from 0 to {MAX_GRADE}",
            line,
        )
    grade = int(text)
    if not 0 <= grade <= MAX_GRADE:
        raise DataError(
            path,
            f"grade {grade} is outside 0 to {MAX_GRADE}",
            "map your grades to 0 (not relevant) to 3",
            line,
        )
    return grade


def _check_known(path: Path, line: int, kind: str, identifier: str, known: Container[str]) -> None:
    if identifier not in known:
        file = {"query": "queries.jsonl", "document": "corpus.jsonl"}[kind]
        raise DataError(
            path,
            f"judges the unknown {kind} {identifier!r}",
            f"add it to {file} or remove the line",
            line,
        )
