"""Work in the background: no page waits for what it does not show, and long work can be looked at and stopped."""

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
from typing import IO

import imrnns_core
from imrnns_core.evaluation import Evaluation, evaluate
from imrnns_core.explain.faithfulness import Faithfulness, run_pairs, sample_pairs
from imrnns_core.explain.words import WordExplainer
from imrnns_core.files import write_json
from imrnns_core.ranking import Ranker

PACKAGE = Path(imrnns_core.__file__).parent
HELD_OUT = ("test", "dev")
FIRST_PAGE_SECONDS = 1.5
"""What no page waits for starts so much later than the first page."""

MESSAGE_BYTES = 500
"""The end of what a process said before it failed is shown."""


def ending() -> bool:
    """Say whether the server ends: long work looks now and then."""
    return not threading.main_thread().is_alive()


def start(work: Callable[[], None]) -> None:
    """Run `work` in a thread that the server waits for when it ends.

    A daemon that is in torch at that moment would end the server with an abort; a thread that Streamlit's own
    threads start would be one, as they are.
    """
    threading.Thread(target=work, daemon=False).start()


@dataclass
class Measuring:
    """The splits of a data set, which are being measured; `hurry` is set once a page waits for one."""

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


@dataclass
class MapJob:
    """A map that is being made by a process of its own: it can be stopped, and pages stay quick."""

    process: subprocess.Popen[bytes]
    messages: IO[bytes]  # a file, not a pipe: it can be read again, and it is never full
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, data: str, adapter: str, root: Path) -> MapJob:
        """Make the map as `imrnns-lens prepare` does, in the workspace at `root`."""
        command = [sys.executable, "-m", "imrnns_core.cli", "prepare", data, "--adapter", adapter, "--workspace", str(root)]
        root.mkdir(parents=True, exist_ok=True)
        paths = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
        environment = {**os.environ, "PYTHONPATH": paths}
        messages = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the job is known
        return cls(subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.DEVNULL, stderr=messages), messages)

    @property
    def error(self) -> str:
        """What went wrong, once the process has ended; empty while it runs or if all went well."""
        if not self.process.poll():
            return ""
        said = os.pread(self.messages.fileno(), MESSAGE_BYTES, max(0, os.fstat(self.messages.fileno()).st_size - MESSAGE_BYTES))
        return said.decode(errors="ignore").strip() or f"the process ended with code {self.process.returncode}"

    def stop(self) -> None:
        """Stop making the map; nothing half-made is kept."""
        self.process.terminate()
        self.process.wait(10)


class _StoppedError(Exception):
    """Nobody waits for the work any more."""


@dataclass
class TrustJob:
    """A deletion test: how many of its pairs are done, and what went wrong, once something has; `stop` ends it, nothing is kept.

    `step` is how many texts of how many the pair in work has encoded, in its step.
    """

    total: int
    done: int = 0
    step: tuple[int, int] = (0, 0)
    stop: threading.Event = field(default_factory=threading.Event)
    started: float = field(default_factory=time.monotonic)
    finished: bool = False
    error: str = ""

    @classmethod
    def start(cls, explainer: WordExplainer, record: Faithfulness, pairs: int, path: Path) -> TrustJob:
        """Test so many pairs of the split that `record` names; write it to `path` at the end."""
        job = cls(pairs)

        def progress(done: int, total: int) -> None:
            job.step = (done, total)
            if job.stop.is_set() or ending():
                raise _StoppedError

        def work() -> None:
            try:
                sampled = sample_pairs(explainer.ranker, record.split, pairs)
                job.total = len(sampled)
                for tested in run_pairs(explainer, sampled, progress):
                    record.pairs.append(tested)
                    job.done, job.step = job.done + 1, (0, 0)
                write_json(path, record.to_json())
                job.finished = True
            except _StoppedError:
                return
            except Exception as error:  # shown on the page: a thread has nobody else to tell
                job.error = f"{type(error).__name__}: {error}"

        start(work)
        return job
