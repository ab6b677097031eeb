"""The dashboard keeps little of what was typed; `benchmarks.memory` measures it at length."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.memory import measure
from tests.browser.app import run_command, started

pytestmark = pytest.mark.integration
QUERIES, EDITS, EVERY = 40, 20, 20
MOST_MB = 150
"""The caches of 64 rankings are not full yet: each ranking of the sample takes 1 MB."""


def test_memory_over_typed_queries_and_edits(tmp_path: Path) -> None:
    with started(tmp_path, run_command) as server:
        sizes = asyncio.run(measure(server.port, server.process.pid, QUERIES, EDITS, EVERY))
    # the first steps load the encoder
    assert len(sizes) == 4
    assert sizes[-1] - sizes[1] < MOST_MB, sizes
