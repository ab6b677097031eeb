"""Work in the background: what a job can do, and which sessions wait for which job.

No page waits for work that it does not show. Long work reports its progress and can be stopped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Generic, Protocol, TypeVar

import imrnns_core
from imrnns_core import logs
from imrnns_core.errors import LensError
from imrnns_core.io import os_error_line

FIRST_PAGE_SECONDS = 1.5
"""Delay of work that no page waits for, so that it does not slow down the first page."""
PACKAGE = Path(imrnns_core.__file__).parent
MESSAGE_BYTES = 500
"""The last part of the messages of a failed process is shown."""
LOG = "IMRNNS_LOG_FILE"
"""Environment variable of a child process: the number of the open file of the server's log."""
STOP_SECONDS = 5.0
"""A process that has not ended this long after a stop is killed."""


def ending() -> bool:
    """Return whether the server is ending. Long work checks this from time to time."""
    # at exit, Python ends the main thread first and then waits for the threads of the jobs
    return not threading.main_thread().is_alive()


def start(work: Callable[[], None]) -> None:
    """Run `work` in a thread that the server waits for when it ends."""
    # Threads inherit `daemon` from Streamlit's threads. A daemon thread that is inside torch when
    # the server ends would abort the process
    threading.Thread(target=work, daemon=False).start()


class Job(Protocol):
    """Work in the background, with its progress and its error."""

    @property
    def done(self) -> float:
        """The amount of work that is done, in a unit of the job."""

    @property
    def total(self) -> float:
        """The total amount of work, in the same unit."""

    @property
    def finished(self) -> bool:
        """Whether the work has ended: with a result, with an error, or because it was stopped."""

    @property
    def error(self) -> str:
        """What went wrong; empty while the job runs, and after a success."""

    def stop(self) -> None:
        """End the work soon and discard its result."""


class StoppedError(Exception):
    """The work was stopped, because no session waits for it any more."""


@dataclass
class ThreadJob:
    """Work in a thread of the server."""

    total: int = 1
    done: int = 0
    finished: bool = False
    error: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, work: Callable[[], None]) -> None:
        """Start the work. An exception in it becomes `error`."""

        def run_and_record() -> None:
            try:
                with logs.timed("job done", job=type(self).__name__):
                    work()
            # a stop is no error: someone asked for it
            except StoppedError:
                pass
            except Exception as error:  # a thread has no caller to raise to: the page shows it
                self.error = _message(error)
            finally:
                self.finished = True

        start(run_and_record)

    def stop(self) -> None:
        """End the work at its next check."""
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether the work has to end."""
        return self._stop.is_set() or ending()

    def check(self) -> None:
        """End the work here if it was stopped.

        Raises:
            StoppedError: If the work has to end.
        """
        if self.stopping:
            raise StoppedError


def _message(error: Exception) -> str:
    """Return what a page shows of an error; the log has the rest."""
    if isinstance(error, LensError):
        return str(error)
    if isinstance(error, OSError) and error.filename and error.strerror:
        # the folders of the machine are of no use on a page
        return os_error_line(OSError(error.errno, error.strerror, Path(error.filename).name))
    return logs.SHORT.format(logs.report("job failed", error))


def run_command(root: Path, *arguments: str) -> tuple[subprocess.Popen[bytes], IO[bytes]]:
    """Run `imrnns-lens` with these arguments; return the process and the file of its messages.

    Args:
        root: The folder of the workspace.
        arguments: The command and its arguments, without the workspace.
    """
    command = [sys.executable, "-m", "dashboard.child", *arguments, "--workspace", str(root)]
    # a process cannot start in a folder that does not exist; a new workspace has none yet
    root.mkdir(parents=True, exist_ok=True)
    paths = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
    # a file, not a pipe: it can be read again and never blocks; open as long as the job exists
    messages = tempfile.TemporaryFile()  # noqa: SIM115
    log = os.dup(2)
    # the child ends when its input does
    process = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": paths, LOG: str(log)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=messages,
        # an error that nobody expected goes to the log of the server, only its id to the page
        pass_fds=[log],
        # Ctrl-C in the terminal of the server would end a training as if the reader wanted it
        start_new_session=True,
    )
    os.close(log)
    logs.event("process started", command=arguments[0], process=process.pid)
    return process, messages


@dataclass
class ProcessJob:
    """A running command."""

    process: subprocess.Popen[bytes]
    messages: IO[bytes]
    started: float = field(default_factory=time.time, kw_only=True)

    @property
    def finished(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    @property
    def failure(self) -> str:
        """The last messages of the process if it failed, else an empty text."""
        code = self.process.poll()
        if not code:
            return ""
        length = os.fstat(self.messages.fileno()).st_size
        # `pread` moves no position in the file, so all sessions read the same messages
        messages = os.pread(self.messages.fileno(), MESSAGE_BYTES, max(0, length - MESSAGE_BYTES))
        return (
            # the last bytes may begin in the middle of a character
            messages.decode(errors="ignore").strip()
            or f"the process ended with code {code}; try again"
        )

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


J = TypeVar("J", bound=Job)


class Jobs(Generic[J]):
    """The jobs of all sessions: one for each file that is being made.

    A session waits for a job from its click until it leaves. When the last waiting session leaves,
    the job is stopped. A session whose browser is gone does not count as waiting, but it does not
    stop the job either: the job continues, and the next session that asks for it waits for it.
    """

    def __init__(self, is_connected: Callable[[str], bool]) -> None:
        self._is_connected = is_connected
        self._lock = threading.Lock()
        self._jobs: dict[Path, tuple[J, set[str]]] = {}

    def find(self, path: Path, session: str) -> tuple[J | None, bool]:
        """Return the job that makes this file, and whether this session waits for it.

        The job is None if none was started, if it has made the file, or if it failed while this
        session did not wait for it.
        """
        with self._lock:
            job, sessions = self._jobs.get(path, (None, set[str]()))
            if job is None or (job.finished and not job.error):
                self._jobs.pop(path, None)
                return None, False
            # what failed in another session is not of this one, which may have better luck
            if job.finished and session not in sessions:
                return None, False
            # such as after a reload of the page, which begins a new session
            if not self._has_waiting(sessions):
                sessions.add(session)
            return job, session in sessions

    def join(self, path: Path, session: str, start: Callable[[], J]) -> None:
        """Let this session wait for the job of this file. `start` starts one if none runs."""
        with self._lock:
            job, sessions = self._jobs.get(path, (None, set[str]()))
            # a failed job stays until one session tries again: all that waited read its error
            if job is None or job.finished:
                # inside the lock: two clicks at the same moment start one job
                job, sessions = self._jobs[path] = start(), set()
            sessions.add(session)

    def leave(self, path: Path, session: str) -> None:
        """Let this session wait no longer, and stop the job if no other session waits."""
        with self._lock:  # another session may join at the same moment
            job, sessions = self._jobs.get(path, (None, set[str]()))
            sessions.discard(session)
            if job is None or self._has_waiting(sessions):
                return
            del self._jobs[path]
        job.stop()  # outside the lock: it may wait for a process

    def _has_waiting(self, sessions: set[str]) -> bool:
        return any(self._is_connected(session) for session in sessions)
