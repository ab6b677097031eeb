"""The command `serve` as a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from imrnns_core.config import SearchConfig
from imrnns_core.data.records import Query
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace

pytestmark = pytest.mark.integration
START_SECONDS, END_SECONDS = 90, 5


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("serve")


@pytest.fixture(scope="module")
def server(workspace: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "imrnns_core.cli", "serve", "sample", "--adapter", "sample-paper"]
    process = subprocess.Popen(
        [sys.executable, *command, "--port", str(port)],
        env={**os.environ, "IMRNNS_WORKSPACE": str(workspace)},
    )
    address = f"http://127.0.0.1:{port}"
    for _ in range(START_SECONDS * 5):
        try:
            httpx.get(f"{address}/healthz")
            break
        except httpx.TransportError:
            assert process.poll() is None
            time.sleep(0.2)
    yield process, address
    process.kill()
    process.wait()


def test_clients_at_once_get_the_ranking_of_the_page_and_the_process_ends(
    server: tuple[subprocess.Popen[bytes], str], workspace: Path
):
    process, address = server
    space = Workspace(workspace)
    collection = space.open(space.resolve("sample"))
    ranker = Ranker(collection, space.adapter("sample-paper"), SearchConfig(scope="corpus"))
    queries = list(collection.dataset.queries.values())[:48]

    def found(text: str) -> dict[str, float]:
        answer = httpx.post(f"{address}/search", json={"queries": [text]}, timeout=60)
        return {result["id"]: result["score"] for result in answer.json()[0]["results"]}

    with ThreadPoolExecutor(16) as pool:
        served = list(pool.map(lambda query: found(query.text), queries))
    for query, scores in zip(queries, served, strict=True):
        compared = ranker.compare(Query("", query.text))
        expected = {hit.document_id: hit.score for hit in compared.ranking("modulated", 10)}
        # the process uses other threads, so nearly equal scores can change places
        assert list(scores.values()) == pytest.approx(list(expected.values()), abs=1e-5)
        assert len(scores.keys() & expected.keys()) >= 9
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(END_SECONDS)
    assert time.monotonic() - started < END_SECONDS
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address}/healthz")
