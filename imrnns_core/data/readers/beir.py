"""Retrieval data sets in the BEIR layout.

`corpus.jsonl`, `queries.jsonl`, `qrels/SPLIT.tsv`, as a folder or a zip.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imrnns_core.data.dataset import MAX_GRADE, Dataset
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError
from imrnns_core.types import Qrels

LAYOUT = (
    "a data set is a folder or a zip that holds corpus.jsonl, queries.jsonl and, where there are "
    "judgments, qrels/SPLIT.tsv"
)


def load_dataset(path: Path) -> Dataset:
    """Read and check a data set.

    Raises DataError, with file and line, for a missing file, broken JSON, a missing or double id,
    an empty text, a judgment of an unknown query or document, and a grade outside 0 … 3.
    """
    path = path.expanduser()
    files = _files(path)
    documents = _documents(_entry(files, path, "corpus.jsonl"))
    queries = _queries(_entry(files, path, "queries.jsonl"))
    splits = {
        Path(name).stem: _qrels(entry, documents, queries)
        for name, entry in sorted(files.items())
        if name.startswith("qrels/") and name.endswith(".tsv")
    }
    name = path.stem if path.suffix == ".zip" else path.resolve().name
    return Dataset(name, path, tuple(documents.values()), queries, splits)


def _documents(entry: _Entry) -> dict[str, Document]:
    documents: dict[str, Document] = {}
    for where, line, record in _records(entry):
        identifier = _identifier(record, documents, where, line)
        title, text = _text(record, "title", where, line), _text(record, "text", where, line)
        if not (title + text).strip():
            raise DataError(
                where,
                f"document {identifier!r} has neither title nor text",
                "give it a text or remove the line",
                line,
            )
        metadata = record.get("metadata")
        nested = metadata.get("subject") if isinstance(metadata, dict) else ""
        subject = str(record.get("subject") or nested or "")
        documents[identifier] = Document(identifier, title, text, subject)
    if not documents:
        remedy = "write one JSON object a line with _id, title and text"
        raise DataError(entry.where, "holds no document", remedy)
    return documents


def _queries(entry: _Entry) -> dict[str, Query]:
    queries: dict[str, Query] = {}
    for where, line, record in _records(entry):
        identifier = _identifier(record, queries, where, line)
        text = _text(record, "text", where, line)
        if not text.strip():
            raise DataError(
                where,
                f"query {identifier!r} has an empty text",
                "give it a text or remove the line",
                line,
            )
        queries[identifier] = Query(identifier, text)
    return queries


def source_files(path: Path) -> list[Path]:
    """Return the files that a data set is read from: those of a folder, or the zip."""
    return [entry.where for entry in _files(path).values()] if path.is_dir() else [path]


def load_qrels(path: Path, dataset: Dataset) -> Qrels:
    """Read a file of judgments for a data set, in the BEIR or the TREC layout.

    Raises DataError as `load_dataset` does.
    """
    return _qrels(_Entry(path), dataset.document, dataset.queries)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a file, counted from 1; DataError where it is not UTF-8."""
    return _Entry(path).lines()


@dataclass(frozen=True)
class _Entry:
    """One text file, in a folder or in a zip; `where` is what an error names."""

    where: Path
    archive: Path | None = None
    member: str = ""

    def lines(self) -> Iterator[tuple[int, str]]:
        try:
            if self.archive is None:
                raw = self.where.read_bytes()
            else:
                with zipfile.ZipFile(self.archive) as archive:
                    raw = archive.read(self.member)
            yield from enumerate(raw.decode("utf-8-sig").split("\n"), start=1)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
            raise DataError(
                self.where,
                f"cannot be read from the zip ({error})",
                "make the zip again, without a password",
            ) from None
        except UnicodeDecodeError as error:
            raise DataError(
                self.where, f"not UTF-8 at byte {error.start}", "save the file as UTF-8"
            ) from None


def _files(path: Path) -> dict[str, _Entry]:
    """Map names relative to the data set's top to entries.

    A zip may hold one folder around them.
    """
    if path.is_dir():
        return {
            f.relative_to(path).as_posix(): _Entry(f)
            for f in sorted(path.glob("*.jsonl")) + sorted(path.glob("qrels/*.tsv"))
        }
    if not path.is_file():
        raise DataError(path, "not found", LAYOUT)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                m
                for m in archive.namelist()
                if m.endswith((".jsonl", ".tsv")) and "__MACOSX" not in m
            ]
    except zipfile.BadZipFile:
        raise DataError(path, "neither a folder nor a zip", LAYOUT) from None
    top = next((m[: -len("corpus.jsonl")] for m in members if m.endswith("corpus.jsonl")), "")
    return {m[len(top) :]: _Entry(path / m, path, m) for m in members if m.startswith(top)}


