"""Runs the real command line in forked processes, which can be killed at a chosen point.

The modules are imported once, and each run is a fork: starting Python and importing torch would
take longer than the commands. Nothing is computed before a fork, so no thread is lost by it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHANGES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
"""Audit events before a file or folder is changed; "open" counts if it is for writing."""


@dataclass(frozen=True)
class Kill:
    """When a run is killed: after some seconds, or before its n-th change of a file (from 1)."""

    seconds: float | None = None
    change: int | None = None


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Attributes:
        code: Exit code, −9 if it was killed.
        said: Its output.
        seconds: How long it ran.
        changed: The files and folders that it changed, in this order.
    """

    code: int
    said: str
    seconds: float
    changed: list[str] = field(default_factory=list)

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL


def import_all() -> None:
    """Import what the commands import, so that a fork has it."""
    import bm25s  # noqa: F401
    import filelock  # noqa: F401
    import sentence_transformers  # noqa: F401
    import sklearn.cluster  # noqa: F401
    import torch
    import transformers  # noqa: F401

    import imrnns_core.cli.app
    import imrnns_core.projection.corpus_map
    import imrnns_core.storage.store_import
    import imrnns_core.training.trainer  # noqa: F401

    torch.set_num_threads(1)


def run(arguments: list[str], folder: Path, kill: Kill | None = None) -> Ended:
    """Run `imrnns-lens` with arguments; changes of files in the folder count."""
    said, changes = folder / "said.txt", folder / "changes.txt"
    for file in (said, changes):
        file.unlink(missing_ok=True)
    started = time.monotonic()
    process = os.fork()
    if process == 0:
        _child(arguments, folder, kill)
    if kill is not None and kill.seconds is not None:
        time.sleep(kill.seconds)
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    changed = changes.read_text().splitlines() if changes.exists() else []
    text = said.read_text(errors="replace") if said.exists() else ""
    for file in (said, changes):
        file.unlink(missing_ok=True)
    seconds = time.monotonic() - started
    return Ended(os.waitstatus_to_exitcode(status), text, seconds, [json.loads(c) for c in changed])


def _child(arguments: list[str], folder: Path, kill: Kill | None) -> None:
    code = 70
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        for number in (1, 2):
            os.dup2(os.open(folder / "said.txt", flags), number)
        _watch(os.open(folder / "changes.txt", flags), str(folder), kill.change if kill else None)
        os.environ["COLUMNS"] = "200"
        sys.argv = ["imrnns-lens", *arguments]
        from imrnns_core.cli.app import main

        main()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _watch(log: int, folder: str, last: int | None) -> None:
    """Note each change of a file in a folder, and end this process before the last one."""
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if event not in CHANGES:
            return
        path = str(arguments[1] if event == "os.rename" else arguments[0])
        if event == "open":
            mode, flags = arguments[1], arguments[2]
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if not writes and not (isinstance(mode, str) and set(mode) & set("wax+")):
                return
        if not path.startswith(folder):
            return
        count += 1
        if count == last:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(log, (json.dumps(path) + "\n").encode())

    sys.addaudithook(hook)
