"""The job that makes a map."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from dashboard.services.background import ProcessJob, run_command


@dataclass
class MapJob(ProcessJob):
    """A map that is being made. Its progress counts seconds; `total` is an estimate."""

    path: Path
    total: float

    @classmethod
    def start(cls, data: str, adapter: str, root: Path, path: Path, documents: int) -> MapJob:
        """Run `imrnns-lens prepare` with the workspace `root`, which writes the map to `path`."""
        running = run_command(root, "prepare", data, "--adapter", adapter)
        return cls(*running, path, cls.seconds(documents))

    @staticmethod
    def seconds(documents: int) -> int:
        """Return the estimated seconds for a map of this number of documents."""
        return 20 + documents // 40

    @property
    def done(self) -> float:
        """The seconds since it started."""
        return time.time() - self.started

    @property
    def error(self) -> str:
        """The last messages of the process if it failed, else an empty text."""
        if self.process.poll() == 0 and not self.path.is_file():
            return (
                f"the process ended without the map {self.path}, because the data set or the "
                "adapter has changed; try again"
            )
        return self.failure
