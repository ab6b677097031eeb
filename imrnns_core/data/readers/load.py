"""Read a data set from a folder, a zip or a file: find its parts, and read each of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import FileReport, ImportReport, Kind
from imrnns_core.data.readers.columns import (
    ROLES,
    Columns,
    document_columns,
    query_columns,
)
from imrnns_core.data.readers.documents import DocumentFinder, read_documents
from imrnns_core.data.readers.files import TABLES, Listing, SourceFile, list_files
from imrnns_core.data.readers.grades import whole_grades
from imrnns_core.data.readers.json_rows import Record
from imrnns_core.data.readers.layout import SHARD, Parts, find_parts, one_collection
from imrnns_core.data.readers.pages import read_pages
from imrnns_core.data.readers.qrels import Judged, read_qrels
from imrnns_core.data.readers.queries import is_topics, read_queries, read_topics
from imrnns_core.data.readers.rows import first_rows
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError
from imrnns_core.types import Qrels

LAYOUT = (
    "a data set is a table of documents (CSV, TSV, Excel, JSON, JSONL or Parquet), a folder of "
    "Markdown, text or HTML files, or a folder or zip in BEIR layout"
)


@dataclass(frozen=True)
class DataSource:
    """Where a data set is, and how its tables are read.

    Attributes:
        path: A folder, a zip, a folder in a zip, or a file.
        queries: A file of queries beside it; None if there is none, or if the path contains it.
        columns: Role → column, for columns that the reader would not find by itself. The roles
            are those of `columns.ROLES`.
    """

    path: Path
    queries: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)

    def chosen(self, kind: Kind) -> Columns:
        """Return the named columns for a kind of file."""
        return {role: c for role, c in self.columns.items() if role in ROLES[kind]}


def load_dataset(source: DataSource | Path, strict: bool = False) -> Dataset:
    """Read a data set; `Dataset.report` says what was read and what was rejected.

    Args:
        source: The path of the data set, or with its queries and columns.
        strict: Accept no irregular record.

    Raises:
        DataError: If there is no document, a file cannot be read, or several data sets are in the
            folder or zip. With `strict`, also if a record is irregular.
    """
    source = DataSource(source) if isinstance(source, Path) else source
    path = source.path.expanduser()
    listing, parts = _find(source)
    reading = _Reading(source)
    documents, queries, splits = reading.read(parts)
    report = ImportReport(tuple(reading.reports), {**listing.ignored, **parts.ignored})
    if not documents:
        tables = tuple(file for file in report.files if file.kind == "documents")
        raise DataError(path, f"contains no document{reasons(ImportReport(tables))}", LAYOUT)
    if strict and report.irregular:
        remedy = "correct these records, or leave out --strict"
        raise DataError(path, f"{report.irregular} irregular records{reasons(report)}", remedy)
    name = path.resolve().name if path.is_dir() else PurePosixPath(path.name).stem
    return Dataset(name, path, tuple(documents.values()), queries, splits, report)


@dataclass(frozen=True)
class TablePreview:
    """The first records of a table, and which column is read as what.

    Attributes:
        name: Name of the file, relative to the data set.
        kind: What its records are.
        columns: Role → column.
        names: The names of all columns.
        rows: The first records.
    """

    name: str
    kind: Kind
    columns: Columns
    names: tuple[str, ...]
    rows: tuple[Record, ...]


def preview(source: DataSource, count: int = 5) -> list[TablePreview]:
    """Return the first records of the tables of documents and queries of a data set.

    A folder of pages has no such tables.

    Raises:
        DataError: If a file cannot be read, or several data sets are in the folder or zip.
    """
    _, parts = _find(source)
    tables: list[tuple[Kind, SourceFile]] = [("documents", file) for file in parts.documents]
    tables += [("queries", file) for file in parts.queries if file.suffix in TABLES]
    previews = []
    for kind, file in tables:
        rows = first_rows(file)
        guess = document_columns if kind == "documents" else query_columns
        columns = guess(rows, source.chosen(kind), file.path) if rows else {}
        names = tuple(dict.fromkeys(name for row in rows for name in row))
        previews.append(TablePreview(file.name, kind, columns, names, tuple(rows[:count])))
    return previews


def _find(source: DataSource) -> tuple[Listing, Parts]:
    """Return the files of a data set, and which of them contains what."""
    listing = one_collection(list_files(source.path.expanduser()))
    parts = find_parts(listing)
    if source.queries:
        parts.queries += list_files(source.queries.expanduser()).files
    return listing, parts


def source_files(source: DataSource) -> list[Path]:
    """Return the files of a data set: those in its folder, its zip or its table."""
    path = source.path.expanduser()
    files = [file.archive or file.path for file in list_files(path).files]
    return [*dict.fromkeys(files), *([source.queries] if source.queries else [])]


def load_qrels(path: Path, dataset: Dataset) -> tuple[Qrels, FileReport]:
    """Read a file of judgments for a data set.

    Raises:
        DataError: If the file cannot be read, or it contains no judgment of a query of the data
            set.
    """
    file = list_files(path.expanduser()).files
    report = FileReport(str(path), "judgments")
    judged: Judged = {}
    read_qrels(file[0], report, dataset.queries, dataset.document, judged)
    qrels = whole_grades(judged, report)
    if not qrels:
        problem = f"contains no judgment of its queries{reasons(ImportReport((report,)))}"
        raise DataError(path, problem, "name its queries by their ids")
    return qrels, report


def reasons(report: ImportReport) -> str:
    """Return the irregularities in brackets, to follow a problem."""
    kinds = [
        f"{Path(file.path).name}:{kind.line}: {kind.count} {kind.problem}"
        for file in report.files
        for kind in file.irregularities
    ]
    return f" ({'; '.join(kinds)})" if kinds else ""


class _Reading:
    """Reads the parts of a data set, and keeps a report of each file."""

    def __init__(self, source: DataSource) -> None:
        self.source = source
        self.reports: list[FileReport] = []

    def read(self, parts: Parts) -> tuple[dict[str, Document], dict[str, Query], dict[str, Qrels]]:
        """Return documents by id, queries by id, and the judgments of each split."""
        documents: dict[str, Document] = {}
        for file in parts.documents:
            chosen = self.source.chosen("documents")
            read_documents(file, self._report(file, "documents"), chosen, documents)
        if parts.pages:
            report = FileReport(str(_common_folder(parts.pages)), "documents")
            self.reports.append(report)
            read_pages(parts.pages, report, documents)
        queries, splits = dict[str, Query](), defaultdict[str, Judged](dict)
        reports = dict[str, FileReport]()  # the last file of each split
        finder = DocumentFinder(documents)
        for file in parts.queries:
            split = split_name(file)
            reports[split] = self._queries(file, finder, queries, splits[split])
        for file in parts.judgments:
            split, chosen = split_name(file), self.source.chosen("judgments")
            report = reports[split] = self._report(file, "judgments")
            read_qrels(file, report, queries, documents, splits[split], chosen)
        qrels = {name: whole_grades(splits[name], reports[name]) for name in sorted(splits)}
        return documents, queries, {name: judged for name, judged in qrels.items() if judged}

    def _queries(
        self, file: SourceFile, finder: DocumentFinder, queries: dict[str, Query], judged: Judged
    ) -> FileReport:
        report = self._report(file, "queries")
        if file.suffix not in TABLES and is_topics(file.text(report)):
            read_topics(file, report, queries)
        else:
            chosen = self.source.chosen("queries")
            read_queries(file, report, chosen, finder, queries, judged)
        return report

    def _report(self, file: SourceFile, kind: Kind) -> FileReport:
        self.reports.append(FileReport(str(file.path), kind))
        return self.reports[-1]


def split_name(file: SourceFile) -> str:
    """Return the name of a split from that of its file: `qrels.test.tsv` → `test`."""
    stem = SHARD.sub("", file.stem)
    words = [word for word in re.split(r"[._\-]+", stem) if word.lower() not in ("qrels", "qrel")]
    return "-".join(words) or stem


def _common_folder(files: Sequence[SourceFile]) -> Path:
    first = files[0]
    depth = len(PurePosixPath(first.name).parts)
    return first.path.parents[depth - 1]
