"""Read data sets in the BEIR layout: `corpus.jsonl`, `queries.jsonl` and `qrels/SPLIT.tsv`.

The files are in a folder or in a zip.
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.readers.qrels import parse_qrels
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError
from imrnns_core.types import Qrels

LAYOUT = (
    "a data set is a folder or a zip that contains corpus.jsonl, queries.jsonl and, if there are "
    "judgments, qrels/SPLIT.tsv"
)


def load_dataset(path: Path) -> Dataset:
    """Read and check a data set.

    Raises:
        DataError: If a file is missing or not UTF-8, a line is not a JSON object, an id is missing
            or occurs twice, a text is empty, a judgment names an unknown query or document, or a
            grade is outside 0 to 3. The error names file and line.
    """
    path = path.expanduser()
    files = _files(path)
    documents = _documents(_entry(files, path, "corpus.jsonl"))
    queries = _queries(_entry(files, path, "queries.jsonl"))
    splits = {
        Path(name).stem: parse_qrels(entry.path, entry.lines(), documents, queries)
        for name, entry in sorted(files.items())
        if name.startswith("qrels/") and name.endswith(".tsv")
    }
    name = path.stem if path.suffix == ".zip" else path.resolve().name
    return Dataset(name, path, tuple(documents.values()), queries, splits)


def _documents(entry: _Entry) -> dict[str, Document]:
    documents: dict[str, Document] = {}
    for path, line, record in _records(entry):
        identifier = _identifier(record, documents, path, line)
        title, text = _text(record, "title", path, line), _text(record, "text", path, line)
        if not (title + text).strip():
            raise DataError(
                path,
                f"document {identifier!r} has neither title nor text",
                "give it a text or remove the line",
                line,
            )
        metadata = record.get("metadata")
        # the subject may be at the top level or in "metadata"
        nested = metadata.get("subject") if isinstance(metadata, dict) else ""
        subject = str(record.get("subject") or nested or "")
        documents[identifier] = Document(identifier, title, text, subject)
    if not documents:
        remedy = "write one JSON object per line with _id, title and text"
        raise DataError(entry.path, "contains no document", remedy)
    return documents


def _queries(entry: _Entry) -> dict[str, Query]:
    queries: dict[str, Query] = {}
    for path, line, record in _records(entry):
        identifier = _identifier(record, queries, path, line)
        text = _text(record, "text", path, line)
        if not text.strip():
            raise DataError(
                path,
                f"query {identifier!r} has an empty text",
                "give it a text or remove the line",
                line,
            )
        queries[identifier] = Query(identifier, text)
    return queries


def source_files(path: Path) -> list[Path]:
    """Return the files of a data set: those in its folder, or its zip."""
    return [entry.path for entry in _files(path).values()] if path.is_dir() else [path]


def load_qrels(path: Path, dataset: Dataset) -> Qrels:
    """Read a file of judgments for a data set, in the BEIR or the TREC layout.

    Raises:
        DataError: If the file is not UTF-8, or a line is not a valid judgment of a query and a
            document of the data set.
    """
    return parse_qrels(path, text_lines(path), dataset.document, dataset.queries)


def text_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield (line number from 1, text) for each line of a file.

    Raises:
        DataError: If the file is not UTF-8.
    """
    return _Entry(path).lines()


@dataclass(frozen=True)
class _Entry:
    """A text file in a folder or in a zip; errors name `path`."""

    path: Path
    archive: Path | None = None
    member: str = ""

    def lines(self) -> Iterator[tuple[int, str]]:
        try:
            if self.archive is None:
                raw = self.path.read_bytes()
            else:
                with zipfile.ZipFile(self.archive) as archive:
                    raw = archive.read(self.member)
            # `splitlines` would also split at Unicode separators, which texts may contain
            yield from enumerate(raw.decode("utf-8-sig").split("\n"), start=1)
        # zipfile raises the last two for a password and for an unknown compression
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError) as error:
            raise DataError(
                self.path,
                f"cannot be read from the zip ({error})",
                "create the zip again, without a password",
            ) from None
        except UnicodeDecodeError as error:
            raise DataError(
                self.path, f"not UTF-8 at byte {error.start}", "save the file as UTF-8"
            ) from None


def _files(path: Path) -> dict[str, _Entry]:
    """Return name → entry; names are relative to the folder of corpus.jsonl, also in a zip.

    Raises:
        DataError: If the path is neither a folder nor a zip.
    """
    if path.is_dir():
        return {
            file.relative_to(path).as_posix(): _Entry(file)
            for file in sorted(path.glob("*.jsonl")) + sorted(path.glob("qrels/*.tsv"))
        }
    if not path.is_file():
        raise DataError(path, "not found", LAYOUT)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [
                member
                for member in archive.namelist()
                # macOS adds this folder, with a file of attributes for each real one
                if member.endswith((".jsonl", ".tsv")) and "__MACOSX" not in member
            ]
    except zipfile.BadZipFile:
        raise DataError(path, "neither a folder nor a zip", LAYOUT) from None
    # a zip may contain a folder around the files
    top = next((m.removesuffix("corpus.jsonl") for m in members if m.endswith("corpus.jsonl")), "")
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
                entry.path,
                f"broken JSON ({error.msg}, column {error.colno})",
                "correct or remove this line",
                line,
            ) from None
        except RecursionError:
            raise DataError(
                entry.path, "JSON nested too deeply", "correct or remove this line", line
            ) from None
        if not isinstance(record, dict):
            raise DataError(
                entry.path,
                f"a JSON {type(record).__name__}, not an object",
                "write one JSON object per line",
                line,
            )
        yield entry.path, line, record


def _identifier(
    record: Mapping[str, Any], used: Mapping[str, object], path: Path, line: int
) -> str:
    identifier = record.get("_id")
    if not isinstance(identifier, (str, int)) or not str(identifier).strip():
        raise DataError(path, "no _id", "give every line its own _id", line)
    if any(c in str(identifier) for c in "\n\r"):
        raise DataError(
            path,
            f"_id {str(identifier)!r} contains a line break",
            "choose an id without line breaks",
            line,
        )
    if str(identifier) in used:
        raise DataError(
            path, f"_id {str(identifier)!r} occurs twice", "give every line its own _id", line
        )
    return str(identifier)


def _text(record: Mapping[str, Any], key: str, path: Path, line: int) -> str:
    value = record.get(key) or ""
    if not isinstance(value, str):
        raise DataError(
            path,
            f"{key} is a {type(value).__name__}, not a text",
            f"write {key} as a JSON string",
            line,
        )
    return value
