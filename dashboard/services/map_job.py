"""The job that makes a map: a process of its own, which can be stopped while pages stay quick."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import imrnns_core

PACKAGE = Path(imrnns_core.__file__).parent
MESSAGE_BYTES = 500
"""The end of what a process said before it failed is shown."""
STOP_SECONDS = 5.0
"""A process that has not ended so long after it was asked to is killed."""


@dataclass
class MapJob:
    """A map that is being made. It counts seconds, `total` is a guess."""

    process: subprocess.Popen[bytes]
    messages: IO[bytes]  # a file, not a pipe: it can be read again, and it is never full
    path: Path
    total: float
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, data: str, adapter: str, root: Path, path: Path, documents: int) -> MapJob:
        """Make the map as `imrnns-lens prepare` does.

        The workspace is at `root`; it writes the map to `path`.
        """
        command = [sys.executable, "-m", "dashboard.child", "prepare", data]
        command += ["--adapter", adapter, "--workspace", str(root)]
        root.mkdir(parents=True, exist_ok=True)
        paths = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
        messages = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the job is known
        # the child ends when its input does
        process = subprocess.Popen(
            command,
            cwd=root,
            env={**os.environ, "PYTHONPATH": paths},
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
        """The seconds since it started."""
        return time.monotonic() - self.started

    @property
    def finished(self) -> bool:
        """Whether the process has ended."""
        return self.process.poll() is not None

    @property
    def error(self) -> str:
        """What the process said last, where it failed."""
        code = self.process.poll()
        if code is None or (code == 0 and self.path.is_file()):
            return ""
        if code == 0:
            return (
                f"the process ended without the map {self.path}; the data set or the adapter was "
                "changed meanwhile: try again"
            )
        length = os.fstat(self.messages.fileno()).st_size
        said = os.pread(self.messages.fileno(), MESSAGE_BYTES, max(0, length - MESSAGE_BYTES))
        return (
            said.decode(errors="ignore").strip() or f"the process ended with code {code}; try again"
        )

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
