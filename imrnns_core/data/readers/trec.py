"""Read TREC runs."""

from __future__ import annotations

import math
from collections.abc import Container
from pathlib import Path

from imrnns_core.data.readers.beir import text_lines
from imrnns_core.errors import DataError


def read_run(
    path: Path, queries: Container[str], documents: Container[str]
) -> dict[str, list[str]]:
    """Read a TREC run, `query Q0 document rank score tag` a line.

    Return the document ids of each query, best first: the higher score stands first, and of equal
    scores the lower rank. Lines of queries that are not in `queries` are left out: a run may be
    made for more of them.

    Raises DataError, with the line, for anything that is no run, a document ranked twice and one
    not in `documents`.
    """
    scored: dict[str, dict[str, tuple[float, int]]] = {}
    for line, text in text_lines(path):
        if not text.strip():
            continue
        query_id, document_id, key = _entry(path, line, text)
        if query_id not in queries:
            continue
        if document_id not in documents:
            problem, remedy = (
                f"ranks the unknown document {document_id!r}",
                "take the run of this corpus",
            )
            raise DataError(path, problem, remedy, line)
        if document_id in scored.setdefault(query_id, {}):
            problem = f"ranks {document_id!r} for {query_id!r} twice"
            raise DataError(path, problem, "keep one of the lines", line)
        scored[query_id][document_id] = key
    return {q: sorted(ranked, key=ranked.__getitem__) for q, ranked in scored.items()}


def _entry(path: Path, line: int, text: str) -> tuple[str, str, tuple[float, int]]:
    """Return query, document and sort key of a line of a run."""
    fields = text.split("\t") if "\t" in text else text.split()
    if len(fields) != 6:
        remedy = "a TREC run has six: query Q0 document rank score tag"
        raise DataError(path, f"{len(fields)} columns", remedy, line)
    query_id, _, document_id, rank, score, _ = fields
    try:
        key = (-float(score), int(rank))
    except ValueError:
        problem = f"rank {rank!r} or score {score!r} is not a number"
        remedy = "write query Q0 document rank score tag"
        raise DataError(path, problem, remedy, line) from None
    if math.isnan(key[0]):
        raise DataError(path, "the score is NaN", "mend or remove this line", line)
    return query_id, document_id, key
