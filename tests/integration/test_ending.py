"""A signal ends the servers with all their work, whatever runs: `make integration`.

`tests/browser/test_ending.py` does the same while a map is made.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import numpy as np
import pytest

from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.storage.workspace import Workspace
from tests.browser.app import Server, run_app, run_command, started
from tests.browser.test_ending import family, running
from tests.websocket_session import Session, connect

pytestmark = pytest.mark.integration
SECONDS = 5
SAMPLE = "data=sample&adapter=sample-adapter&query=q001"
DOCUMENTS = 4000


def is_working(session: Session) -> bool:
    return any(shown.startswith("progress {") for shown in session.shown)


async def train(session: Session, folder: Path) -> None:
    await session.open("adapters", SAMPLE)
    await session.click("Train")


async def encode(session: Session, folder: Path) -> None:
    words, file = [f"word{i}" for i in range(3000)], folder / "many.csv"
    draw = random.Random(0)
    lines = [f"d{i},{' '.join(draw.choices(words, k=120))}" for i in range(DOCUMENTS)]
    file.write_text("\n".join(["id,text", *lines]))
    await session.open("data", SAMPLE)
    await session.type("Folder, zip or file of documents", str(file))
    await session.click("Import")


async def remedies(session: Session, folder: Path) -> None:
    await session.open("remedies", SAMPLE)


Work = Callable[[Session, Path], Awaitable[None]]


async def interrupt(server: Server, work: Work, folder: Path, sent: signal.Signals) -> set[int]:
    """Send a signal while some work runs; return the processes that were there."""
    async with connect(server.port) as session:
        await work(session, folder)
        assert session.shown, "nothing is drawn"
        await asyncio.sleep(1.5)
        await session.again()
        assert is_working(session), [shown[:80] for shown in session.shown]
        processes = family(server.process.pid)
        os.kill(server.process.pid, sent)
        # the session stays open, as a browser does
        deadline = time.monotonic() + SECONDS
        while running(processes) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
    return processes


def check_files(root: Path) -> None:
    """Check that nothing under its own name is half a file."""
    for path in root.rglob("*"):
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix in (".npy", ".npz"):
            np.load(path)
        elif path.suffix == ".safetensors" and path.parent == root / "adapters":
            load_adapter(path)
    space = Workspace(root)
    for name in space.registrations():
        assert space.open(name).documents


@pytest.mark.parametrize("work", [train, encode, remedies])
@pytest.mark.parametrize(
    ("command", "sent"),
    [(run_app, signal.SIGTERM), (run_command, signal.SIGINT), (run_command, signal.SIGKILL)],
)
def test_a_signal_ends_everything(
    tmp_path: Path, command: Callable[[int], list[str]], sent: signal.Signals, work: Work
) -> None:
    with started(tmp_path / "workspace", command) as server:
        processes = asyncio.run(interrupt(server, work, tmp_path, sent))
        assert running(processes) == set()
        # work of the engine's commands is in processes of their own
        assert (len(processes) > 1) is (work is train)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", server.port)) != 0
    check_files(tmp_path / "workspace")


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_serve_with_its_open_requests(tmp_path: Path, sent: signal.Signals) -> None:
    def command(port: int) -> list[str]:
        adapter = ["sample", "--adapter", "sample-paper"]
        return [*run_command(port)[:3], "serve", *adapter, "--port", str(port)]

    def ready(address: str) -> bool:
        try:
            return httpx.get(f"{address}/healthz").is_success
        except httpx.TransportError:
            return False

    with started(tmp_path, command, ready=ready) as server:
        stalled = socket.create_connection(("127.0.0.1", server.port))
        # a request whose body never comes
        stalled.sendall(b"POST /search HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")
        server.process.send_signal(sent)
        try:
            server.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail("it still runs")
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", server.port)) != 0
        stalled.close()
