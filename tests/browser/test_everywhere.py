"""What holds on every page, light and dark.

Accessible, quiet, still, and with data in every figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, Request, expect

from dashboard import navigation, theme
from dashboard.shell import tour
from tests.browser.app import chart, open_measured, open_page, settle
from tests.dashboard.test_contrast import contrast

pytestmark = pytest.mark.browser
PAGES = {
    "compare": "/compare?query=q054&document=the-hague",
    "overview": "/overview",
    "failures": "/failures",
    "remedies": "/remedies",
    "modulation": "/modulation?query=q054&document=the-hague&dimension=5",
    "refinement": "/modulation?query=q054&part=query refined",
    "accounting": "/modulation?query=q054&part=score accounting",
    "target": "/map?query=q054",
    "neighbourhood": "/map?query=q054&view=neighbourhood&colour=cluster",
    "linear": "/map?query=q054&view=linear",
    "effective": "/map?query=q054&view=effective",
    "explain": "/explain?query=q054",
    "judging": "/judging",
    "adapters": "/adapters?adapter=sample-paper",
    "data": "/data",
}
FIGURES = {
    "compare": 1,
    "overview": 2,
    "failures": 0,
    "remedies": 1,
    "modulation": 2,
    "refinement": 1,
    "accounting": 2,
    "target": 1,
    "neighbourhood": 1,
    "linear": 1,
    "effective": 1,
    "explain": 3,
    "judging": 0,
    "adapters": 0,
    "data": 0,
}
"""Fewest figures on each page."""
LETTERS = {"modulation": ["shift_heatmap"], "target": ["map_target_2-D"]}
"""The keys of charts with many letters."""
VIEWS = {
    **PAGES,
    "neighbourhood in 3-D": "/map?query=q054&view=neighbourhood&axes=3-D",
    "linear in 3-D": "/map?query=q054&view=linear&axes=3-D",
}
BUTTONS = {
    "Autoscale",
    "Box Select",
    "Download plot",
    "Fullscreen",
    "Lasso Select",
    "Orbital rotation",
    "Pan",
    "Reset axes",
    "Reset camera to default",
    "Reset camera to last save",
    "Turntable rotation",
    "Zoom",
}
"""What a toolbar may offer. None of it leaves the page."""
_DRAWN = (
    "() => [...document.querySelectorAll('.plot')].every(plot => "
    "plot.querySelector('.modebar-btn'))"
)
_CHARTS = """() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => ({
  buttons: [...plot.querySelectorAll('.modebar-btn')].map(button => button.dataset.title),
  links: [...plot.querySelectorAll('a[href^="http"]')].map(link => link.href),
  server: plot._context.plotlyServerURL,
}))"""
MAX_SHIFT = 0.1
"""The layout shift that web.dev calls good."""
_SHIFTS = """() => { window.shifts = [];
  new PerformanceObserver(list => list.getEntries().forEach(e => window.shifts.push(e.value)))
  .observe({ type: 'layout-shift' }); }"""
_COUNT = """() => [...document.querySelectorAll('.js-plotly-plot')].map(
  plot => plot._fullData.map(trace =>
  [trace.x, trace.y, trace.z].filter(Boolean).map(v => v.length)).flat())"""


@dataclass
class Visit:
    """A page in a session of its own, and what it did."""

    name: str
    page: Page
    errors: list[str]
    """The errors in its console."""
    asked: list[str]
    """The addresses that it asked."""


@contextmanager
def visiting(context: BrowserContext, address: str, name: str, scheme: Any) -> Iterator[Visit]:
    """Open a page once for all tests that look at it."""
    page = context.new_page()
    page.set_viewport_size({"width": 1440, "height": 1000})
    page.emulate_media(color_scheme=scheme)
    visit = Visit(name, page, [], [])

    def ask(request: Request) -> None:
        visit.asked.append(request.url)

    context.on("request", ask)
    page.on("websocket", lambda socket: visit.asked.append(socket.url))
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    # On a deep link Streamlit first looks for its own server below the page's path, and finds it at
    # the second try
    page.on(
        "console",
        lambda m: (
            visit.errors.append(m.text)
            if m.type == "error" and "/_stcore/" not in m.location.get("url", "")
            else None
        ),
    )
    opening = open_measured if name == "remedies" else open_page
    opening(page, address + VIEWS[name])
    page.wait_for_function(_DRAWN)
    yield visit
    context.remove_listener("request", ask)
    page.close()


@pytest.fixture(scope="module")
def light(request: pytest.FixtureRequest, context: BrowserContext, address: str) -> Iterator[Visit]:
    """A page of `VIEWS`. Tests with the same page follow each other, so it is opened once."""
    with visiting(context, address, request.param, "light") as visit:
        yield visit


@pytest.fixture(scope="module")
def dark(request: pytest.FixtureRequest, context: BrowserContext, address: str) -> Iterator[Visit]:
    """A page of `PAGES` in the dark, opened once."""
    with visiting(context, address, request.param, "dark") as visit:
        yield visit


def serious(page: Page) -> list[tuple[str, str]]:
    """Return what axe-core finds serious or critical: rule and element."""
    found = Axe().run(page).response["violations"]
    return [
        (v["id"], n["html"][:200])
        for v in found
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"]
    ]


def weak_letters(page: Page, key: str, dark: bool) -> list[tuple[str, str]]:
    """Return the letters of a chart without contrast: text and colour."""
    colours = chart(page, key).evaluate(
        "plot => [...plot.querySelectorAll('svg text')].filter(t => t.textContent.trim())"
        ".map(t => [t.textContent, getComputedStyle(t).fill, getComputedStyle(t).fillOpacity])"
    )
    assert len(colours) > 8
    background = theme.page_colours(dark).background
    return [
        (text, colour)
        for text, colour, opacity in colours
        if contrast(colour, background, float(opacity)) < 4.5
    ]


# pytest groups the tests of a page by its place in the list: every list begins with PAGES
@pytest.mark.parametrize("light", PAGES, indirect=True)
def test_page_is_accessible(light: Visit) -> None:
    assert serious(light.page) == []
    for key in LETTERS.get(light.name, ()):
        assert weak_letters(light.page, key, dark=False) == []


@pytest.mark.parametrize("dark", PAGES, indirect=True)
def test_page_is_accessible_and_quiet_in_the_dark(dark: Visit) -> None:
    assert serious(dark.page) == []
    for key in LETTERS.get(dark.name, ()):
        assert weak_letters(dark.page, key, dark=True) == []
    assert dark.errors == []


@pytest.mark.parametrize("light", PAGES, indirect=True)
def test_every_figure_has_data(light: Visit) -> None:
    figures = light.page.evaluate(_COUNT)
    assert len(figures) >= FIGURES[light.name]
    assert all(lengths and min(lengths) > 0 for lengths in figures), figures


@pytest.mark.parametrize("light", VIEWS, indirect=True)
def test_charts_offer_no_upload_and_pages_ask_no_other_host(light: Visit, address: str) -> None:
    """No chart can send itself anywhere."""
    charts = light.page.evaluate(_CHARTS)
    assert len(charts) >= FIGURES.get(light.name, 1)
    for drawn in charts:
        offered = {title.split(" as ")[0] for title in drawn["buttons"]}
        assert "Fullscreen" in offered, "the toolbar is not drawn"
        assert offered <= BUTTONS
        assert (drawn["links"], drawn["server"]) == ([], "")
    assert any(urlsplit(url).scheme == "ws" for url in light.asked)
    hosts = {urlsplit(url).netloc for url in light.asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(address).netloc}


# the last test of a page: it leaves the page at another query
@pytest.mark.parametrize(
    "light", [name for name in PAGES if name not in navigation.WITHOUT_QUERY], indirect=True
)
def test_page_does_not_jump_when_the_query_changes_and_is_quiet(light: Visit) -> None:
    page = light.page
    page.evaluate(_SHIFTS)
    page.keyboard.press("j")
    page.wait_for_function("() => /query=q0(55|02)/.test(location.search)")
    settle(page)
    page.wait_for_timeout(500)
    shift = sum(page.evaluate("() => window.shifts"))
    assert shift < MAX_SHIFT, f"the page jumps by {shift:.2f} when the query changes"
    assert light.errors == []


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_charts_are_saved_as_svg_and_png(page: Page, address: str, kind: str) -> None:
    open_page(page, f"{address}/compare?query=q054&picture={kind}")
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
    expect(panel).to_contain_text(f"Step 1 of {len(tour.STEPS)}. Click a row")
    panel.get_by_role("button", name="Continue").click()
    page.wait_for_function("() => location.pathname === '/remedies'")
    expect(panel).to_contain_text(f"Step 2 of {len(tour.STEPS)}.")
    settle(page)
    panel.get_by_role("button", name="Skip the tour").click()
    expect(panel).to_have_count(0)
    page.get_by_role("link", name="Compare").click()
    page.wait_for_function("() => location.pathname === '/compare'")
    settle(page)
    expect(panel).to_have_count(0)
    page.get_by_role("button", name="Show me around").click()
    expect(panel).to_contain_text(f"Step 1 of {len(tour.STEPS)}.")


def test_a_link_needs_no_guide(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q054")
    expect(page.locator(".st-key-tour")).to_have_count(0)
