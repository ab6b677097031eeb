"""Files that were uploaded in a browser: kept in the workspace under a safe name.

    WORKSPACE/uploads/NAME.SUFFIX

A data set is named after its file, so a file gets a name that no data set and no upload has.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection
from io import BufferedReader, BytesIO
from pathlib import Path

from imrnns_core.data.readers.unpacked_size import check_unpacked_size
from imrnns_core.io import atomic_write
from imrnns_core.storage.layout import file_name

FOLDER = "uploads"
LONGEST_PART = 80
"""Characters of a name, and of its types; a file system allows about 255 bytes."""


def save_upload(
    root: Path, name: str, content: BytesIO | BufferedReader, taken: Collection[str] = ()
) -> Path:
    """Keep an uploaded file in a workspace, and return its path.

    A file that was uploaded before under this name, with the same content, is not kept twice.

    Args:
        root: The workspace.
        name: The name of the file in the browser; it may contain anything.
        content: The file, whose position can be changed.
        taken: Names of data sets, which the file without its type cannot have.

    Raises:
        DataError: As `check_unpacked_size` does.
        OSError: If the file cannot be written.
    """
    check_unpacked_size(content, Path(name))
    stem, _, suffixes = file_name(name).partition(".")
    stem, suffix = stem[:LONGEST_PART], f".{suffixes[-LONGEST_PART:]}" if suffixes else ""
    folder = root / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    digest, number, kept = _digest(content), 1, stem
    path = folder / f"{kept}{suffix}"
    while kept in taken or path.exists() or any(folder.glob(f"{kept}.*")):
        if path.is_file() and _file_digest(path) == digest:
            path.touch()  # old uploads that no data set uses are deleted
            return path
        number += 1
        kept = f"{stem}-{number}"
        path = folder / f"{kept}{suffix}"
    with atomic_write(path) as temporary, temporary.open("wb") as file:
        content.seek(0)
        shutil.copyfileobj(content, file)
    return path


def _digest(content: BytesIO | BufferedReader) -> str:
    content.seek(0)
    return hashlib.file_digest(content, "sha256").hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return _digest(file)
