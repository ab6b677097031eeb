"""Read runs in the TREC format, and the ids in it."""

from __future__ import annotations

import math
import re
from collections.abc import Container
from pathlib import Path
from urllib.parse import quote, unquote

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.files import list_files
from imrnns_core.errors import DataError

_BLANK = re.compile(r"\s")


def to_trec_id(identifier: str) -> str:
    """Return an id as TREC files have it: blanks would separate columns, so they become %20.

    Ids without blanks stay as they are.
    """
    if not _BLANK.search(identifier):
        return identifier
    return re.sub(r"[\s%]", lambda found: quote(found[0]), identifier)


def from_trec_id(text: str, known: Container[str]) -> str:
    """Return the id that a TREC file names: the text itself, or decoded if only this is known."""
    decoded = unquote(text)
    return decoded if text not in known and decoded in known else text


def read_run(
    path: Path, queries: Container[str], documents: Container[str]
) -> dict[str, list[str]]:
    """Return query id → document ids, best first, of a TREC run.

    Each line has the columns `query Q0 document rank score tag`. Documents are sorted by descending
    score, and documents with equal scores by rank. A run may contain queries that are not in
    `queries`; their lines are ignored.

    Raises:
        DataError: If a line is not a line of a run, a document is not in `documents`, or a document
            is ranked twice for a query. The error names the line.
    """
    scored: dict[str, dict[str, tuple[float, int]]] = {}
    report = FileReport(str(path), "judgments")
    for line, text in list_files(path).files[0].lines(report):
        query_id, document_id, sort_key = _entry(path, line, text)
        query_id, document_id = (
            from_trec_id(query_id, queries),
            from_trec_id(document_id, documents),
        )
        if query_id not in queries:
            continue
        if document_id not in documents:
            problem, remedy = (
                f"ranks the unknown document {document_id!r}",
                "use a run of this corpus",
            )
            raise DataError(path, problem, remedy, line)
        if document_id in scored.setdefault(query_id, {}):
            problem = f"ranks {document_id!r} for {query_id!r} twice"
            raise DataError(path, problem, "keep one of the lines", line)
        scored[query_id][document_id] = sort_key
    return {
        query_id: sorted(sort_keys, key=sort_keys.__getitem__)
        for query_id, sort_keys in scored.items()
    }


def _entry(path: Path, line: int, text: str) -> tuple[str, str, tuple[float, int]]:
    """Return query id, document id and sort key (−score, rank) of one line.

    Raises:
        DataError: If the line has the wrong columns, or rank or score is not a number.
    """
    # tabs allow ids that contain spaces
    fields = text.split("\t") if "\t" in text else text.split()
    if len(fields) != 6:
        remedy = "a TREC run has six: query Q0 document rank score tag"
        raise DataError(path, f"{len(fields)} columns", remedy, line)
    query_id, _, document_id, rank, score, _ = fields
    try:
        sort_key = (-float(score), int(rank))
    except ValueError:
        problem = f"rank {rank!r} or score {score!r} is not a number"
        remedy = "write query Q0 document rank score tag"
        raise DataError(path, problem, remedy, line) from None
    # NaN is neither larger nor smaller than any score, so it cannot be sorted
    if math.isnan(sort_key[0]):
        raise DataError(path, "the score is NaN", "correct or remove this line", line)
    return query_id, document_id, sort_key
