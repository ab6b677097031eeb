"""Work in the background: one protocol for all of it, and who waits for what.

No page waits for what it does not show, and long work can be looked at and stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Protocol, TypeVar

FIRST_PAGE_SECONDS = 1.5
"""What no page waits for starts so much later than the first page."""


def ending() -> bool:
    """Say whether the server ends: long work looks now and then."""
    return not threading.main_thread().is_alive()


def start(work: Callable[[], None]) -> None:
    """Run `work` in a thread that the server waits for when it ends.

    A daemon that is in torch at that moment would end the server with an abort; a thread that
    Streamlit's own threads start would be one, as they are.
    """
    threading.Thread(target=work, daemon=False).start()


class Job(Protocol):
    """Work in the background: `done` of `total` so far.

    `error` says what went wrong, once it has finished.
    """

    @property
    def done(self) -> float:
        """How much is done, in a unit of the job."""

    @property
    def total(self) -> float:
        """How much there is to do, in the same unit."""

    @property
    def finished(self) -> bool:
        """Whether the work has ended, however."""

    @property
    def error(self) -> str:
        """What went wrong; empty while it runs, and where nothing did."""

    def stop(self) -> None:
        """End the work soon; nothing of it is kept."""


class StoppedError(Exception):
    """Nobody waits for the work any more."""


@dataclass
class ThreadJob:
    """Work that a thread of the server does."""

    total: int = 1
    done: int = 0
    finished: bool = False
    error: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, work: Callable[[], None]) -> None:
        """Start the work; what goes wrong in it becomes `error`."""

        def tell() -> None:
            try:
                work()
            except StoppedError:
                pass
            except Exception as error:  # shown on the page: a thread has nobody else to tell
                self.error = f"{type(error).__name__}: {error}"
            finally:
                self.finished = True

        start(tell)

    def stop(self) -> None:
        """End the work at its next look."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether the work is to end."""
        return self._stop.is_set() or ending()

    def look(self) -> None:
        """Raise StoppedError where the work is to end."""
        if self.stopping:
            raise StoppedError


J = TypeVar("J", bound=Job)


class Jobs(Generic[J]):
    """The jobs of all sessions, each named by the file that it makes.

    One job a file, owned by all sessions that wait for it.

    A session waits from its click until it leaves; the last one that leaves ends the job. A session
    whose browser is gone keeps nothing alive and ends nothing: its job runs on to its end, and the
    next session that looks owns it.
    """

    def __init__(self, connected: Callable[[str], bool]) -> None:
        self._connected = connected
        self._lock = threading.Lock()
        self._jobs: dict[Path, tuple[J, set[str]]] = {}

    def find(self, path: Path, session: str) -> tuple[J | None, bool]:
        """Return the job that makes this file, and whether this session waits for it.

        No job where it made the file.
        """
        with self._lock:
            job, owners = self._jobs.get(path, (None, set[str]()))
            if job is None or (job.finished and not job.error):
                self._jobs.pop(path, None)
                return None, False
            if not self._waiting(owners):
                owners.add(session)
            return job, session in owners

    def join(self, path: Path, session: str, start: Callable[[], J]) -> None:
        """Let this session wait for the file.

        For the job that makes it, else for the one that `start` starts.
        """
        with self._lock:
            job, owners = self._jobs.get(path, (None, set[str]()))
            if job is None or job.finished:
                job, owners = self._jobs[path] = start(), set()
            owners.add(session)

    def leave(self, path: Path, session: str) -> None:
        """Let this session wait no longer; the job ends where no other one does."""
        with self._lock:
            job, owners = self._jobs.get(path, (None, set[str]()))
            owners.discard(session)
            if job is None or self._waiting(owners):
                return
            del self._jobs[path]
        job.stop()

    def _waiting(self, owners: set[str]) -> bool:
        return any(self._connected(owner) for owner in owners)
