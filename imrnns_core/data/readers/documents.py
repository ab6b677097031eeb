"""Read documents from tables, and find the document that a question names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.columns import Columns, document_columns, not_read
from imrnns_core.data.readers.files import SourceFile
from imrnns_core.data.readers.json_rows import Record, Rows
from imrnns_core.data.readers.rows import clean, first_rows, read_rows
from imrnns_core.data.records import Document


def read_documents(
    file: SourceFile, report: FileReport, chosen: Columns, documents: dict[str, Document]
) -> None:
    """Add the documents of a table to `documents`, id → document.

    Args:
        file: The table.
        report: Gets the columns, the counts and the irregularities.
        chosen: Role → column, for columns that the user named.
        documents: Documents of other files of the corpus; gets those of this one.

    Raises:
        DataError: If the file cannot be read, or no column has texts.
    """
    first = first_rows(file)
    # without any record, the report says what is wrong with the lines
    columns = document_columns(first, chosen, file.path) if first else {}
    report.columns.update(columns)
    # an object `metadata` may contain the subject and the address
    report.remarks += not_read(first, {**columns, "fields": "metadata"})
    if first and "id" not in columns:
        source = "the address" if "url" in columns else "the number of the row"
        report.remarks.append(f"no column with ids; the id is {source}")
    collect(_documents(read_rows(file, report), report, columns), report, documents)


def collect(
    found: Iterable[tuple[int, Document]], report: FileReport, documents: dict[str, Document]
) -> None:
    """Add documents by their ids; an id that occurs again is rejected, an empty text is noted."""
    for line, document in found:
        if not document.id:
            report.reject("without an id", line)
        elif document.id in documents:
            _repeat(documents, document, report, line)
        else:
            if not (document.title + document.text).strip():
                report.keep("without title and text", line, document.id)
            documents[document.id] = document
            report.accept()


def _repeat(
    documents: dict[str, Document], document: Document, report: FileReport, line: int
) -> None:
    """Reject a document whose id is in use; a copy may know the address that the first lacks."""
    first = documents[document.id]
    if (first.title, first.text) != (document.title, document.text):
        problem = "with the id of an earlier document, but another text"
        report.reject(problem, line, document.id)
        return
    documents[document.id] = replace(first, url=first.url or document.url)
    report.reject("that repeat an earlier document", line, document.id)


def _documents(rows: Rows, report: FileReport, columns: Columns) -> Iterable[tuple[int, Document]]:
    for line, record in rows:
        fields = {role: field(record, columns[role], report, line) for role in columns}
        identifier = fields.get("id") if "id" in columns else fields.get("url") or str(line)
        yield (
            line,
            Document(
                one_line(identifier or "", report, line),
                fields.get("title", ""),
                fields.get("text", ""),
                fields.get("subject") or _nested(record, "subject"),
                fields.get("url") or _nested(record, "url"),
            ),
        )


def field(record: Record, column: str, report: FileReport, line: int) -> str:
    """Return the value of a column as text; other types are noted."""
    value = record.get(column)
    # paragraphs of one text are often a list
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        report.change(f"where {column} is a list of texts, now joined", line)
        value = "\n".join(value)
    # an id or a year is often a number, which needs no note
    elif isinstance(value, (list, dict, bool)):
        report.change(f"where {column} is not a text, now written as JSON", line, repr(value))
        value = json.dumps(value, ensure_ascii=False, default=str)
    return clean(value, report, line)


def one_line(identifier: str, report: FileReport, line: int) -> str:
    """Return an id without line breaks and outer blanks, which files of ids cannot contain."""
    changed = identifier.strip()
    if set("\n\r\t") & set(changed):
        changed = " ".join(changed.split())
    if changed and changed != identifier:
        report.change("with blanks around the id or a line break in it, now removed", line, changed)
    return changed


def _nested(record: Record, key: str) -> str:
    """Return a field of the object `metadata`, where BEIR collections keep it."""
    metadata: Any = record.get("metadata")
    value = metadata.get(key) if isinstance(metadata, dict) else None
    return value if isinstance(value, str) else ""


NUMBER_DIGITS = 5
"""Digits of a number at the end of an address that can be the id of a page."""


class DocumentFinder:
    """Finds documents by id, address or title.

    Args:
        documents: Document id → document.
    """

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self._documents = documents

    def is_id(self, name: str) -> bool:
        """Return whether a document has this id."""
        return name in self._documents

    def find(self, name: str) -> Sequence[str]:
        """Return the ids of the documents that this id, address or title names.

        An address also names the document whose id is its last part, such as `…/wiki-001`, unless
        this is a number of fewer than `NUMBER_DIGITS` digits: it can be anything, such as the
        number of a row. Several ids mean that several documents have this title or address.
        """
        # pages of a wiki often have their id at the end of their address
        last = address(name.strip()).rsplit("/", 1)[-1].lower()
        is_short_number = last.isdigit() and len(last) < NUMBER_DIGITS
        by_end = [] if is_short_number else self._by_lower_id.get(last, [])
        return self.find_whole(name) or by_end

    def find_whole(self, name: str) -> Sequence[str]:
        """Return the ids of the documents that have exactly this id, address or title.

        A cell with several addresses ends with the id of the last one, but it is none of these.
        """
        name = name.strip()
        if name in self._documents:
            return [name]
        return self._by_address.get(address(name)) or self._by_title.get(name.casefold()) or []

    @cached_property
    def _by_address(self) -> Mapping[str, Sequence[str]]:
        return _grouped((address(d.url), d.id) for d in self._documents.values() if d.url)

    @cached_property
    def _by_lower_id(self) -> Mapping[str, Sequence[str]]:
        return _grouped((identifier.lower(), identifier) for identifier in self._documents)

    @cached_property
    def _by_title(self) -> Mapping[str, Sequence[str]]:
        return _grouped(
            (d.title.strip().casefold(), d.id) for d in self._documents.values() if d.title.strip()
        )


def address(url: str) -> str:
    """Return a URL or path in the form in which two spellings of it are equal.

    Without scheme, `www.`, fragment, final slash and percent encoding; the host in lower case.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:  # such as a bracket that is not closed
        return url.strip()
    host = parts.netloc.lower().removeprefix("www.")
    query = f"?{parts.query}" if parts.query else ""
    return f"{host}{unquote(parts.path).rstrip('/')}{query}"


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for key, identifier in pairs:
        grouped.setdefault(key, []).append(identifier)
    return grouped
