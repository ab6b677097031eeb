"""No chart can send itself anywhere, and no page asks another host for anything."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browser.app import open_page
from tests.browser.test_everywhere import FIGURES, PAGES

pytestmark = pytest.mark.browser
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


@pytest.mark.parametrize("name", VIEWS)
def test_charts_offer_no_upload_and_pages_ask_no_other_host(
    browser: Browser, address: str, name: str
) -> None:
    page, asked = (
        browser.new_context(viewport={"width": 1440, "height": 1000}).new_page(),
        list[str](),
    )
    page.context.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    open_page(page, address + VIEWS[name])
    page.wait_for_function(_DRAWN)
    charts = page.evaluate(_CHARTS)
    page.context.close()
    assert len(charts) >= FIGURES.get(name, 1)
    for chart in charts:
        offered = {title.split(" as ")[0] for title in chart["buttons"]}
        assert "Fullscreen" in offered, "the toolbar is not drawn"
        assert offered <= BUTTONS
        assert (chart["links"], chart["server"]) == ([], "")
    assert any(urlsplit(url).scheme == "ws" for url in asked)
    assert {urlsplit(url).netloc for url in asked if not url.startswith(("data:", "blob:"))} == {
        urlsplit(address).netloc
    }
