"""One process at a time trains an adapter's file, and other processes see that it does.

    .NAME.safetensors.lock   beside the file; locked by the process that trains

The system frees the lock when the process ends, however it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from imrnns_core.errors import TrainingError

_PROBE_SECONDS = 2.0
"""A process that only looks whether a training runs holds the lock for a moment."""


@contextmanager
def training_lock(file: Path) -> Iterator[None]:
    """Hold the lock of an adapter's file while it is trained.

    Raises:
        TrainingError: If another process trains it.
        OSError: If the lock cannot be written.
    """
    path = _path(file)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=_PROBE_SECONDS)
    except Timeout:
        raise TrainingError(
            f"{file}: another process is training this adapter; wait until it ends, or name "
            "another file"
        ) from None
    try:
        yield
    finally:
        _delete(path)
        lock.release()


def is_training(file: Path) -> bool:
    """Return whether a process is training an adapter's file now."""
    path = _path(file)
    if not path.exists():
        return False
    try:
        with FileLock(path).acquire(timeout=0):
            _delete(path)  # it is that of a process that was killed
            return False
    except Timeout:
        return True


def _delete(path: Path) -> None:
    """Delete the file of a lock that this process holds; who waits for it then makes a new one."""
    with suppress(OSError):  # some systems delete no open file; the next training uses it again
        path.unlink()


def _path(file: Path) -> Path:
    return file.with_name(f".{file.name}.lock")
