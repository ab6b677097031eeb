"""Load on the service with 100,000 documents, for two minutes.

    python -m benchmarks.load

`serve`: 16 clients send one query per second each to `/search`. The median time is compared with
two flat FAISS searches of one query, measured before in this process.
"""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil

from benchmarks.large_import import generate
from benchmarks.large_pages import register
from imrnns_core.retrieval.collection import Collection
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray

SECONDS = 120
CLIENTS, REQUEST_EVERY = 16, 1.0
ADAPTER = "sample-paper"


@contextmanager
def running(workspace: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Start a command of `imrnns-lens` on a free port; yield the process and the port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "imrnns_core.cli", *arguments, "--port", str(port)],
        env={**os.environ, "IMRNNS_WORKSPACE": str(workspace)},
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process, port
    finally:
        process.terminate()
        process.wait(20)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers at an address."""
    while True:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            if process.poll() is not None:
                raise SystemExit("the server did not start") from None
            time.sleep(0.5)


def service(workspace: Path) -> None:
    """Load the service and print the times of its answers."""
    collection = Workspace(workspace).open("large")
    names = tuple(collection.dataset.queries)
    queries = collection.query_vectors(names)
    with running(workspace, "serve", "large", "--adapter", ADAPTER) as (process, port):
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        two = statistics.median(_two_searches(collection, queries[i : i + 1]) for i in range(50))
        times: list[float] = []
        failed: list[str] = []
        threads = [
            threading.Thread(target=_client, args=(port, queries, number, times, failed))
            for number in range(CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        memory = psutil.Process(process.pid).memory_info().rss / 1e9
    p50, p95 = np.percentile(times, [50, 95])
    print(
        f"serve, {CLIENTS} clients, {len(times)} requests in {SECONDS} s: median {1e3 * p50:.0f} "
        f"ms, 95 % {1e3 * p95:.0f} ms, {len(failed)} errors; two searches {1e3 * two:.0f} ms; "
        f"ratio of the median {p50 / two:.2f}; memory {memory:.1f} GB",
        flush=True,
    )


def _two_searches(collection: Collection, query: FloatArray) -> float:
    start = time.perf_counter()
    for _ in range(2):
        collection.candidates(query, 100, [""])
    return time.perf_counter() - start


def _client(
    port: int, queries: FloatArray, number: int, times: list[float], failed: list[str]
) -> None:
    """Send one query per second; each client begins a little later than the last."""
    time.sleep(number * REQUEST_EVERY / CLIENTS)
    end, sent = time.monotonic() + SECONDS, number
    with httpx.Client(timeout=60) as client:
        while (began := time.monotonic()) < end:
            body = {"queries": [queries[sent % len(queries)].tolist()]}
            answer = client.post(f"http://127.0.0.1:{port}/search", json=body)
            times.append(time.monotonic() - began)
            if answer.status_code != 200:
                failed.append(answer.text)
            sent += CLIENTS
            time.sleep(max(0.0, REQUEST_EVERY - (time.monotonic() - began)))


def main() -> None:
    """Generate the documents, and load the service."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        service(register(Path(folder)))


if __name__ == "__main__":
    main()
