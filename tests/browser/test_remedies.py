"""The page Remedies: from what to change first to a query that it fixes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import open_page, settle

pytestmark = pytest.mark.browser


def test_a_row_lists_the_queries_of_a_remedy_and_a_query_opens(page: Page, address: str) -> None:
    open_page(page, f"{address}/remedies?adapter=none")
    expect(page.locator(".answer-verdict")).to_have_text("base + BM25")
    expect(page.get_by_role("heading", name="What “base + BM25” fixes and breaks")).to_be_visible()
    settle(page)
    table = page.locator(".st-key-remedies_table tbody tr")
    table.filter(has_text="RM3").click()
    expect(page.get_by_role("heading", name="What “RM3” fixes and breaks")).to_be_visible()
    expect(page).to_have_url(re.compile("remedy=RM3"))
    settle(page)
    changed = page.locator(".st-key-remedy_queries tbody tr")
    expect(changed).to_have_count(37)
    # a copied link opens the same list
    open_page(page, page.url)
    expect(page.get_by_role("heading", name="What “RM3” fixes and breaks")).to_be_visible()
    settle(page)
    changed.first.click()
    expect(page.get_by_role("heading", name="Compare", exact=True)).to_be_visible()
    settle(page)
    assert "query=" in page.url


def test_compare_says_what_each_remedy_does_to_a_failing_query(page: Page, address: str) -> None:
    open_page(page, f"{address}/remedies?adapter=none")
    fixed = page.locator(".st-key-remedy_queries tbody tr").first
    fixed.wait_for()
    settle(page)
    fixed.click()
    table = page.locator(".st-key-query_remedies_table table")
    table.wait_for()
    settle(page)
    ranks = {row.split("\t")[0]: row.split("\t")[1:] for row in table.inner_text().splitlines()}
    assert ranks["base"][0] == "—" or int(ranks["base"][0]) > 10
    assert int(ranks["base + BM25"][0]) <= 10
    assert ranks["base + BM25"][1] == "▲"
