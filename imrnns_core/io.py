"""Atomic writing of files, and reading of files that may be damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from filelock import FileLock

Content = TypeVar("Content")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` on success, else delete it.

    Raises:
        OSError: If the file cannot be written; the error names `path`.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid4().hex[:8]}.tmp")
    try:
        with _named(path):
            temporary.touch()
        # safetensors makes files that only the owner can read; this probe has the umask's rights
        permissions = temporary.stat().st_mode
        temporary.unlink()
        yield temporary
        if temporary.is_file():
            temporary.chmod(permissions)
        with _named(path):
            temporary.replace(path)
    finally:
        if temporary.is_dir():
            shutil.rmtree(temporary)
        else:
            temporary.unlink(missing_ok=True)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Name `path` instead of its temporary file in errors."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time change a file or folder; the others wait until it is done.

    The lock is the file `.NAME.lock` beside it. The system frees it when its process ends, however
    it ends.

    Raises:
        OSError: If the file of the lock cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        yield


def identity(paths: Iterable[Path]) -> str:
    """Return a hash that changes when one of the files is written, replaced or removed.

    Only inode, size and modification time are read, which takes microseconds.
    """
    states = []
    for path in paths:
        try:
            status = path.stat()
            states.append((str(path), status.st_ino, status.st_size, status.st_mtime_ns))
        except OSError:
            states.append((str(path), 0, 0, 0))
    return hashlib.sha256(repr(states).encode()).hexdigest()


def none_if_damaged(read: Callable[[], Content]) -> Content | None:
    """Return the result of `read`, or None if the file is missing or damaged.

    Use it only for files that can be computed again.
    """
    try:
        return read()
    except Exception:  # truncated archives, arrays and tensors raise errors of many types
        return None


def first_readable(paths: Sequence[Path], read: Callable[[Path], Content]) -> Content | None:
    """Return the content of the first readable file, or None if all are missing or damaged."""
    for path in paths:
        content = none_if_damaged(partial(read, path))
        if content is not None:
            return content
    return None


def file_digests(folder: Path) -> dict[str, str]:
    """Return file name → SHA-256 for a folder, without its manifest and its subfolders."""
    digests = {}
    for path in sorted(folder.iterdir()):
        if path.name != "manifest.json" and path.is_file():
            with path.open("rb") as handle:
                digests[path.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return digests


def read_json(path: Path) -> Any:
    """Return the content of a JSON file, or None if it is missing or damaged."""
    return none_if_damaged(lambda: json.loads(path.read_text(encoding="utf-8")))


def write_json(path: Path, record: Any) -> None:
    """Write a record as JSON, atomically."""
    write_text(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, and create its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
