"""Without an adapter: from a table and questions to a failing query and its relevant document."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import Clicks, cards, open_page, serving, settle

pytestmark = pytest.mark.browser
WIKI = Path(os.environ.get("IMRNNS_TEST_DATA", "../shared/data")) / "wiki"
MOST_CLICKS, MOST_SECONDS = 10, 120
TABLES = (WIKI / "wiki.csv", WIKI / "questions.csv")


@pytest.mark.skipif(not WIKI.is_dir(), reason="set IMRNNS_TEST_DATA to the folder with wiki")
def test_from_own_files_to_a_failing_query_with_its_relevant_document(
    page: Page, tmp_path: Path
) -> None:
    click = Clicks()
    with serving(tmp_path) as address:
        start = time.monotonic()
        open_page(page, f"{address}/data")
        labels = ("Folder, zip or file of documents", "File of queries (optional)")
        for label, table in zip(labels, TABLES, strict=True):
            click.fill(page.get_by_role("textbox", name=label), table.resolve())
            settle(page)
        click(page.get_by_role("button", name="Import", exact=True))
        click(page.get_by_role("button", name="Show “wiki”"))
        settle(page)
        click(page.get_by_role("link", name="Failures", exact=True))
        settle(page)
        # the sample's adapters fit this encoder, but they are not made for these documents
        expect(page.get_by_role("combobox", name="Adapter")).to_have_value("None (base only)")
        expect(page.locator(".st-key-adapter_hint")).to_contain_text("imrnns-lens train DATA")
        rows = page.locator(".st-key-failures tbody tr")
        assert rows.first.get_attribute("data-id") == "q6"
        click(rows.first)
        settle(page)
        seconds = time.monotonic() - start
        print(f"from both tables to the failing query: {seconds:.0f} s, {click.count} clicks")
        assert click.count <= MOST_CLICKS
        assert seconds < MOST_SECONDS
        assert {"adapter=none", "query=q6"} <= set(page.url.partition("?")[2].split("&"))
        base, mixed = cards(page, "Base"), cards(page, "Base + BM25, w = 0.50")
        assert [rank for _, rank, _ in base] == list(range(1, 11))
        relevant = page.locator('section[aria-label="Base"] button.card.further[data-rank="36"]')
        expect(relevant).to_contain_text("relevant (grade 1)")
        document = relevant.get_attribute("data-document")
        assert document not in [d for d, _, _ in base]
        assert document in [d for d, _, _ in mixed]
        expect(page.locator("[class*='st-key-causes-']")).to_contain_text("Keyword mismatch")
