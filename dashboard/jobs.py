"""Work in the background.

No page waits for what it does not show, and long work can be looked at and stopped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Generic, Protocol, TypeVar

import imrnns_core
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.explanation.deletion_test import DeletionTest, run_pairs, sample_pairs
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.io import write_json
from imrnns_core.retrieval.ranker import Ranker

PACKAGE = Path(imrnns_core.__file__).parent
HELD_OUT = ("test", "dev")
FIRST_PAGE_SECONDS = 1.5
"""What no page waits for starts so much later than the first page."""

MESSAGE_BYTES = 500
"""The end of what a process said before it failed is shown."""
STOP_SECONDS = 5.0
"""A process that has not ended so long after it was asked to is killed."""


def ending() -> bool:
    """Say whether the server ends: long work looks now and then."""
    return not threading.main_thread().is_alive()


def start(work: Callable[[], None]) -> None:
    """Run `work` in a thread that the server waits for when it ends.

    A daemon that is in torch at that moment would end the server with an abort; a thread that
    Streamlit's own threads start would be one, as they are.
    """
    threading.Thread(target=work, daemon=False).start()


@dataclass
class Measuring:
    """The splits of a data set, which are being measured.

    `hurry` is set once a page waits for one.
    """

    splits: dict[str, Future[Evaluation]]
    hurry: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def start(cls, ranker: Ranker) -> Measuring:
        """Measure all judged queries, held-out splits first."""
        splits = sorted(ranker.collection.dataset.splits, key=lambda split: split not in HELD_OUT)
        job = cls({split: Future() for split in splits})

        def work() -> None:
            job.hurry.wait(FIRST_PAGE_SECONDS)
            for split, future in job.splits.items():
                if ending():
                    future.cancel()  # a page that waits for it would keep the server from ending
                    continue
                try:
                    future.set_result(evaluate(ranker, split))
                except Exception as error:  # the page that needs the split shows it
                    future.set_exception(error)

        start(work)
        return job


class Job(Protocol):
    """Work in the background that ends with a file: `done` of `total` so far.

    `error` says what went wrong, once it has finished.
    """

    @property
    def done(self) -> float: ...

    @property
    def total(self) -> float: ...

    @property
    def finished(self) -> bool: ...

    @property
    def error(self) -> str: ...

    def stop(self) -> None:
        """End the work soon; nothing of it is kept."""
        ...


J = TypeVar("J", bound=Job)


class Jobs(Generic[J]):
    """The jobs of all sessions, each named by the file that it makes.

    One job a file, owned by all sessions that wait for it.

    A session waits from its click until it leaves; the last one that leaves ends the job. A session
    whose browser is
    gone keeps nothing alive and ends nothing: its job runs on to its end, and the next session that
    looks owns it.
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
        """This session waits no longer; the job ends where no other one does."""
        with self._lock:
            job, owners = self._jobs.get(path, (None, set[str]()))
            owners.discard(session)
            if job is None or self._waiting(owners):
                return
            del self._jobs[path]
        job.stop()

    def _waiting(self, owners: set[str]) -> bool:
        return any(self._connected(owner) for owner in owners)


@dataclass
class MapJob:
    """A map that is being made by a process of its own: it can be stopped, and pages stay quick.

    It counts seconds, `total` is a guess.
    """

    process: subprocess.Popen[bytes]
    messages: IO[bytes]  # a file, not a pipe: it can be read again, and it is never full
    path: Path
    total: float
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, data: str, adapter: str, root: Path, path: Path, documents: int) -> MapJob:
        """Make the map as `imrnns-lens prepare` does, in the workspace at `root`, which writes it to `path`."""
        command = [
            sys.executable,
            "-m",
            "dashboard.child",
            "prepare",
            data,
            "--adapter",
            adapter,
            "--workspace",
            str(root),
        ]
        root.mkdir(parents=True, exist_ok=True)
        paths = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": paths}
        messages = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the job is known
        # the child ends when its input does
        process = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=messages,
        )
        return cls(process, messages, path, cls.seconds(documents))

    @staticmethod
    def seconds(documents: int) -> int:
        """Return how long the map of so many documents may take."""
        return 20 + documents // 40

    @property
    def done(self) -> float:
        return time.monotonic() - self.started

    @property
    def finished(self) -> bool:
        return self.process.poll() is not None

    @property
    def error(self) -> str:
        code = self.process.poll()
        if code is None or (code == 0 and self.path.is_file()):
            return ""
        if code == 0:
            return (
                f"the process ended without the map {self.path}; the data set or the adapter was "
                "changed meanwhile: try again"
            )
        said = os.pread(
            self.messages.fileno(),
            MESSAGE_BYTES,
            max(0, os.fstat(self.messages.fileno()).st_size - MESSAGE_BYTES),
        )
        return (
            said.decode(errors="ignore").strip() or f"the process ended with code {code}; try again"
        )

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()


class _StoppedError(Exception):
    """Nobody waits for the work any more."""


@dataclass
class TrustJob:
    """A deletion test, which counts pairs.

    `step` is how many texts of how many the pair in work has encoded, in its step.
    """

    total: int
    done: int = 0
    step: tuple[int, int] = (0, 0)
    started: float = field(default_factory=time.monotonic)
    finished: bool = False
    error: str = ""
    _stop: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def start(
        cls, explainer: WordExplainer, record: DeletionTest, pairs: int, path: Path
    ) -> TrustJob:
        """Test so many pairs of the split that `record` names; write it to `path` at the end."""
        job = cls(pairs)

        def progress(done: int, total: int) -> None:
            job.step = (done, total)
            if job._stop.is_set() or ending():
                raise _StoppedError

        def work() -> None:
            try:
                sampled = sample_pairs(explainer.ranker, record.split, pairs)
                job.total = len(sampled)
                for tested in run_pairs(explainer, sampled, progress):
                    record.pairs.append(tested)
                    job.done = job.done + 1
                    progress(0, 0)
                write_json(path, record.to_json())
            except _StoppedError:
                pass
            except Exception as error:  # shown on the page: a thread has nobody else to tell
                job.error = f"{type(error).__name__}: {error}"
            finally:
                job.finished = True

        start(work)
        return job

    def stop(self) -> None:
        self._stop.set()
