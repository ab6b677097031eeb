"""A job in a process of its own, so that pages stay fast and it can be stopped at once."""

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
    # the child ends when its input does
    process = subprocess.Popen(
        command,
        cwd=root,
        env={**os.environ, "PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=messages,
        # Ctrl-C in the terminal of the server would end a training as if the reader wanted it
        start_new_session=True,
    )
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
