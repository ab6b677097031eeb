"""When the dashboard ends, nothing of it stays.

No server on the port, no process that makes a map.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser

from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.storage.workspace import Workspace
from tests import toys
from tests.browser.app import open_page, own_context, run_app, run_command, started

pytestmark = pytest.mark.browser
DOCUMENTS, DIMENSION = 4000, 32
"""Their map takes a minute or more."""
SECONDS = 5
LIBRARY = "component/dashboard.widgets.plotly_chart.component.plotly/plotly.min.js"


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a data set that has no map."""
    folder = tmp_path_factory.mktemp("ending")
    vectors = np.random.default_rng(0).standard_normal((DOCUMENTS, DIMENSION)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    documents = [
        {"_id": f"d{i}", "title": f"title {i}", "text": f"text {i}"} for i in range(DOCUMENTS)
    ]
    data = toys.write_dataset(
        folder / "toys",
        documents,
        [{"_id": "q0", "text": "question"}],
        "query-id\tcorpus-id\tscore\nq0\td0\t1\n",
    )
    embeddings = folder / "embeddings"
    embeddings.mkdir()
    save_embeddings(
        EmbeddingMatrix(tuple(d["_id"] for d in documents), unit),
        embeddings,
        "documents",
        "document",
    )
    save_embeddings(EmbeddingMatrix(("q0",), unit[:1]), embeddings, "queries", "query")
    space = Workspace(folder / "workspace")
    space.register(space.resolve(str(data), embeddings))
    save_adapter(
        toys.adapter(toys.random_model(0, DIMENSION, DIMENSION)),
        space.root / "adapters" / "toy.safetensors",
    )
    return space.root


def family(pid: int) -> set[int]:
    """Return a process and its descendants."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout.split()
    parents = dict(zip(map(int, listed[::2]), map(int, listed[1::2]), strict=True))
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def running(pids: set[int]) -> set[int]:
    """Return those that have not ended."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,stat="], capture_output=True, text=True, check=True
    ).stdout.split()
    return {
        int(pid)
        for pid, state in zip(listed[::2], listed[1::2], strict=True)
        if int(pid) in pids and not state.startswith("Z")
    }


@pytest.mark.parametrize(
    ("command", "sent"),
    [
        (run_command, signal.SIGTERM),
        (run_command, signal.SIGINT),
        (run_command, signal.SIGKILL),
        (run_app, signal.SIGTERM),
        (run_app, signal.SIGINT),
    ],
)
def test_a_signal_ends_the_server_and_the_map_in_work(
    browser: Browser, workspace: Path, command: Callable[[int], list[str]], sent: signal.Signals
) -> None:
    with started(workspace, command) as server:
        page = own_context(browser).new_page()
        open_page(page, f"{server.address}/map?data=toys&adapter=toy&query=q0&view=neighbourhood")
        before = family(server.process.pid)
        page.get_by_role("button", name="Create the map").click()
        page.get_by_role("button", name="Stop").wait_for()
        processes = family(server.process.pid)
        assert processes > before, "no process makes the map"
        stalled = socket.create_connection(
            ("127.0.0.1", server.port)
        )  # asks for 4 MB, and reads none of it
        stalled.sendall(f"GET /{LIBRARY} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        os.kill(server.process.pid, sent)
        deadline = time.monotonic() + SECONDS
        server.process.wait(SECONDS)
        while running(processes) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert running(processes) == set()
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", server.port)) != 0
        stalled.close()
        page.context.close()


def test_a_process_that_starts_the_dashboard_can_end_it(tmp_path: Path) -> None:
    """Before the first page, and without a browser: the command is the server itself."""
    with started(tmp_path, run_command) as server:
        assert family(server.process.pid) == {server.process.pid}
