"""Time the pages Data and Judging in the real app, with 100,000 documents.

`python -m benchmarks.large_pages` opens each page in headless Chromium, in a server that has drawn
the page of the sample before. So the time has the reading of the files, but not that of the engine.
The vectors are drawn at random: the texts are not encoded.
"""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.large_import import DOCUMENTS, QUERIES, generate
from imrnns_core.data.embeddings import EmbeddingMatrix, save_embeddings
from imrnns_core.storage.workspace import Workspace
from tests.browser.app import launch, open_page, own_context, serving

DIMENSION = 384
GOAL_SECONDS = 15
WAIT_MS = 600_000


def register(folder: Path) -> Path:
    """Register the generated files with random vectors in a new workspace, and return its path."""
    generator, space = np.random.default_rng(0), Workspace(folder / "pages")
    embeddings = folder / "embeddings"
    embeddings.mkdir()
    for stem, singular, letter, count in (
        ("documents", "document", "d", DOCUMENTS),
        ("queries", "query", "q", QUERIES),
    ):
        vectors = generator.standard_normal((count, DIMENSION), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        ids = tuple(f"{letter}{number}" for number in range(count))
        save_embeddings(EmbeddingMatrix(ids, vectors), embeddings, stem, singular)
    registration = space.resolve(str(folder / "large.csv"), embeddings)
    space.register(replace(registration, queries=folder / "asked.csv"))
    return space.root


def measure(browser: Browser, workspace: Path, page_name: str) -> dict[str, float]:
    """Return the seconds from the address of a page to each of its parts."""
    with serving(workspace) as address:
        page = own_context(browser).new_page()
        open_page(page, f"{address}/{page_name}")
        start, seconds = time.perf_counter(), dict[str, float]()
        page.goto(f"{address}/{page_name}?data=large&adapter=none")
        for name, part in _parts(page, page_name).items():
            part.first.wait_for(timeout=WAIT_MS)
            seconds[name] = time.perf_counter() - start
        page.context.close()
    return seconds


def _parts(page: Page, page_name: str) -> dict[str, Locator]:
    """Return what a page shows, in the order in which it arrives; the first is its content."""
    if page_name == "data":
        return {
            "content": page.get_by_text(f"{DOCUMENTS:,} documents, {QUERIES} queries"),
            "near copies": page.get_by_text(re.compile("near copy of another|of near copies")),
            "lengths": page.get_by_text(re.compile(r"The encoder reads the first \d+ tokens")),
        }
    desk = page.locator(".st-key-judging_desk article")
    return {
        "content": page.get_by_role("progressbar").or_(desk),
        "documents to judge": desk,
    }


def main() -> None:
    """Generate the files and time both pages."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        generate(Path(folder))
        workspace, browser = register(Path(folder)), launch(playwright)
        for page_name in ("data", "judging"):
            seconds = measure(browser, workspace, page_name)
            shown = ", ".join(f"{name} after {value:.1f} s" for name, value in seconds.items())
            reached = "reached" if seconds["content"] <= GOAL_SECONDS else "not reached"
            print(
                f"page {page_name.capitalize()}, {DOCUMENTS:,} documents: {shown} (goal for the "
                f"content: {GOAL_SECONDS} s, {reached})",
                flush=True,
            )
        browser.close()


if __name__ == "__main__":
    main()
