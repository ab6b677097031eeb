"""Draw the figures of docs/performance.md from the records of two benchmarks.

python -m benchmarks.against_reference --json reference.json
python -m benchmarks.scale --json scale.json
python -m benchmarks.plots reference.json scale.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.subplots import make_subplots

from benchmarks.engine import ROOT
from dashboard import theme
from tests.browser.app import launch

FOLDER = ROOT / "assets" / "performance"
WIDTH, HEIGHT = 1000, 420
TIMES = (
    ("two_searches_ms", "two FAISS searches", theme.BASE, "circle"),
    ("corpus_ms", "modulated top 100 of all documents", theme.MODULATED, "diamond"),
    ("exact_ms", "all documents scored", theme.NOT_RELEVANT, "square"),
)
MEMORY = (
    ("own_gb", "own memory", theme.RELEVANT, "triangle-up"),
    ("peak_gb", "largest, with the pages of the file", theme.DOCUMENT, "x"),
)
GOALS = {
    "evaluate_ratio": 4,
    "evaluate_warm_ratio": 8,
    "candidates_ratio": 15,
    "candidates_single_ratio": 5,
    "corpus_ratio": 200,
}


def scale(records: Sequence[dict[str, Any]]) -> go.Figure:
    """Draw time per query and memory by the number of documents."""
    figure = make_subplots(
        cols=2, subplot_titles=("milliseconds per query", "gigabytes"), horizontal_spacing=0.1
    )
    sizes = [record["size"] for record in records]
    for column, lines in enumerate((TIMES, MEMORY), 1):
        for key, name, colour, symbol in lines:
            figure.add_scatter(
                x=sizes,
                y=[record[key] for record in records],
                name=name,
                mode="lines+markers",
                line_color=colour,
                marker={"symbol": symbol, "size": 9},
                row=1,
                col=column,
            )
    figure.update_xaxes(type="log", title="documents", dtick=1)
    figure.update_yaxes(type="log", dtick=1, col=1)
    figure.update_yaxes(rangemode="tozero", col=2)
    return figure


def ratios(rows: Sequence[dict[str, Any]]) -> go.Figure:
    """Draw how many times faster than the reference package, with the goal of each row."""
    shown = [row for row in reversed(rows) if row["key"] in GOALS]
    names = [row["key"] for row in shown]
    figure = go.Figure()
    figure.add_bar(
        x=[row["value"] for row in shown],
        y=names,
        orientation="h",
        name="measured",
        marker_color=theme.MODULATED,
        text=[f"{row['value']:.1f}" for row in shown],
    )
    figure.add_scatter(
        x=[GOALS[key] for key in names],
        y=names,
        name="goal",
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 22, "color": theme.NOT_RELEVANT},
        marker_line_width=3,
    )
    figure.add_vline(x=1, line_color=theme.BASE)
    figure.update_xaxes(type="log", title="times as fast as the reference package")
    figure.update_xaxes(tickvals=[1, 2, 5, 10, 20, 50, 100, 200])
    return figure


def main() -> None:
    """Draw both figures and write them."""
    reference, sizes = (json.loads(Path(name).read_text("utf-8")) for name in sys.argv[1:3])
    FOLDER.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        for name, figure in (("ratios", ratios(reference["rows"])), ("scale", scale(sizes))):
            figure.update_layout(
                template="plotly_white",
                font={"family": "sans-serif", "size": 14, "color": "#1a212b"},
                legend={"orientation": "h", "y": -0.2},
                margin={"l": 10, "r": 20, "t": 40, "b": 10},
            )
            figure.update_yaxes(automargin=True)
            page.set_content(figure.to_html(config={"staticPlot": True}, full_html=True))
            page.locator(".main-svg").first.wait_for()
            page.screenshot(path=FOLDER / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
