"""What holds on every page, light and dark.

Accessible, quiet, still, and with data in every figure.
"""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import open_page, settle

pytestmark = pytest.mark.browser
PAGES = {
    "compare": "/?query=q054&document=the-hague",
    "overview": "/overview",
    "failures": "/failures",
    "modulation": "/modulation?query=q054&document=the-hague&dimension=5",
    "refinement": "/modulation?query=q054&part=query refined",
    "accounting": "/modulation?query=q054&part=score accounting",
    "target": "/map?query=q054",
    "neighbourhood": "/map?query=q054&view=neighbourhood&colour=cluster",
    "linear": "/map?query=q054&view=linear",
    "explain": "/explain?query=q054",
}
FIGURES = {
    "compare": 1,
    "overview": 2,
    "failures": 0,
    "modulation": 2,
    "refinement": 1,
    "accounting": 2,
    "target": 1,
    "neighbourhood": 1,
    "linear": 1,
    "explain": 3,
}
"""Fewest figures on each page."""
MAX_SHIFT = 0.1
"""The layout shift that web.dev calls good."""
_SHIFTS = """() => { window.shifts = [];
  new PerformanceObserver(list => list.getEntries().forEach(e => window.shifts.push(e.value)))
  .observe({ type: 'layout-shift' }); }"""
_COUNT = """() => [...document.querySelectorAll('.js-plotly-plot')].map(
  plot => plot._fullData.map(trace =>
  [trace.x, trace.y, trace.z].filter(Boolean).map(v => v.length)).flat())"""


def visit(browser: Browser, url: str, scheme: Any) -> tuple[Page, list[str]]:
    """Open a page in a session of its own; return it with the errors that its console will show."""
    page, errors = (
        browser.new_context(
            viewport={"width": 1440, "height": 1000}, color_scheme=scheme
        ).new_page(),
        list[str](),
    )
    page.on("pageerror", lambda error: errors.append(str(error)))
    # On a deep link Streamlit first looks for its own server below the page's path, and finds it at
    # the second try
    page.on(
        "console",
        lambda m: (
            errors.append(m.text)
            if m.type == "error" and "/_stcore/" not in m.location.get("url", "")
            else None
        ),
    )
    open_page(page, url)
    page.wait_for_timeout(400)
    return page, errors


def serious(page: Page) -> list[tuple[str, str]]:
    """Return what axe-core finds serious or critical: rule and element."""
    found = Axe().run(page).response["violations"]
    return [
        (v["id"], n["html"][:200])
        for v in found
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_quiet_and_full_and_does_not_jump(
    browser: Browser, address: str, name: str
) -> None:
    page, errors = visit(browser, address + PAGES[name], "light")
    assert serious(page) == []
    figures = page.evaluate(_COUNT)
    assert len(figures) >= FIGURES[name]
    assert all(lengths and min(lengths) > 0 for lengths in figures), figures
    page.evaluate(_SHIFTS)
    page.keyboard.press("j")
    page.wait_for_function("() => /query=q0(55|02)/.test(location.search)")
    settle(page)
    page.wait_for_timeout(500)
    shift = sum(page.evaluate("() => window.shifts"))
    assert shift < MAX_SHIFT, f"the page jumps by {shift:.2f} when the query changes"
    page.context.close()
    assert errors == []


@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_in_the_dark(browser: Browser, address: str, name: str) -> None:
    page, errors = visit(browser, address + PAGES[name], "dark")
    assert serious(page) == []
    page.context.close()
    assert errors == []


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_charts_are_saved_as_svg_and_png(page: Page, address: str, kind: str) -> None:
    open_page(page, f"{address}/?query=q054&picture={kind}")
    plot = page.locator(".st-key-bump .js-plotly-plot")
    plot.wait_for()
    plot.scroll_into_view_if_needed()
    plot.hover()
    with page.expect_download() as download:
        plot.locator('[data-title^="Download plot"]').click()
    head = download.value.path().read_bytes()[:200]
    assert download.value.suggested_filename.endswith(f".{kind}")
    assert head.startswith(b"<svg") if kind == "svg" else head.startswith(b"\x89PNG")


def test_first_visit_is_guided_through_the_pages_and_can_be_skipped(
    page: Page, address: str
) -> None:
    open_page(page, address)
    panel = page.locator(".st-key-tour")
    expect(panel).to_contain_text("Step 1 of 6. Move the slider α")
    panel.get_by_role("button", name="Continue").click()
    page.wait_for_function("() => location.pathname === '/modulation'")
    expect(panel).to_contain_text("Step 2 of 6.")
    settle(page)
    panel.get_by_role("button", name="Skip the tour").click()
    expect(panel).to_have_count(0)
    page.get_by_role("link", name="Compare").click()
    page.wait_for_function("() => location.pathname === '/'")
    settle(page)
    expect(panel).to_have_count(0)
    page.get_by_role("button", name="Show me around").click()
    expect(panel).to_contain_text("Step 1 of 6.")


def test_a_link_needs_no_guide(page: Page, address: str) -> None:
    open_page(page, f"{address}/?query=q054")
    expect(page.locator(".st-key-tour")).to_have_count(0)