def _entry(files: Mapping[str, _Entry], path: Path, name: str) -> _Entry:
    if name not in files:
        raise DataError(path / name, "file not found", LAYOUT)
    return files[name]


def _records(entry: _Entry) -> Iterator[tuple[Path, int, dict[str, Any]]]:
    for line, text in entry.lines():
        if not text.strip():
            continue
        try:
            record = json.loads(text)
        except json.JSONDecodeError as error:
            raise DataError(
                entry.where,
                f"broken JSON ({error.msg}, column {error.colno})",
                "mend or remove this line",
                line,
            ) from None
        except RecursionError:
            raise DataError(
                entry.where, "JSON nested too deeply", "mend or remove this line", line
            ) from None
        if not isinstance(record, dict):
            raise DataError(
                entry.where,
                f"a JSON {type(record).__name__}, not an object",
                "write one JSON object a line",
                line,
            )
        yield entry.where, line, record


def _identifier(
    record: Mapping[str, Any], known: Mapping[str, object], where: Path, line: int
) -> str:
    identifier = record.get("_id")
    if not isinstance(identifier, (str, int)) or not str(identifier).strip():
        raise DataError(where, "no _id", "give every line its own _id", line)
    if any(c in str(identifier) for c in "\n\r"):
        raise DataError(
            where,
            f"_id {str(identifier)!r} holds a line break",
            "ids are kept one a line: choose another one",
            line,
        )
    if str(identifier) in known:
        raise DataError(
            where, f"_id {str(identifier)!r} occurs twice", "give every line its own _id", line
        )
    return str(identifier)


def _text(record: Mapping[str, Any], key: str, where: Path, line: int) -> str:
    value = record.get(key) or ""
    if not isinstance(value, str):
        raise DataError(
            where,
            f"{key} is a {type(value).__name__}, not a text",
            f"write {key} as a JSON string",
            line,
        )
    return value


def _qrels(entry: _Entry, documents: Container[str], queries: Container[str]) -> Qrels:
    """Read judgments.

    A BEIR file has query-id, corpus-id and score behind a header line, a TREC one query, 0,
    document and grade.
    """
    qrels: dict[str, dict[str, int]] = {}
    for line, text in entry.lines():
        if not text.strip() or (line == 1 and "query-id" in text):
            continue
        query_id, document_id, grade = _judgment(entry.where, line, text)
        problem = None
        if query_id not in queries:
            problem = f"judges the unknown query {query_id!r}", "add it to queries.jsonl"
        elif document_id not in documents:
            problem = f"judges the unknown document {document_id!r}", "add it to corpus.jsonl"
        if problem is not None:
            raise DataError(entry.where, problem[0], f"{problem[1]} or remove the line", line)
        judged = qrels.setdefault(query_id, {})
        if judged.get(document_id, grade) != grade:
            raise DataError(
                entry.where,
                f"judges {document_id!r} for {query_id!r} twice, with other grades",
                "keep one of the lines",
                line,
            )
        judged[document_id] = grade
    return qrels


def _judgment(where: Path, line: int, text: str) -> tuple[str, str, int]:
    """Return query, document and grade of a line of judgments."""
    fields = text.rstrip("\r").split("\t") if "\t" in text else text.split()
    if len(fields) not in (3, 4):
        remedy = "write query-id, corpus-id and score, separated by tabs"
        raise DataError(where, f"{len(fields)} columns", remedy, line)
    query_id, document_id, grade_text = fields[0], fields[-2], fields[-1]
    try:
        grade = int(grade_text)
    except ValueError:
        raise DataError(
            where,
            f"grade {grade_text!r} is not a whole number",
            f"grades run from 0 to {MAX_GRADE}",
            line,
        ) from None
    if not 0 <= grade <= MAX_GRADE:
        raise DataError(
            where,
            f"grade {grade} is outside 0 to {MAX_GRADE}",
            "map your grades to 0 (not relevant) to 3",
            line,
        )
    return query_id, document_id, grade
