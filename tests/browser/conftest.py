from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.app import LOGS, WAIT_MS, launch, own_context, serving

NewPage = Callable[..., Page]
"""Opens a page: `new_page(width=1440, height=1100, scheme="light")`."""
LOG_CHARACTERS = 5_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the dashboards wrote where a test fails: the page shows no traceback."""
    report = yield
    if report.failed:
        for port, log in LOGS.items():
            written = log.read_text(encoding="utf-8", errors="replace")[-LOG_CHARACTERS:]
            report.sections.append((f"dashboard on port {port}", written))
    return report


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture(scope="session")
def address(workspace: Path) -> Iterator[str]:
    with serving(workspace) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=WAIT_MS)
    with sync_playwright() as playwright:
        running = launch(playwright)
        yield running
        running.close()


@pytest.fixture(scope="session")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """The context of all pages that need none of their own.

    Its cache keeps the scripts that every page loads. A new page is a new session all the same.
    """
    shared = own_context(browser)
    yield shared
    shared.close()


@pytest.fixture
def new_page(context: BrowserContext) -> Iterator[NewPage]:
    """Opens pages, each a fresh session; the test fails if one logs an error of its own."""
    opened: list[Page] = []
    errors: list[str] = []

    def new(width: int = 1440, height: int = 1100, scheme: Any = "light") -> Page:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.on("pageerror", lambda error: errors.append(str(error)))
        opened.append(page)
        return page

    yield new
    for page in opened:
        if page.url.startswith("http"):
            page.evaluate("() => localStorage.clear()")
        page.close()
    context.clear_cookies()
    assert not errors


@pytest.fixture
def page(new_page: NewPage) -> Page:
    """A fresh session."""
    return new_page()
