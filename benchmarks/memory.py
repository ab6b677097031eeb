"""Memory of the dashboard over typed queries and edited texts, without a browser.

    python -m benchmarks.memory [QUERIES EDITS]

One session types 1,000 different queries on Compare and edits texts 500 times, in turns. The
resident memory of the server is printed at the start and after each hundred steps.
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from imrnns_core.storage.workspace import Workspace
from tests.browser.app import run_command, started
from tests.websocket_session import connect

QUERIES, EDITS, EVERY = 1_000, 500, 100
LINK = "data=sample&adapter=sample-adapter&query=q001&editing=yes"
QUESTION, QUERY_EDITOR = "Or ask your own question", "Text of the query"


def texts(seed: int) -> Iterator[str]:
    """Yield different texts of words of the sample."""
    documents = Workspace(tempfile.mkdtemp()).open("sample").dataset.documents
    words = sorted({word for document in documents for word in document.text.split()})
    draw = random.Random(seed)
    number = 0
    while True:
        number += 1
        yield f"{' '.join(draw.sample(words, draw.randint(4, 12)))} {number}"


def resident(process: int) -> float:
    """Return the resident memory of a process in MB."""
    listed = subprocess.run(["ps", "-o", "rss=", str(process)], capture_output=True, check=True)
    return int(listed.stdout) / 1024


async def measure(
    port: int, process: int, queries: int, edits: int, every: int = EVERY
) -> list[float]:
    """Type queries and edit texts in one session, and print the memory.

    Args:
        port: The port of the dashboard.
        process: The id of its process.
        queries: How many queries are typed.
        edits: How many times a text is edited.
        every: Steps between two measurements.

    Returns:
        MB of resident memory at the start, and after each `every` steps.
    """
    drawn, steps = texts(0), queries + edits
    sizes, began = list[float](), time.monotonic()
    async with connect(port) as session:
        await session.open("compare", LINK)
        for step in range(steps + 1):
            if step % every == 0:
                sizes.append(resident(process))
                seconds = time.monotonic() - began
                print(f"{step:5} steps: {sizes[-1]:.0f} MB, {seconds:.0f} s", flush=True)
            is_edit = (step + 1) * edits // steps > step * edits // steps
            await session.type(QUERY_EDITOR if is_edit else QUESTION, next(drawn))
            session.received.clear()
        print(f"{session.errors} errors")
    return sizes


def main() -> None:
    """Start the dashboard in a new workspace and measure it."""
    queries, edits = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (QUERIES, EDITS)
    with tempfile.TemporaryDirectory() as folder, started(Path(folder), run_command) as server:
        asyncio.run(measure(server.port, server.process.pid, queries, edits))


if __name__ == "__main__":
    main()
