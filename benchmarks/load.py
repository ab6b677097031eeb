"""Load on the service and on the dashboard with 100,000 documents, for two minutes each.

    python -m benchmarks.load

`serve`: 16 clients send one query per second each to `/search`. The median time is compared with
two flat FAISS searches of one query, measured before in this process.

Dashboard: one session opens the page Compare and changes its query; then 20 sessions change it
every 3 seconds. A session is a WebSocket without a browser, which would be the larger load.
"""

from __future__ import annotations

import asyncio
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
from typing import Any

import httpx
import numpy as np
import psutil
import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks.large_import import QUERIES, generate
from benchmarks.large_pages import register
from benchmarks.reference import flat_index
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray

SECONDS = 120
CLIENTS, REQUEST_EVERY = 16, 1.0
ADAPTER = "sample-paper"
SESSIONS, QUERY_EVERY = 20, 3.0
LINK = f"data=large&adapter={ADAPTER}&query=q{{}}"


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
    queries, flat = collection.query_vectors(names), flat_index(collection.index.vectors)
    with running(workspace, "serve", "large", "--adapter", ADAPTER) as (process, port):
        wait_for(f"http://127.0.0.1:{port}/healthz", process)
        two = statistics.median(_two_searches(flat, queries[i : i + 1]) for i in range(50))
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


def _two_searches(index: Any, query: FloatArray) -> float:
    start = time.perf_counter()
    for _ in range(2):
        index.search(query, 100)
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


async def _draw(channel: websockets.ClientConnection, parameters: str) -> tuple[float, int]:
    """Run the script of the dashboard for a link; return the seconds and the number of errors."""
    request, began, errors = BackMsg(), time.monotonic(), 0
    request.rerun_script.query_string = parameters
    request.rerun_script.is_history_navigation = True  # else the session keeps its own query
    await channel.send(request.SerializeToString())
    while True:
        answer = ForwardMsg.FromString(await asyncio.wait_for(channel.recv(decode=False), 120))
        kind = answer.WhichOneof("type")
        errors += kind == "delta" and answer.delta.new_element.WhichOneof("type") == "exception"
        if kind == "script_finished":
            return time.monotonic() - began, errors + (answer.script_finished != 0)


def _connect(port: int) -> websockets.connect:
    address = f"127.0.0.1:{port}"
    return websockets.connect(
        f"ws://{address}/_stcore/stream", origin=websockets.Origin(f"http://{address}"),
        subprotocols=[websockets.Subprotocol("streamlit")], max_size=None, ping_interval=None,
    )  # fmt: skip


async def _session(port: int, number: int, seconds: list[tuple[float, int]]) -> None:
    """Change the query of one session every 3 seconds; it begins a little later than the last."""
    await asyncio.sleep(number * QUERY_EVERY / SESSIONS)
    async with _connect(port) as channel:
        await _draw(channel, LINK.format(number))
        end, sent = time.monotonic() + SECONDS, number
        while (began := time.monotonic()) < end:
            sent += SESSIONS
            seconds.append(await _draw(channel, LINK.format(sent % QUERIES)))
            await asyncio.sleep(max(0.0, QUERY_EVERY - (time.monotonic() - began)))


async def _sessions(process: psutil.Process, port: int) -> None:
    """Print the times of one session, and of 20 at once."""
    async with _connect(port) as channel:
        first = (await _draw(channel, LINK.format(0)))[0]
    async with _connect(port) as channel:
        start = (await _draw(channel, LINK.format(0)))[0]
        changes = [(await _draw(channel, LINK.format(i)))[0] for i in range(1, 21)]
    print(
        f"dashboard, one session: {first:.1f} s in the first session, then {start:.1f} s; another "
        f"query after {statistics.median(changes):.2f} s (median), {max(changes):.2f} s at most",
        flush=True,
    )
    before, drawn = process.memory_info().rss / 1e9, list[tuple[float, int]]()
    await asyncio.gather(*(_session(port, number, drawn) for number in range(SESSIONS)))
    after, times = process.memory_info().rss / 1e9, [own for own, _ in drawn]
    p50, p95 = np.percentile(times, [50, 95])
    print(
        f"dashboard, {SESSIONS} sessions, {len(times)} queries in {SECONDS} s: median {p50:.2f} s, "
        f"95 % {p95:.2f} s, {sum(errors for _, errors in drawn)} errors; memory {before:.2f} → "
        f"{after:.2f} GB",
        flush=True,
    )


def dashboard(workspace: Path) -> None:
    """Load the dashboard and print the times of its pages."""
    with running(workspace, "dashboard") as (process, port):
        wait_for(f"http://127.0.0.1:{port}/_stcore/health", process)
        children = psutil.Process(process.pid).children(recursive=True)
        server = max([psutil.Process(process.pid), *children], key=lambda p: p.memory_info().rss)
        asyncio.run(_sessions(server, port))


def main() -> None:
    """Generate the documents, and load the service and the dashboard."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder))
        workspace = register(Path(folder))
        dashboard(workspace)
        service(workspace)


if __name__ == "__main__":
    main()
