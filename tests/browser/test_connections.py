"""No connection leaves the machine, whatever is asked of the server."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard import navigation
from tests.browser.app import Server, healthy, open_page, run_app, started, websocket_status
from tests.browser.conftest import NewPage

pytestmark = pytest.mark.browser
_AUDIT = """
import sys

def record(event, arguments):
    if event == "socket.connect":
        peer = arguments[1]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        peer = arguments[0]
    elif event == "socket.sendto":
        peer = arguments[1]
    else:
        return
    host = peer[0] if isinstance(peer, tuple) else peer
    if host not in ("127.0.0.1", "::1", "localhost", b"localhost", None):
        with open({log!r}, "a") as log:
            print(event, peer, file=log)

sys.addaudithook(record)
"""


def run_open(port: int) -> list[str]:
    """Serve all interfaces, where Streamlit names all addresses of the machine."""
    return [*run_app(port), "--server.address", "0.0.0.0"]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("audit") / "connections.txt"


@pytest.fixture(scope="module")
def server(log: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose connections and look-ups of names are written to `log`.

    Other than on this machine; nothing is set offline.
    """
    (log.parent / "sitecustomize.py").write_text(_AUDIT.format(log=str(log)))
    path = os.pathsep.join(filter(None, (str(log.parent), os.environ.get("PYTHONPATH"))))
    workspace = tmp_path_factory.mktemp("workspace")
    with started(
        workspace,
        run_open,
        PYTHONPATH=path,
        HF_HUB_OFFLINE="0",
        STREAMLIT_SERVER_CORS_ALLOWED_ORIGINS="http://friend.example",
    ) as running:
        yield running


def test_the_start_asks_nobody(server: Server, log: Path) -> None:
    assert not log.exists(), log.read_text()


@pytest.mark.parametrize(
    ("origin", "answer"),
    [
        ("http://evil.example", 403),
        ("http://localhost.evil.example", 403),
        ("null", 403),
        ("http://[evil", 403),
        ("http://127.0.0.1:1", 403),
        ("http://friend.example", 101),
    ],
)
def test_a_foreign_origin_asks_nobody_and_holds_up_nobody(
    server: Server, log: Path, origin: str, answer: int
) -> None:
    assert websocket_status(server.port, origin=origin) == answer
    start = time.monotonic()
    assert healthy(server.address)
    assert time.monotonic() - start < 1
    assert not log.exists(), log.read_text()


def test_pages_typed_queries_and_downloads_ask_nobody(
    server: Server, log: Path, new_page: NewPage
) -> None:
    page, asked = new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda channel: asked.append(channel.url.replace("ws://", "http://")))
    typed = "?query=&text=Which planet spins backwards?"
    for path in (*navigation.PAGES, f"compare{typed}", f"explain{typed}"):
        open_page(page, f"{server.address}/{path}")
    open_page(page, f"{server.address}/adapters")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export (.safetensors)").click()
    assert saved.value.path().stat().st_size > 0
    urls = {url.removeprefix("blob:") for url in asked if not url.startswith("data:")}
    assert len(urls) > 20
    assert not [url for url in urls if not url.startswith(f"{server.address}/")]
    assert not log.exists(), log.read_text()
