"""Time the pages of the dashboard on SciFact in headless Chromium.

The time runs from the key press that changes the query to the last change of the page.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from playwright.sync_api import Page, sync_playwright
from plotly.offline import get_plotlyjs

from dashboard import theme
from dashboard.figures.cloud import Cloud, Group
from dashboard.figures.map_marks import Points
from dashboard.figures.plane import Look, Move, plane
from tests.browser.app import ROOT, launch, open_page, serving

PAGES = (
    "/",
    "/modulation",
    "/map",
    "/map?view=neighbourhood",
    "/map?view=linear",
    "/explain",
    "/overview",
    "/failures",
)
QUERIES = 12
QUIET_MS = 600
GOAL_MS = 500
ALPHA = "α moved, rankings drawn"
ALPHA_GOAL_MS = 100

# A page is complete at the last change of its document: figures, tables and texts all change it.
# Some pages then measure words and show a progress bar. `page` is the last change before the bar,
# and `last` is the last change of all.
_WATCH = """() => {
  if (window.lens) return;
  window.lens = { last: 0, page: 0, measuring: false };
  const note = () => {
    window.lens.measuring ||= document.querySelector('[data-testid="stProgress"]') !== null;
    window.lens.last = performance.now();
    if (!window.lens.measuring) window.lens.page = window.lens.last;
  };
  const main = document.querySelector('[data-testid="stMain"]');
  const all = { subtree: true, childList: true, attributes: true, characterData: true };
  const watch = (root) => new MutationObserver(note).observe(root, all);
  watch(main);
  watch(document.querySelector('[data-testid="stSidebar"]'));
  main.querySelectorAll('*').forEach((node) => node.shadowRoot && watch(node.shadowRoot));
}"""
_PRESS = """() => {
  window.lens.start = performance.now();
  Object.assign(window.lens, { last: 0, page: 0, measuring: false, from: location.search });
  const key = { key: 'j', bubbles: true, composed: true };
  document.dispatchEvent(new KeyboardEvent('keydown', key));
}"""
_DONE = """(quiet) => {
  const { from, last } = window.lens;
  const state = document.querySelector('[data-testid="stApp"]').dataset.testScriptState;
  const settled = last > 0 && performance.now() - last > quiet;
  return state === 'notRunning' && location.search !== from && settled;
}"""


def next_query_ms(page: Page) -> tuple[float, float]:
    """Press `j`; return the milliseconds to the last change, without and with measured words."""
    page.evaluate(_WATCH)
    page.evaluate(_PRESS)
    page.wait_for_function(_DONE, arg=QUIET_MS, timeout=30_000, polling=50)
    times: list[float] = page.evaluate(
        "() => [window.lens.page - window.lens.start, window.lens.last - window.lens.start]"
    )
    return times[0], times[1]


def alpha_ms(page: Page) -> list[float]:
    """Move α to each of its values; return the milliseconds until the rankings are painted."""
    times: list[float] = page.get_by_role("slider").evaluate(
        """async (slider) => {
          const times = [];
          for (let value = 0; value <= Number(slider.max); value++) {
            const start = performance.now();
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
            await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
            times.push(performance.now() - start);
          }
          return times;
        }"""
    )
    return times


def measure(
    address: str, data: str, adapter: str, paths: tuple[str, ...] = PAGES
) -> dict[str, list[float]]:
    """Return the times of `QUERIES` query changes on each page, after three changes to warm up."""
    times: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = launch(playwright)
        for path in paths:
            page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
            open_page(
                page, f"{address}{path}{'&' if '?' in path else '?'}data={data}&adapter={adapter}"
            )
            page.wait_for_timeout(2_000)
            if (
                page.evaluate("() => location.pathname") != path.split("?")[0]
                or page.locator("[role=dialog]").count()
            ):
                continue
            drawn, measured = zip(
                *[next_query_ms(page) for _ in range(QUERIES + 3)][3:], strict=True
            )
            times[path] = list(drawn)
            if measured != drawn:
                times[f"{path}, and words measured"] = list(measured)
            if path == "/":
                times[ALPHA] = alpha_ms(page)
            page.context.close()
        browser.close()
    return times


def first_page_seconds(workspace: Path) -> float:
    """Return the seconds from the start of the server to the complete first page.

    The browser is already open, with an empty cache.
    """
    with sync_playwright() as playwright:
        browser = launch(playwright)
        start = time.perf_counter()
        with serving(workspace) as address:
            page = browser.new_page()
            page.goto(address)
            page.wait_for_selector("button.card", timeout=60_000)
            page.wait_for_selector(".st-key-bump .main-svg", timeout=60_000)
            seconds = time.perf_counter() - start
        browser.close()
    return seconds


def cloud_figure() -> go.Figure:
    """Return the map figure of 100,000 documents in 12 clusters."""
    rng = np.random.default_rng(0)
    ground = rng.random((100_000, 2), dtype=np.float32)
    groups = [
        Group(f"cluster {n}", theme.CLUSTERS[n], np.arange(n, len(ground), 12)) for n in range(12)
    ]
    points = Points([f"d{i}" for i in range(30)], ["label"] * 30, ["#009e73"] * 30, ["circle"] * 30)
    return plane(
        Cloud(ground, groups),
        Move(ground[:30], ground[:30] + 0.02, (ground[30], ground[31])),
        points,
        Look("cloud"),
    )


def draw_ms(figure: str) -> float:
    """Return the median milliseconds to redraw a figure (JSON), as a query change does."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1000, "height": 700})
        page.set_content('<div id="plot"></div>')
        page.add_script_tag(content=get_plotlyjs())
        draw = (
            "f => { const figure = JSON.parse(f), start = performance.now(); return "
            "Plotly.react('plot', figure.data, figure.layout, {plotGlPixelRatio: 1}).then(() => "
            "performance.now() - start); }"
        )
        times = [float(page.evaluate(draw, figure)) for _ in range(6)]
        browser.close()
    return statistics.median(times[1:])


def run(data: Path) -> None:
    """Prepare SciFact with the adapter of the reference package and its map, and time each page."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder)
        adapter = data / "peer" / "imrnns-minilm-scifact.pt"
        for arguments in (
            ["adapters", "import", str(adapter)],
            [
                "prepare",
                str(data / "scifact"),
                "--embeddings",
                str(data / "scifact" / "embeddings"),
                "--adapter",
                adapter.stem,
            ],
        ):
            command = [sys.executable, "-m", "imrnns_core.cli", *arguments, "--workspace", folder]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        first_page_seconds(workspace)  # fills the system's file cache
        print(
            "dashboard, from the start of the server to the first page, warm: "
            f"{statistics.median(first_page_seconds(workspace) for _ in range(3)):.2f} s"
        )
        with serving(workspace) as address:
            report(measure(address, "scifact", adapter.stem))


def report(times: dict[str, list[float]]) -> None:
    """Print the median time of each page."""
    for path, values in times.items():
        median = statistics.median(values)
        goal = ALPHA_GOAL_MS if path == ALPHA else GOAL_MS
        name = path if path == ALPHA else f"next query to all figures drawn, {path}"
        missed = "" if median <= goal else f"  (goal {goal} ms)"
        print(
            f"dashboard, SciFact, {name}: median {median:.0f} ms, maximum {max(values):.0f} ms"
            f"{missed}"
        )


if __name__ == "__main__":
    # for a running app: python -m benchmarks.browser ADDRESS DATA ADAPTER [PATH …]
    report(measure(sys.argv[1], sys.argv[2], sys.argv[3], tuple(sys.argv[4:]) or PAGES))
