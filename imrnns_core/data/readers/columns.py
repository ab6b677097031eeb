"""Guess which column of a table holds what, from the names of the columns and their values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from imrnns_core.data.import_report import Kind
from imrnns_core.data.readers.json_rows import Record
from imrnns_core.errors import DataError

Columns = Mapping[str, str]
"""Role of a column → its name in the file."""

NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "docid", "documentid", "pid", "passageid", "corpusid", "docno", "key", "uuid",
           "guid", "pageid", "identifier", "number"),
    "query-id": ("id", "qid", "queryid", "questionid", "topicid", "query", "topic", "key", "uuid",
                 "identifier", "number", "num"),
    "title": ("title", "heading", "headline", "name", "pagetitle", "documenttitle", "caption"),
    "text": ("text", "body", "content", "contents", "passage", "abstract", "document",
             "description", "pagecontent", "markdown", "html", "paragraph", "chunk", "answer",
             "summary"),
    "url": ("url", "link", "uri", "address", "href", "permalink", "source", "path", "page"),
    "subject": ("subject", "category", "topic", "section", "department", "tags"),
    "query": ("query", "question", "querytext", "questiontext", "text", "search", "searchterm",
              "keyword", "keywords", "title", "prompt", "utterance", "claim", "q", "request"),
    "document": ("docno", "corpusid", "docid", "documentid", "pid", "passageid", "document", "doc",
                 "expectedpage", "expecteddocument", "expectedurl", "expectedid", "expected",
                 "expectedtitle", "relevantdocument", "relevantpage", "relevantdoc", "relevant",
                 "answerurl", "answerpage", "goldid", "gold", "golddoc", "target", "page", "url",
                 "link", "source", "passage"),
    "grade": ("score", "grade", "relevance", "rel", "label", "rating", "judgment", "judgement",
              "relevancelabel", "relevancescore"),
    "rank": ("rank", "position", "pos"),
    "score": ("score", "sim", "similarity", "relevancescore", "relevance", "weight", "value"),
}  # fmt: skip
"""Role → names of columns in lower case, without spaces and punctuation, the likeliest first."""

ROLES: Mapping[Kind, tuple[str, ...]] = {
    "documents": ("id", "title", "text", "url", "subject"),
    "queries": ("query", "query-id", "document", "grade"),
    "judgments": ("query-id", "document", "grade"),
    "ranked documents": ("query-id", "document", "rank", "score"),
}
"""The roles that columns can have in a file of this kind."""

QUESTION_NAMES = ("query", "question", "querytext", "questiontext", "searchterm", "utterance")
"""Names of a column that only a file of queries has."""
_SEVERAL = re.compile(r"\s*[;|\n]\s*")


def plain(name: str) -> str:
    """Return a column name in lower case, without spaces and punctuation."""
    return re.sub(r"[\W_]+", "", name.lower())


def named(roles: Iterable[str], columns: Iterable[str]) -> dict[str, str]:
    """Return role → column by the names of the columns; a column has one role at most."""
    columns = list(columns)
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(plain(column), column)
    for column in columns:  # such as "docs"
        by_name.setdefault(plain(column).removesuffix("s"), column)
    found: dict[str, str] = {}
    for role in roles:
        known = (by_name.get(name) for name in NAMES[role])
        free = [column for column in known if column and column not in found.values()]
        if free:
            found[role] = free[0]
    return found


def document_columns(rows: Sequence[Record], chosen: Columns, path: Path) -> dict[str, str]:
    """Return the columns of a file of documents.

    Args:
        rows: The first records.
        chosen: Columns that the user named; they have priority. Empty means that no column has
            this role.
        path: The file, for messages.

    Raises:
        DataError: If a chosen column does not exist, or no column has texts.
    """
    columns = _names(rows)
    _check_chosen(chosen, "documents", columns, path)
    rest = [column for column in columns if column not in chosen.values()]
    wanted = [role for role in ROLES["documents"] if role not in chosen]
    found = {**_used(chosen), **named(wanted, rest)}
    free = [column for column in rest if column not in found.values()]
    if "url" not in {**found, **chosen}:
        addresses = [c for c in free if _share(rows, c, r"\w+://\S+") > 0.5]
        found.update({"url": addresses[0]} if addresses else {})
    free = [column for column in free if column not in found.values()]
    # without any known name: the longest texts, and an id that is different in each row
    if "text" not in {**found, **chosen} and free:
        found["text"] = max(free, key=lambda column: _length(rows, column))
        free.remove(found["text"])
    if "id" not in {**found, **chosen}:
        unique = [c for c in free if _is_id(rows, c)]
        found.update({"id": unique[0]} if unique else {})
    if "text" not in found and "title" not in found:
        problem = f"no column with texts among {', '.join(columns) or 'none'}"
        raise DataError(path, problem, "choose the column with texts (--column text=NAME)")
    return {role: found[role] for role in ROLES["documents"] if role in found}


def query_columns(
    rows: Sequence[Record],
    chosen: Columns,
    path: Path,
    find: Callable[[str], Sequence[str]] | None = None,
) -> dict[str, str]:
    """Return the columns of a file of queries.

    Args:
        rows: See `document_columns`, as for `chosen` and `path`.
        chosen: Columns that the user named.
        path: The file.
        find: Returns the documents that a cell names. A column whose name says nothing is read as
            expected documents only if one of them is found; None means that it is not asked.

    Raises:
        DataError: If a chosen column does not exist, or no column has queries.
    """
    columns = _names(rows)
    _check_chosen(chosen, "queries", columns, path)
    rest = [column for column in columns if column not in chosen.values()]
    wanted = [role for role in ROLES["queries"] if role not in chosen]
    found = {**_used(chosen), **named(wanted, rest)}
    free = [column for column in rest if column not in found.values()]
    if "query" not in {**found, **chosen} and free:
        found["query"] = max(free, key=lambda column: _length(rows, column))
        free.remove(found["query"])
    if "query" not in found:
        problem = f"no column with queries among {', '.join(columns) or 'none'}"
        raise DataError(path, problem, "choose the column with queries (--column query=NAME)")
    if "query-id" not in {**found, **chosen}:
        # ids come before the texts; what comes after them says where the answer is
        before = columns[: columns.index(found["query"])]
        unique = [c for c in free if c in before and _is_id(rows, c)]
        found.update({"query-id": unique[0]} if unique else {})
        free = [column for column in free if column not in found.values()]
    if "document" not in {**found, **chosen}:
        unique = [c for c in free if _is_id(rows, c)]
        unique = [c for c in unique if find is None or any(map(find, _values(rows, c)))]
        found.update({"document": unique[-1]} if unique else {})
    return {role: found[role] for role in ROLES["queries"] if role in found}


def not_read(rows: Sequence[Record], columns: Columns) -> list[str]:
    """Return a remark that names the columns of a table that have no role; none if all have one."""
    unread = [repr(column) for column in _names(rows) if column not in columns.values()]
    return [f"columns that are not read: {', '.join(unread)}"] if unread else []


def _used(chosen: Columns) -> dict[str, str]:
    """Return the chosen columns without the roles that are to have none."""
    return {role: column for role, column in chosen.items() if column}


def several(cell: str) -> list[str]:
    """Return the documents that one cell names, separated by semicolons, bars or line breaks."""
    return [part for part in _SEVERAL.split(cell.strip()) if part]


def has_judgments(columns: Iterable[str]) -> bool:
    """Return whether a table has query ids, document ids and grades: a file of judgments."""
    return len(named(ROLES["judgments"], columns)) == len(ROLES["judgments"])


def has_questions(columns: Iterable[str]) -> bool:
    """Return whether a table has a column that only a file of queries has."""
    return bool({plain(column) for column in columns} & set(QUESTION_NAMES))


def _names(rows: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _check_chosen(chosen: Columns, kind: Kind, columns: Sequence[str], path: Path) -> None:
    for role, column in chosen.items():
        if column and column not in columns:
            remedy = f"its columns are {', '.join(columns) or 'none'}"
            raise DataError(path, f"no column {column!r}, which is named for {role}", remedy)


def _values(rows: Sequence[Record], column: str) -> list[str]:
    return [str(row[column]) for row in rows if row.get(column) not in (None, "")]


def _share(rows: Sequence[Record], column: str, pattern: str) -> float:
    values = _values(rows, column)
    return sum(bool(re.fullmatch(pattern, value)) for value in values) / max(1, len(values))


def _length(rows: Sequence[Record], column: str) -> float:
    values = _values(rows, column)
    return sum(map(len, values)) / max(1, len(values))


def _is_id(rows: Sequence[Record], column: str) -> bool:
    values = _values(rows, column)
    return len(set(values)) == len(rows) == len(values) and _share(rows, column, r"\S{1,100}") == 1
