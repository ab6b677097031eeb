"""Atomic writing of files, and reading of files that may be damaged."""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import platform
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from filelock import FileLock, Timeout

Content = TypeVar("Content")
CHECKSUM = "#sha256"
"""The key of a JSON record that has the SHA-256 of all other keys."""
EDITED = f"if you edited it, delete its line “{CHECKSUM}”"
"""The remedy for a record that has changed."""
_HOST = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
_TEMPORARY = re.compile(r"\..+\.(?:(?P<host>[0-9a-f]{6})-)?(?P<pid>\d+)-[0-9a-f]{8}\.tmp")
_ABANDONED_SECONDS = 7 * 86_400
"""After this time, nobody writes a temporary file of another machine any more."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EROFS, errno.EACCES, errno.EPERM)
_SPARE_BYTES = 1 << 16
_SWEPT = set[Path]()
"""Folders in which this process has looked for files of killed ones, at its first write there."""
_SILENT_SECONDS = 2.0
"""How long a process waits for a lock before it says so."""
_LOG = logging.getLogger(__name__)


class ChangedError(ValueError):
    """A record has another content than its checksum says."""


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield a temporary path in the same folder; rename it to `path` on success, else delete it.

    Raises:
        OSError: If the file cannot be written; the error names `path`.
    """
    if path.parent not in _SWEPT:  # a folder can have thousands of shards
        _SWEPT.add(path.parent)
        sweep_temporaries(path.parent)
    name = f".{path.name}.{_HOST}-{os.getpid()}-{uuid4().hex[:8]}.tmp"
    temporary = path.with_name(name)
    try:
        with named_errors(path, temporary):
            temporary.touch()
            # safetensors makes files that only the owner can read; this probe has the umask's
            # rights
            permissions = temporary.stat().st_mode
            temporary.unlink()
            yield temporary
            if temporary.is_dir():
                replace_folder(temporary, path)
            else:
                temporary.chmod(permissions)
                temporary.replace(path)
    finally:
        delete(temporary)


@contextmanager
def named_errors(path: Path, temporary: Path | None = None) -> Iterator[None]:
    """Name `path` in errors of the disk that name no file, or the temporary one.

    Raises:
        OSError: As the block does.
    """
    try:
        yield
    except OSError as error:
        own = temporary is not None and str(error.filename).startswith(str(temporary))
        # numpy says that it wrote too little, and not why
        short = error.errno is None and "written" in str(error)
        if not own and (error.filename or not (short or error.errno in (*_FULL, *_REFUSED))):
            raise
        number = (errno.ENOSPC if is_full(path) else errno.EIO) if short else error.errno
        raise OSError(number, os.strerror(number or errno.EIO), str(path)) from None


def is_full(path: Path) -> bool:
    """Return whether the disk of a file has no space left."""
    return shutil.disk_usage(path.parent).free < _SPARE_BYTES


def os_error_line(error: OSError) -> str:
    """Return an error of the system as one line with the file, the problem and the remedy."""
    if error.errno in _FULL:
        remedy = "free some disk space, then run the same command again"
    elif error.errno in _REFUSED:
        remedy = "make it writable or readable for you, or name another file or workspace"
    else:
        remedy = "check the path, the permissions and the free disk space"
    file = f"{error.filename}: " if error.filename else ""
    return f"{file}{error.strerror or error}; {remedy}"


def delete(path: Path) -> None:
    """Delete a file or a folder, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sweep_temporaries(folder: Path) -> list[Path]:
    """Delete the temporary files in a folder whose process was killed, and return them."""
    swept = []
    try:
        for path in abandoned_temporaries(folder):
            delete(path)
            swept.append(path)
    except OSError:  # a folder that is missing, or cannot be changed
        pass
    return swept


def abandoned_temporaries(folder: Path) -> list[Path]:
    """Return the temporary files in a folder that no living process writes.

    Whether a process of another machine lives is unknown: its files count as abandoned after
    seven days.
    """
    found = []
    for entry in os.scandir(folder):
        match = _TEMPORARY.fullmatch(entry.name)
        if match is None:
            continue
        if match["host"] not in (None, _HOST):
            if time.time() - entry.stat().st_mtime > _ABANDONED_SECONDS:
                found.append(Path(entry.path))
        elif not _lives(int(match["pid"])):
            found.append(Path(entry.path))
    return found


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):  # it belongs to somebody else
        return True
    return True


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time change a file or folder; the others wait until it is done.

    The lock is the file `.NAME.lock` beside it. The system frees it when its process ends, however
    it ends.

    Raises:
        OSError: If the file of the lock cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(lock_path(path))
    try:
        lock.acquire(timeout=_SILENT_SECONDS)
    except Timeout:
        _LOG.warning("%s: another process changes this; waiting until it is done", path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def lock_path(path: Path) -> Path:
    """Return the file that is locked while a file or folder is changed."""
    return path.with_name(f".{path.name}.lock")


def replace_folder(new: Path, folder: Path) -> None:
    """Put a finished folder in the place of another one, without a moment at which both are lost.

    `new` can be a subfolder of `folder`. The caller has the lock of the folder.
    """
    old = old_folder(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.replace(old)
        if new.is_relative_to(folder):
            new = old / new.relative_to(folder)
    new.replace(folder)
    shutil.rmtree(old, ignore_errors=True)


def recover_folder(folder: Path) -> None:
    """Finish a `replace_folder` that was killed. The caller has the lock of the folder."""
    old = old_folder(folder)
    if old.exists():
        if folder.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.replace(folder)


def old_folder(folder: Path) -> Path:
    """Return where `replace_folder` keeps the old folder for a moment."""
    return folder.with_name(f".{folder.name}.old")


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


def write_checked_json(path: Path, record: Mapping[str, Any]) -> None:
    """Write a record as JSON with its checksum, atomically."""
    write_json(path, {CHECKSUM: _digest(record), **record} if record else record)


def without_checksum(record: Any) -> Any:
    """Return a record that was read from JSON without its checksum, if it has one.

    Raises:
        ChangedError: If the record has changed since it was written.
    """
    if not isinstance(record, dict) or not isinstance(record.get(CHECKSUM), str):
        return record  # an older version wrote it
    content = {key: value for key, value in record.items() if key != CHECKSUM}
    if record[CHECKSUM] != _digest(content):
        raise ChangedError("it has changed since it was written")
    return content


def _digest(record: Mapping[str, Any]) -> str:
    # read and written once more, so that it is as a reader gets it
    text = json.dumps(json.loads(json.dumps(record)))
    return hashlib.sha256(text.encode()).hexdigest()
