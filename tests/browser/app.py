"""Start the real app and drive it in headless Chromium."""

from __future__ import annotations

import itertools
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright

from dashboard import theme
from imrnns_core.cli.app import app as cli

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 90
WAIT_MS = 60_000
LOGS: dict[int, Path] = {}
"""What the running dashboards write, by port."""


@dataclass
class Server:
    """A dashboard that answers, and its process."""

    process: subprocess.Popen[bytes]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def run_app(port: int) -> list[str]:
    return [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        str(ROOT / "dashboard" / "app.py"),
        "--server.port",
        str(port),
    ]


def run_command(port: int) -> list[str]:
    return [sys.executable, "-m", "imrnns_core.cli", "dashboard", "--port", str(port)]


def status(port: int, request: str, host: str | None = "127.0.0.1", **headers: str) -> int:
    """Send the head of an HTTP request, such as `GET /`; return the status of the answer."""
    named = {
        "Connection": "close",
        **({} if host is None else {"Host": f"{host}:{port}"}),
        **{k.replace("_", "-"): v for k, v in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    with socket.create_connection(("127.0.0.1", port), timeout=10) as channel:
        channel.sendall(f"{request} HTTP/1.1\r\n{head}\r\n".encode())
        return int(channel.recv(100).split()[1])


def websocket_status(port: int, host: str = "127.0.0.1", origin: str | None = None) -> int:
    """Open a WebSocket to Streamlit; return the status of the answer: 101 where it is accepted."""
    key = {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Version": "13"}
    origins = {"Origin": f"http://{host}:{port}" if origin is None else origin}
    return status(
        port,
        "GET /_stcore/stream",
        host,
        Upgrade="websocket",
        **key,
        **origins,
        Connection="Upgrade",
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def healthy(address: str) -> bool:
    """Return whether the dashboard answers at this address."""
    try:
        urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).read()
    except OSError:
        return False
    return True


@contextmanager
def started(
    workspace: Path,
    command: Callable[[int], list[str]] = run_app,
    folder: Path = ROOT,
    ready: Callable[[str], bool] = healthy,
    **environment: str,
) -> Iterator[Server]:
    """Start the dashboard in a folder, with a workspace of its own; yield it once it is ready."""
    port = free_port()
    variables = {
        **os.environ,
        "IMRNNS_WORKSPACE": str(workspace),
        "HF_HUB_OFFLINE": "1",
        **environment,
    }
    log = tempfile.NamedTemporaryFile(prefix="dashboard-", suffix=".log")  # noqa: SIM115
    process = subprocess.Popen(
        command(port),
        cwd=folder,
        env=variables,
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    server, deadline = Server(process, port), time.monotonic() + START_SECONDS
    LOGS[port] = Path(log.name)
    try:
        while not ready(server.address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the app did not start")
            time.sleep(0.2)
        yield server
    finally:
        process.terminate()
        process.wait(20)
        del LOGS[port]
        log.close()


def command(workspace: Path, *arguments: object) -> None:
    """Run `imrnns-lens` in this process, which has loaded the engine already."""
    answer = cli([*map(str, arguments), "--workspace", str(workspace)], standalone_mode=False)
    assert not answer, f"imrnns-lens ended with code {answer}"


@contextmanager
def serving(workspace: Path, **environment: str) -> Iterator[str]:
    """Serve the dashboard with a workspace of its own; yield its address."""
    with started(workspace, **environment) as server:
        yield server.address


def launch(playwright: Playwright) -> Browser:
    """Launch the system's Chromium, or Playwright's own."""
    found = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    arguments = [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
    ]
    return playwright.chromium.launch(executable_path=found, args=arguments)


_COUNT_MESSAGES = """(() => {
  const traffic = window.traffic = { asked: 0, answered: 0 };
  window.WebSocket = class extends WebSocket {
    constructor(...address) {
      super(...address);
      this.addEventListener('message', () => { traffic.answered = performance.now(); });
    }
    send(message) {
      traffic.asked = performance.now();
      super.send(message);
    }
  };
})()"""
"""Notes when the page asked its server for a run, and when the server last answered."""


def own_context(browser: Browser, **options: Any) -> BrowserContext:
    """Return a context that shares nothing with the pages of other tests: another reader."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 1100}, **options})
    context.set_default_timeout(WAIT_MS)
    context.add_init_script(_COUNT_MESSAGES)
    return context


QUIET_MS, LOOK_MS = 300, 50
_CALLS = itertools.count()
_QUIET = """([call, quiet, look]) => {
  const now = performance.now(), app = document.querySelector('[data-testid="stApp"]');
  const { asked, answered } = window.traffic ?? { asked: 0, answered: 0 };
  if (window.quiet?.call !== call) window.quiet = { call, since: now, looked: now };
  const seen = window.quiet, late = now - seen.looked > 3 * look;
  seen.looked = now;
  const moving = document.getAnimations().some((animation) =>
    animation.playState === 'running' && animation.effect?.getComputedTiming().endTime < Infinity);
  if (late || moving || !app || app.dataset.testScriptState !== 'notRunning' || asked > answered
    || document.querySelector('[data-testid="stSkeleton"], .st-key-measuring, .plot[aria-busy], '
      + '.st-key-trying_remedies [role=progressbar]'))
    seen.since = now;
  return now - Math.max(seen.since, answered) > quiet;
}"""


def settle(page: Page) -> None:
    """Wait until the server has answered, the script has run, and every chart is drawn.

    For a while: an answer can make the page ask again. The wait starts anew with every call, since
    a click can take a moment to reach the server. Nothing may be a placeholder, nor move: a click
    on what moves can miss. A browser that is too busy to look at the page in time has not settled.
    """
    page.wait_for_selector("h1", timeout=WAIT_MS)
    arguments = [next(_CALLS), QUIET_MS, LOOK_MS]
    page.wait_for_function(_QUIET, arg=arguments, polling=LOOK_MS, timeout=WAIT_MS)


def open_page(page: Page, address: str) -> None:
    page.goto(address)
    settle(page)


def open_measured(page: Page, address: str) -> None:
    """Open a page that measures in the background; wait until it has its answer."""
    page.goto(address)
    page.locator(".answer").first.wait_for(timeout=WAIT_MS)
    settle(page)


def darken(page: Page) -> None:
    """Let the system turn dark; wait until the page is dark, too."""
    page.emulate_media(color_scheme="dark")
    background = theme.page_colours(dark=True).background
    red, green, blue = (int(background[i : i + 2], 16) for i in (1, 3, 5))
    page.wait_for_function(
        """colour => getComputedStyle(document.querySelector('[data-testid="stApp"]'))
        .backgroundColor === colour""",
        arg=f"rgb({red}, {green}, {blue})",
    )
    settle(page)


class Clicks:
    """Clicks and counts: a reader needs as many, and one more for each box that is filled in."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, target: Locator) -> None:
        self.count += 1
        target.click(timeout=WAIT_MS)

    def fill(self, box: Locator, text: object) -> None:
        self(box)
        box.fill(str(text))
        box.press("Enter")


def chart(page: Page, key: str) -> Locator:
    """Return the plot with this key."""
    plot = page.locator(f".st-key-{key} .js-plotly-plot")
    plot.wait_for(timeout=WAIT_MS)
    plot.scroll_into_view_if_needed()
    return plot


def click_point(page: Page, key: str, trace: int, index: int) -> list[Any]:
    """Click the mark number `index` of a trace of a plot; return its customdata."""
    plot = chart(page, key)
    page.wait_for_timeout(500)
    place = plot.evaluate(
        """(plot, [trace, index]) => {
          const data = plot._fullData[trace], box = plot.getBoundingClientRect();
          const x = plot._fullLayout[data.xaxis.replace('x', 'xaxis')];
          const y = plot._fullLayout[data.yaxis.replace('y', 'yaxis')];
          const custom = data.customdata[index];
          const pixel = (axis, value) => axis.type === 'category'
            ? axis.l2p(axis._categories.indexOf(value)) : axis.d2p(value);
          return {x: box.x + x._offset + pixel(x, data.x[index]),
            y: box.y + y._offset + pixel(y, data.y[index]),
            custom: Array.from(custom)};
        }""",
        [trace, index],
    )
    page.mouse.move(place["x"] - 2, place["y"] - 2)
    page.mouse.move(place["x"], place["y"], steps=4)
    page.wait_for_timeout(250)
    page.mouse.click(place["x"], place["y"])
    custom: list[Any] = place["custom"]
    return custom


def cards(page: Page, title: str) -> list[tuple[str, int, str]]:
    """Return (document id, rank, score as shown) of a ranking's cards.

    Without those below the shown ranks.
    """
    section = page.locator(f'section[aria-label="{title}"]')
    section.wait_for(timeout=WAIT_MS)
    return [
        (
            str(c.get_attribute("data-document")),
            int(str(c.get_attribute("data-rank"))),
            c.locator(".score").inner_text(),
        )
        for c in section.locator("button.card:not(.further)").all()
    ]


def rows(page: Page, key: str) -> dict[str, list[str]]:
    """Return a small table: first cell → the other cells."""
    table = page.locator(f".st-key-{key} tbody tr")
    table.first.wait_for()
    return {
        cells[0]: cells[1:]
        for cells in (row.locator("td").all_inner_texts() for row in table.all())
    }


def choose(page: Page, label: str, word: str) -> None:
    """Choose a word in a box of several."""
    box = page.get_by_label(label, exact=True)
    box.scroll_into_view_if_needed()
    box.click()
    box.press_sequentially(word)
    page.get_by_role("option", name=word, exact=True).first.click()
    page.keyboard.press("Escape")
    settle(page)
