"""The job that makes a map: a process of its own, so that pages stay fast and it can be stopped."""

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
"""The last part of the messages of a failed process is shown."""
STOP_SECONDS = 5.0
"""A process that has not ended this long after a stop is killed."""


@dataclass
class MapJob:
    """A map that is being made. Its progress counts seconds; `total` is an estimate."""

    process: subprocess.Popen[bytes]
    messages: IO[bytes]  # a file, not a pipe: it can be read again and never blocks
    path: Path
    total: float
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(cls, data: str, adapter: str, root: Path, path: Path, documents: int) -> MapJob:
        """Run `imrnns-lens prepare` with the workspace `root`, which writes the map to `path`."""
        command = [sys.executable, "-m", "dashboard.child", "prepare", data]
        command += ["--adapter", adapter, "--workspace", str(root)]
        # a process cannot start in a folder that does not exist; a new workspace has none yet
        root.mkdir(parents=True, exist_ok=True)
        paths = os.pathsep.join(filter(None, (str(PACKAGE.parent), os.environ.get("PYTHONPATH"))))
        messages = tempfile.TemporaryFile()  # noqa: SIM115  # open as long as the job exists
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
        """Return the estimated seconds for a map of this number of documents."""
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
        """The last messages of the process if it failed, else an empty text."""
        code = self.process.poll()
        if code is None or (code == 0 and self.path.is_file()):
            return ""
        if code == 0:
            return (
                f"the process ended without the map {self.path}, because the data set or the "
                "adapter has changed; try again"
            )
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
