"""The address follows what is chosen, and the browser's history leads back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.browser.app import open_page, settle

pytestmark = pytest.mark.browser
LINK = "compare?data=sample&adapter=sample-adapter&query=q054"
SLOW = """
const Socket = window.WebSocket
window.WebSocket = class extends Socket {
  addEventListener(name, answer) {
    const later = (event) => setTimeout(() => answer(event), 500)
    super.addEventListener(name, name === "message" ? later : answer)
  }
}
"""
"""Each answer of the server arrives half a second later, as over a slow connection."""


def query(page: Page) -> str:
    """Return the id of the query that the page shows, which the address must name, too."""
    settle(page)
    shown = re.search(r"Query (q\d+) ·", page.get_by_role("main").inner_text())
    assert shown is not None
    assert f"query={shown[1]}" in page.url
    return shown[1]


def test_back_and_forward_lead_through_what_was_chosen(page: Page, address: str) -> None:
    open_page(page, f"{address}/{LINK}")
    seen = [query(page)]
    for _ in range(2):
        page.get_by_role("button", name="Next").click()
        seen.append(query(page))
    page.get_by_role("link", name="Failures", exact=True).click()
    settle(page)
    for _ in range(4):  # the menu opens a page without parameters, which it adds then
        page.go_back()
        settle(page)
        if "/compare" in page.url:
            break
    assert query(page) == seen[2]
    for expected in (seen[1], seen[0]):
        page.go_back()
        assert query(page) == expected
    page.go_forward()
    assert query(page) == seen[1]
    assert len(set(seen)) == 3


def test_controls_used_in_quick_succession_over_a_slow_connection_all_count(
    page: Page, address: str
) -> None:
    """The second one is sent with the address from before the first one."""
    page.add_init_script(SLOW)
    open_page(page, f"{address}/{LINK}")
    query(page)
    page.get_by_text("PNG", exact=True).click()
    page.wait_for_timeout(250)
    assert "picture" not in page.url
    page.get_by_role("button", name="Next").click()
    page.wait_for_function("() => !location.search.includes('q054')")
    page.wait_for_timeout(1_000)
    assert query(page) == "q055"
    assert "picture=png" in page.url
