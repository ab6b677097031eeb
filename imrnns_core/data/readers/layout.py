"""Find out which file of a folder or zip contains what: by its name, else by its columns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from imrnns_core.data.import_report import Kind
from imrnns_core.data.readers.columns import ROLES, has_judgments, has_questions, named
from imrnns_core.data.readers.files import PAGES, TABLES, Listing, SourceFile
from imrnns_core.data.readers.rows import first_rows
from imrnns_core.errors import DataError

_FILE_NAMES: Mapping[Kind, tuple[str, ...]] = {
    "documents": ("corpus", "documents", "docs", "collection", "passages", "pages", "articles"),
    "queries": ("queries", "query", "questions", "topics"),
    "judgments": ("qrels", "qrel", "judgments", "judgements"),
}
"""Names of files and folders that tell what they contain."""
SHARD = re.compile(r"[-_.]\d+([-_.]of[-_.]\d+)?$")
_JUDGMENT_TYPES = (".qrels", ".qrel")


@dataclass
class Parts:
    """The files of a data set by what they contain."""

    documents: list[SourceFile] = field(default_factory=list)
    queries: list[SourceFile] = field(default_factory=list)
    judgments: list[SourceFile] = field(default_factory=list)
    pages: list[SourceFile] = field(default_factory=list)
    ignored: dict[str, str] = field(default_factory=dict)


def _kind(file: SourceFile) -> Kind | None:
    """Return what the name or the folder of a file says of its content."""
    if file.suffix in _JUDGMENT_TYPES:
        return "judgments"
    stem = SHARD.sub("", file.stem).lower()
    parts = [part.lower() for part in PurePosixPath(file.name).parts[:-1]]
    for kind, names in _FILE_NAMES.items():
        # text files of other folders may be pages
        is_table = file.suffix not in PAGES or (kind == "judgments" and file.suffix == ".txt")
        # only the last folder: `documents/2024/notes.csv` may be anything
        if stem in names or (parts and parts[-1] in names and is_table):
            return kind
    words = re.split(r"[\W_]+", stem)
    is_judgments = file.suffix == ".trec" or set(words) & set(_FILE_NAMES["judgments"])
    return "judgments" if is_judgments else None


def one_collection(listing: Listing) -> Listing:
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


def find_parts(listing: Listing) -> Parts:
    """Sort the files by what they contain: by their names, else by their columns."""
    parts, unknown = Parts(), list[SourceFile]()
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
        reason = f"{parts.documents[0].name} already has the documents"
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
