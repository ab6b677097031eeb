"""Read a data set from a folder, a zip or a file: find its parts, and read each of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from imrnns_core.data.dataset import Dataset
from imrnns_core.data.import_report import FileReport, ImportReport, Kind
from imrnns_core.data.readers.columns import ROLES, Columns, has_judgments, has_questions, named
from imrnns_core.data.readers.documents import DocumentFinder, read_documents
from imrnns_core.data.readers.files import PAGES, TABLES, Listing, SourceFile, list_files
from imrnns_core.data.readers.pages import read_pages
from imrnns_core.data.readers.qrels import read_qrels
from imrnns_core.data.readers.queries import is_topics, read_queries, read_topics
from imrnns_core.data.readers.rows import first_rows
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import DataError
from imrnns_core.types import Qrels

LAYOUT = (
    "a data set is a table of documents (CSV, TSV, Excel, JSON, JSONL or Parquet), a folder of "
    "Markdown, text or HTML files, or a folder or zip in BEIR layout"
)
_FILE_NAMES: Mapping[Kind, tuple[str, ...]] = {
    "documents": ("corpus", "documents", "docs", "collection", "passages", "pages", "articles"),
    "queries": ("queries", "query", "questions", "topics"),
    "judgments": ("qrels", "qrel", "judgments", "judgements"),
}
"""Names of files and folders that tell what they contain."""
_SHARD = re.compile(r"[-_.]\d+([-_.]of[-_.]\d+)?$")
_JUDGMENT_TYPES = (".qrels", ".qrel", ".trec")


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


@dataclass
class _Parts:
    """The files of a data set by what they contain."""

    documents: list[SourceFile] = field(default_factory=list)
    queries: list[SourceFile] = field(default_factory=list)
    judgments: list[SourceFile] = field(default_factory=list)
    pages: list[SourceFile] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)


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
    listing = _one_collection(list_files(path))
    parts = _parts(listing)
    if source.queries:
        parts.queries += list_files(source.queries.expanduser()).files
    reading = _Reading(source)
    documents, queries, splits = reading.read(parts)
    report = ImportReport(tuple(reading.reports), {**listing.ignored, **parts.ignored})
    if not documents:
        tables = tuple(file for file in report.files if file.kind == "documents")
        raise DataError(path, f"contains no document{_reasons(ImportReport(tables))}", LAYOUT)
    if strict and report.irregular:
        remedy = "correct these records, or leave out --strict"
        raise DataError(path, f"{report.irregular} irregular records{_reasons(report)}", remedy)
    name = path.resolve().name if path.is_dir() else PurePosixPath(path.name).stem
    return Dataset(name, path, tuple(documents.values()), queries, splits, report)


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
    qrels = read_qrels(file[0], report, dataset.queries, dataset.document)
    if not qrels:
        reasons = _reasons(ImportReport((report,)))
        remedy = "use the judgments of this data set"
        raise DataError(path, f"contains no judgment of its queries{reasons}", remedy)
    return qrels, report


def _reasons(report: ImportReport) -> str:
    """Return the irregularities in brackets, to follow a problem."""
    kinds = [
        f"{Path(file.path).name}:{kind.line}: {kind.count} {kind.problem}"
        for file in report.files
        for kind in file.irregularities
    ]
    return f" ({'; '.join(kinds)})" if kinds else ""


def _kind(file: SourceFile) -> Kind | None:
    """Return what the name or the folder of a file says of its content."""
    if file.suffix in _JUDGMENT_TYPES:
        return "judgments"
    stem = _SHARD.sub("", file.stem).lower()
    parts = [part.lower() for part in PurePosixPath(file.name).parts[:-1]]
    for kind, names in _FILE_NAMES.items():
        # only the last folder: `documents/2024/notes.csv` may be anything
        if stem in names or (parts and parts[-1] in names and file.suffix not in PAGES):
            return kind
    words = re.split(r"[\W_]+", stem)
    return "judgments" if set(words) & set(_FILE_NAMES["judgments"]) else None


def _one_collection(listing: Listing) -> Listing:
    """Return the only collection in a folder or zip, with names relative to it.

    Raises:
        DataError: If there are several.
    """
    collections: dict[str, set[Kind]] = {}
    for file in listing.files:
        kind = _kind(file)
        if kind and file.suffix in TABLES:
            own = file.folder.rsplit("/", 1)
            inner = own[-1].lower() in _FILE_NAMES[kind]
            home = ("" if len(own) == 1 else own[0]) if inner else file.folder
            collections.setdefault(home, set()).add(kind)
    whole = {home: kinds for home, kinds in collections.items() if "documents" in kinds}
    # a part or a generated copy of a corpus has no queries or judgments of its own
    most = max(map(len, whole.values()), default=0)
    whole = {home: kinds for home, kinds in whole.items() if len(kinds) == most}
    if len(whole) > 1:
        names = ", ".join(sorted(home or "." for home in whole))
        first = min(filter(None, whole))
        problem = f"contains {len(whole)} data sets: {names}"
        raise DataError(listing.root, problem, f"name one of them, such as {listing.root / first}")
    home = next(iter(whole), "")
    inside = listing.inside(home)
    nested = [
        other[len(home) :].strip("/")
        for other, kinds in collections.items()
        if "documents" in kinds
        and other != home
        and f"{other}/".startswith(f"{home}/" if home else "")
    ]
    files = tuple(
        file for file in inside.files if not any(file.name.startswith(f"{n}/") for n in nested)
    )
    return replace(inside, files=files)


def _parts(listing: Listing) -> _Parts:
    """Sort the files by what they contain: by their names, else by their columns."""
    parts, unknown = _Parts(), list[SourceFile]()
    by_kind = {
        "documents": parts.documents, "queries": parts.queries, "judgments": parts.judgments
    }  # fmt: skip
    for file in listing.files:
        kind = _kind(file)
        if kind and (file.suffix in TABLES or kind != "documents"):
            by_kind[kind].append(file)
        elif file.suffix in TABLES:
            unknown.append(file)
        elif file.suffix in PAGES:
            parts.pages.append(file)
    by_name = {kind: [file.name for file in files] for kind, files in by_kind.items()}
    for file in unknown:
        kind = _kind_by_columns(file, alone=len(listing.files) == 1)
        if by_name[kind]:
            parts.ignored[file.name] = f"the {kind} are in {by_name[kind][0]}"
        else:
            by_kind[kind].append(file)
    if parts.documents and parts.pages:
        reason = f"the documents are in {parts.documents[0].name}"
        parts.ignored.update({page.name: reason for page in parts.pages})
        parts.pages = []
    return parts


def _kind_by_columns(file: SourceFile, alone: bool) -> Kind:
    columns = dict.fromkeys(column for row in first_rows(file) for column in row)
    if has_judgments(columns):
        # with the texts of the queries beside their ids, it is a list of queries
        ids = named(ROLES["judgments"], columns).values()
        return "queries" if has_questions(set(columns) - set(ids)) else "judgments"
    # a file alone has the documents, such as a list of questions and answers
    return "queries" if has_questions(columns) and not alone else "documents"


class _Reading:
    """Reads the parts of a data set, and keeps a report of each file."""

    def __init__(self, source: DataSource) -> None:
        self.source = source
        self.reports: list[FileReport] = []

    def read(self, parts: _Parts) -> tuple[dict[str, Document], dict[str, Query], dict[str, Qrels]]:
        """Return documents by id, queries by id, and the judgments of each split."""
        documents: dict[str, Document] = {}
        for file in parts.documents:
            chosen = self.source.chosen("documents")
            read_documents(file, self._report(file, "documents"), chosen, documents)
        if parts.pages:
            report = FileReport(str(_common_folder(parts.pages)), "documents")
            self.reports.append(report)
            read_pages(parts.pages, report, documents)
        queries, splits = dict[str, Query](), dict[str, dict[str, Mapping[str, int]]]()
        finder = DocumentFinder(documents)
        for file in parts.queries:
            _merge(splits, file, self._queries(file, finder, queries))
        for file in parts.judgments:
            report, chosen = self._report(file, "judgments"), self.source.chosen("judgments")
            _merge(splits, file, read_qrels(file, report, queries, documents, chosen))
        return documents, queries, {name: splits[name] for name in sorted(splits)}

    def _queries(
        self, file: SourceFile, finder: DocumentFinder, queries: dict[str, Query]
    ) -> Qrels:
        report = self._report(file, "queries")
        if file.suffix not in TABLES and is_topics(file.text(report)):
            read_topics(file, report, queries)
            return {}
        return read_queries(file, report, self.source.chosen("queries"), finder, queries)

    def _report(self, file: SourceFile, kind: Kind) -> FileReport:
        self.reports.append(FileReport(str(file.path), kind))
        return self.reports[-1]


def _merge(splits: dict[str, dict[str, Mapping[str, int]]], file: SourceFile, qrels: Qrels) -> None:
    if qrels:
        split = splits.setdefault(split_name(file), {})
        for query_id, judged in qrels.items():
            split[query_id] = {**judged, **split.get(query_id, {})}


def split_name(file: SourceFile) -> str:
    """Return the name of a split from that of its file: `qrels.test.tsv` → `test`."""
    stem = _SHARD.sub("", file.stem)
    words = [word for word in re.split(r"[._\-]+", stem) if word.lower() not in ("qrels", "qrel")]
    return "-".join(words) or stem


def _common_folder(files: Sequence[SourceFile]) -> Path:
    first = files[0]
    depth = len(PurePosixPath(first.name).parts)
    return first.path.parents[depth - 1]
