"""A result that is computed in the background, while pages show its progress."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from dashboard.services.background import ThreadJob
from imrnns_core.types import LabelledProgress

T = TypeVar("T")
SOON_SECONDS = 0.4
"""A page waits this long for a new computation: most data sets are small."""


@dataclass
class Computation(ThreadJob, Generic[T]):
    """A computation that all sessions share. Its progress counts what `label` says.

    Attributes:
        work: Computes the result. It calls its argument with (label, done, total).
        label: What is done now.
    """

    work: Callable[[LabelledProgress], T] = field(kw_only=True)
    label: str = ""
    _results: list[T] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _begun: float = 0.0
    _sessions: set[str] = field(default_factory=set)

    @classmethod
    def start(cls, work: Callable[[LabelledProgress], T]) -> Computation[T]:
        """Start to compute a result."""
        job = cls(work=work, finished=True)
        job.begin()
        return job

    def begin(self) -> None:
        """Compute the result, or again if that failed."""
        with self._lock:  # two sessions may try again at once
            if not self.finished or self._results:
                return
            self.finished, self.error, self._begun = False, "", time.monotonic()
            self._ended.clear()
            self._stop.clear()
        self.run(self._compute)

    def _compute(self) -> None:
        try:
            self._results.append(self.work(self._report))
        finally:
            gc.unfreeze()
            self._ended.set()

    def _report(self, label: str, done: int, total: int) -> None:
        self.label, self.done, self.total = label, done, max(1, total)
        # Streamlit collects garbage each time a page asks for the progress. With millions of words
        # in lists, this would take longer than the work, so the collection leaves them out
        gc.freeze()
        self.check()

    def wait_in(self, session: str) -> None:
        """Let a session wait for the result. What failed before it waited is computed again."""
        if self.error and session not in self._sessions:
            self.begin()
        self._sessions.add(session)

    def result(self) -> T:
        """Wait for the result and return it.

        Raises:
            RuntimeError: If it could not be computed; `error` has the reason.
        """
        self._ended.wait()
        if not self._results:
            raise RuntimeError(self.error)
        return self._results[0]

    def is_there(self) -> bool:
        """Return whether the result is there; wait for a moment if the computation is new."""
        self._ended.wait(max(0.0, self._begun + SOON_SECONDS - time.monotonic()))
        return bool(self._results)
