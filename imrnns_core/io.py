"""Files that appear whole or not at all."""

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

Content = TypeVar("Content")


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`; rename it to `path` on success, remove it on failure.

    The file gets the permissions that the umask gives any new file, whoever writes it: safetensors
    makes files that only their owner can read.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid4().hex[:8]}.tmp")
    try:
        with _named(path):
            temporary.touch()
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
    """Name `path`, the file that the user knows, in errors about its temporary file."""
    try:
        yield
    except OSError as error:
        raise type(error)(error.errno, error.strerror, str(path)) from None


def identity(paths: Iterable[Path]) -> str:
    """Return a name for the content of some files.

    It changes when one of them is written, replaced or removed.

    It is made of what the file system knows, so that it takes microseconds.
    """
    seen = []
    for path in paths:
        try:
            found = path.stat()
            seen.append((str(path), found.st_ino, found.st_size, found.st_mtime_ns))
        except OSError:
            seen.append((str(path), 0, 0, 0))
    return hashlib.sha256(repr(seen).encode()).hexdigest()


def unless_damaged(read: Callable[[], Content]) -> Content | None:
    """Return what `read` finds in a file that can be made again.

    None if it is missing or damaged, so that it is made again.

    Readers of truncated archives, arrays and tensors raise errors of many kinds, so every kind
    counts as damage.
    """
    try:
        return read()
    except Exception:
        return None


def first_readable(paths: Sequence[Path], read: Callable[[Path], Content]) -> Content | None:
    """Return what `read` finds in the first file that is not missing or damaged.

    None if there is none.
    """
    for path in paths:
        content = unless_damaged(partial(read, path))
        if content is not None:
            return content
    return None


def file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder, its manifest left out."""
    digests = {}
    for path in sorted(folder.iterdir()):
        if path.name != "manifest.json":
            with path.open("rb") as handle:
                digests[path.name] = hashlib.file_digest(handle, "sha256").hexdigest()
    return digests


def read_json(path: Path) -> Any:
    """Return the record of a derived file, None where it is missing or damaged."""
    return unless_damaged(lambda: json.loads(path.read_text(encoding="utf-8")))


def write_json(path: Path, record: Any) -> None:
    """Write a record, whole or not at all."""
    write_text(path, json.dumps(record, indent=1, ensure_ascii=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
