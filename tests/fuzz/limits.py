"""The limits of every reader: five seconds, two gigabytes, one clear line."""

from __future__ import annotations

import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from imrnns_core.errors import LensError
from imrnns_core.printable import one_line

SECONDS = 5
MEMORY = 2 * 10**9


@contextmanager
def limited(seconds: float = SECONDS, memory: int = MEMORY) -> Iterator[None]:
    """Stop after this processor time, and let memory grow by this many bytes at most.

    Memory that cannot be had is a MemoryError, or the end of the process.
    """

    def stop(*_: object) -> None:
        raise TimeoutError(f"took more than {seconds} s of processor time")

    previous = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    limits = resource.getrlimit(resource.RLIMIT_DATA)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_DATA, (_private_bytes() + memory, limits[1]))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, previous)
        resource.setrlimit(resource.RLIMIT_DATA, limits)


def _private_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmData:")[2].split()[0])


def read_or_refuse(read: Callable[[Path], Any], path: Path) -> LensError | None:
    """Read a file within the limits; return the refusal, which is one clear line, if there is one.

    Any other exception is raised, and fails the test.
    """
    with limited():
        try:
            read(path)
        except LensError as error:
            check_line(error)
            return error
    return None


def check_line(error: LensError) -> None:
    """Check that a message is one line of printable characters."""
    message = str(error)
    assert len(message) > 10
    assert message == one_line(message), repr(message)


def refusal(read: Callable[[Path], Any], path: Path) -> str:
    """Return the message with which a file is refused within the limits."""
    error = read_or_refuse(read, path)
    if error is None:
        pytest.fail(f"{path.name} was not refused")
    return str(error)
