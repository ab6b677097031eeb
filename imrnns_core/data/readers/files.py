"""The files of a data set: in a folder, in a zip, or one file; plain or compressed by gzip."""

from __future__ import annotations

import gzip
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from imrnns_core.data.import_report import FileReport
from imrnns_core.data.readers.character_encoding import (
    SAMPLE_BYTES,
    guessed_encoding,
    marked_encoding,
)
from imrnns_core.data.readers.unpacked_size import (
    CHUNK,
    ZIP_DAMAGE,
    check_ratio,
    damaged_zip,
    leads_out,
    unpacked_limit,
    zip_members,
)
from imrnns_core.errors import DataError

TABLES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".xlsx", ".xls", ".ods")
"""File types with one record per line, row or element."""
TREC_FILES = (".txt", ".qrels", ".qrel", ".trec", ".topics", ".xml")
"""Further file types that may hold judgments or topics."""
PAGES = (".md", ".markdown", ".txt", ".text", ".html", ".htm")
"""File types with one document per file."""
FREE_RECORDS = 100_000
"""Records that any file may have; above them, no more than the file has bytes."""
ARCHIVES = (".zip", ".tar", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar")
"""Archives, which are not read inside a folder or zip."""
_EMBEDDING_IDS = ("document_ids.txt", "query_ids.txt")


@dataclass(frozen=True)
class SourceFile:
    """A file of a data set.

    Attributes:
        name: Its path relative to the data set, with slashes and without `.gz`.
        path: The path that messages show. Files in a zip have the path of the zip in front.
        archive: The zip that contains it, or None.
        member: Its name in the zip.
    """

    name: str
    path: Path
    archive: Path | None = None
    member: str = ""

    @property
    def suffix(self) -> str:
        """The file type in lower case, without `.gz`."""
        return PurePosixPath(self.name).suffix.lower()

    @property
    def stem(self) -> str:
        """The name without folder and file type."""
        return PurePosixPath(self.name).stem

    @property
    def folder(self) -> str:
        """The folder relative to the data set; empty at the top."""
        parent = PurePosixPath(self.name).parent.as_posix()
        return "" if parent == "." else parent

    def content(self) -> bytes:
        """Return the unpacked content.

        Raises:
            DataError: If the file cannot be read or is damaged, or if it unpacks to more than
                `MAX_RATIO` times its size.
        """
        try:
            if self.archive is None:
                raw = self.path.read_bytes()
            else:
                with zipfile.ZipFile(self.archive) as archive:
                    raw = self._member(archive, archive.getinfo(self.member))
            # RFC 1952: the first two bytes of a gzip file, whatever its name
            return self._unpacked(raw) if raw[:2] == b"\x1f\x8b" else raw
        except (gzip.BadGzipFile, EOFError) as error:
            problem = f"cannot be unpacked ({error})"
            raise DataError(self.path, problem, "compress the file again with gzip") from None
        except ZIP_DAMAGE as error:
            raise damaged_zip(self.path, error) from None
        except OSError as error:
            problem = f"cannot be read ({error.strerror})"
            raise DataError(self.path, problem, "check the rights of the file") from None

    @property
    def most_records(self) -> int:
        """The records that it may have: no more than it has bytes, compressed as it is."""
        return max(FREE_RECORDS, (self.archive or self.path).stat().st_size)

    def endless(self) -> DataError:
        """Return the error for a file that has more records."""
        problem = f"has more than {self.most_records:,} records, which is more than its bytes"
        return DataError(self.path, problem, "unpack it yourself, and name the unpacked file")

    def _member(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
        """Return a file of a zip; what the zip says of its size may be wrong."""
        check_ratio(self.path, info.compress_size, info.file_size)
        parts, size = [], 0
        # `ZipFile.read` would unpack two gigabytes before it looks at the size
        with archive.open(info) as packed:
            while part := packed.read(CHUNK):
                size += len(part)
                check_ratio(self.path, info.compress_size, size)
                parts.append(part)
        return b"".join(parts)

    def _unpacked(self, packed: bytes) -> bytes:
        limit = unpacked_limit(len(packed))
        decompressor, unpacked = zlib.decompressobj(wbits=31), b""
        # a gzip file may consist of several parts
        while packed:
            unpacked += decompressor.decompress(packed, limit + 1 - len(unpacked))
            check_ratio(self.path, len(packed), len(unpacked))
            if not decompressor.eof:
                raise EOFError("it is not complete")
            packed = decompressor.unused_data.lstrip(b"\0")
            decompressor = zlib.decompressobj(wbits=31)
        return unpacked

    def text(self, report: FileReport) -> str:
        """Return the content as text with line feeds at line ends; a guessed encoding is remarked.

        Raises:
            DataError: If the file cannot be read.
        """
        raw = self.content()
        try:
            text = raw.decode(marked_encoding(raw))
        except UnicodeDecodeError as error:
            start = max(0, error.start - SAMPLE_BYTES // 2)
            encoding = guessed_encoding(raw[start : start + SAMPLE_BYTES])
            report.remarks.append(f"not UTF-8 at byte {error.start + 1}; read as {encoding}")
            text = raw.decode(encoding, errors="replace")
        # not `splitlines`: it also splits at Unicode separators, which texts may contain
        # most large files have line feeds only: looking for others is faster than replacing them
        return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text

    def lines(self, report: FileReport) -> Iterator[tuple[int, str]]:
        """Yield (line number from 1, text) of each line that is not blank.

        Raises:
            DataError: If the file cannot be read.
        """
        whole, line, start, most = self.text(report), 0, 0, self.most_records
        # one by one: a list of all lines takes many times the size of a file of short ones
        while start <= len(whole):
            end = whole.find("\n", start)
            end = len(whole) if end < 0 else end
            line, text, start = line + 1, whole[start:end], end + 1
            if line > most:
                raise self.endless()
            if text.strip():
                yield line, text


@dataclass(frozen=True)
class Listing:
    """The files of a data set.

    Attributes:
        root: The folder, zip or file.
        files: The files that can be part of a data set, by name.
        ignored: Name → reason of files that are left out.
    """

    root: Path
    files: tuple[SourceFile, ...]
    ignored: dict[str, str] = field(default_factory=dict)

    def inside(self, folder: str) -> Listing:
        """Return the files of a subfolder, with names relative to it."""
        if not folder:
            return self
        files = tuple(
            SourceFile(file.name[len(folder) + 1 :], file.path, file.archive, file.member)
            for file in self.files
            if file.name.startswith(f"{folder}/")
        )
        return Listing(self.root / folder, files, self.ignored)


def list_files(path: Path) -> Listing:
    """Return the files of a folder, a zip, a folder in a zip, or a single file.

    Raises:
        DataError: If the path does not exist or is a damaged zip.
    """
    if path.is_dir():
        return _checked(path, *_folder_files(path))
    archive = containing_zip(path)
    if archive is None:
        if not path.is_file():
            raise DataError(path, "not found", "name a folder, a zip or a file")
        return Listing(path, (SourceFile(_plain(path.name), path),))
    inner = path.relative_to(archive).as_posix()
    listing = _checked(archive, *_members(archive))
    if inner == ".":
        return listing
    if not (inside := listing.inside(inner)).files:
        raise DataError(path, "not found in the zip", f"list its content: unzip -l {archive}")
    return inside


def _folder_files(path: Path) -> tuple[list[SourceFile], dict[str, str]]:
    found, ignored, homes = list[SourceFile](), dict[str, str](), _homes(path)
    for folder, subfolders, names in os.walk(path):
        # in place, so that hidden folders such as .git are not searched
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for file in (Path(folder, name) for name in names):
            name = file.relative_to(path).as_posix()
            if file.is_symlink() and not any(map(file.resolve().is_relative_to, homes)):
                ignored[name] = "a symbolic link that leads out of the folder"
            elif file.is_file():
                found.append(SourceFile(_plain(name), file))
    return found, ignored


def _homes(folder: Path) -> list[Path]:
    """Return where the links of a folder may lead: into it, or to the files of a hub's cache."""
    whole = folder.resolve()
    # models--A--B/snapshots/REVISION/NAME → models--A--B/blobs/DIGEST
    caches = [parent.parent / "blobs" for parent in whole.parents if parent.name == "snapshots"]
    return [whole, *caches]


def containing_zip(path: Path) -> Path | None:
    """Return the zip that this path names, or that it continues into; None if there is none."""
    for candidate in (path, *path.parents):
        if candidate.is_file():
            return candidate if zipfile.is_zipfile(candidate) and _named_zip(candidate) else None
    return None


def _named_zip(path: Path) -> bool:
    """Return whether a zip is an archive: xlsx and ods files are zips, too."""
    return path.suffix.lower() not in TABLES


def _members(path: Path) -> tuple[list[SourceFile], dict[str, str]]:
    found, ignored = list[SourceFile](), dict[str, str]()
    for info in zip_members(path):
        name = info.filename.replace("\\", "/")  # some Windows tools write backslashes
        if not name or name.endswith("/"):
            continue
        if stat.S_ISLNK(info.external_attr >> 16):
            ignored[name] = "a symbolic link"
        elif leads_out(name):
            ignored[name] = "its path leads out of the zip"
        else:
            found.append(SourceFile(_plain(name), path / name, path, info.filename))
    return found, ignored


def _plain(name: str) -> str:
    return name[:-3] if name.lower().endswith(".gz") else name


def _checked(root: Path, found: list[SourceFile], ignored: dict[str, str]) -> Listing:
    """Leave out the files that no reader knows."""
    files = []
    for file in sorted(found, key=lambda file: file.name):
        parts = PurePosixPath(file.name).parts
        if "__MACOSX" in parts or parts[-1].startswith("._"):
            ignored[file.name] = "attributes of another file, written by macOS"
        elif parts[-1] in _EMBEDDING_IDS:
            ignored[file.name] = "ids of precomputed embeddings"
        elif any(part.startswith(".") for part in parts):
            continue  # hidden files and folders, such as .git
        elif file.suffix in ARCHIVES:
            ignored[file.name] = "an archive in the folder or zip; unpack it"
        elif file.suffix in TABLES + TREC_FILES + PAGES:
            files.append(file)
    return Listing(root, tuple(files), ignored)
