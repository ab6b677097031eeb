"""Files that were uploaded in a browser: kept in the workspace under a safe name.

    WORKSPACE/uploads/NAME.SUFFIX
    WORKSPACE/uploads/NAME.zip      the files of an uploaded folder, with their paths in it

A data set is named after its file, so a file gets a name that no data set and no upload has.
"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Collection, Sequence
from io import BufferedReader, BytesIO
from pathlib import Path

from imrnns_core.data.readers.unpacked_size import check_unpacked_size
from imrnns_core.errors import DataError
from imrnns_core.io import atomic_write
from imrnns_core.printable import file_name

FOLDER = "uploads"
FOLDER_FILES, FOLDER_BYTES = 10_000, 200_000_000
"""The largest uploaded folder: files, and bytes of all files together."""
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
    stem, _, suffixes = file_name(name, longest=1_000).partition(".")
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


def save_uploaded_folder(
    root: Path, files: Sequence[tuple[str, BytesIO]], taken: Collection[str] = ()
) -> Path:
    """Keep the files of an uploaded folder in a workspace as a zip, and return its path.

    The zip has the paths inside the folder. Its reader leaves out those that lead out of it.

    Args:
        root: The workspace.
        files: The path of each file as the browser names it, which begins with the name of the
            folder, and its content.
        taken: Names of data sets, which the folder cannot have.

    Raises:
        DataError: If there are more than `FOLDER_FILES` files, or more than `FOLDER_BYTES` bytes,
            or as `check_unpacked_size` does.
        OSError: If the zip cannot be written.
    """
    parts = [name.replace("\\", "/").partition("/") for name, _ in files]
    folder = parts[0][0] if len({first for first, _, _ in parts}) == 1 else ""
    size = sum(content.getbuffer().nbytes for _, content in files)
    if len(files) > FOLDER_FILES or size > FOLDER_BYTES:
        problem = f"has {len(files):,} files with {size / 1e6:.0f} MB"
        limit = f"at most {FOLDER_FILES:,} files with {FOLDER_BYTES / 1e6:.0f} MB can be uploaded"
        raise DataError(Path(folder or "folder"), problem, f"{limit}; name the path instead")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        pairs = zip(parts, (content for _, content in files), strict=True)
        for (first, slash, rest), content in sorted(pairs, key=lambda pair: pair[0]):
            # always the same time, so that the same folder is not kept twice
            name = rest if folder else f"{first}{slash}{rest}"
            archive.writestr(zipfile.ZipInfo(name), content.getbuffer())
    return save_upload(root, f"{folder or 'folder'}.zip", packed, taken)


def _digest(content: BytesIO | BufferedReader) -> str:
    content.seek(0)
    return hashlib.file_digest(content, "sha256").hexdigest()


def _file_digest(path: Path) -> str:
    with path.open("rb") as file:
        return _digest(file)
