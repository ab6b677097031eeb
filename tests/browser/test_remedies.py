"""The page Remedies: from what to change first to a query that it fixes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from imrnns_core.storage.judgments import JudgmentStore
from tests.browser.app import cards, open_page, serving, settle

pytestmark = pytest.mark.browser


def test_a_row_lists_the_queries_of_a_remedy_and_a_query_opens(page: Page, address: str) -> None:
    open_page(page, f"{address}/remedies?adapter=none")
    expect(page.locator(".answer-verdict").first).to_have_text("adapter sample-adapter")
    heading = "What “adapter sample-adapter” fixes and breaks"
    expect(page.get_by_role("heading", name=heading)).to_be_visible()
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
    rows = page.locator(".st-key-query_remedies tbody tr")
    rows.first.wait_for()
    settle(page)
    cells = [row.locator("td, th").all_inner_texts() for row in rows.all()]
    ranks = {name: rank for name, rank, _ in cells}
    assert ranks["base"] == "—" or int(ranks["base"]) > 10
    assert ranks["base + BM25"].startswith("▲ ")
    assert int(ranks["base + BM25"].removeprefix("▲ ")) <= 10
    page.get_by_role("button", name="Count the queries that each remedy fixes and breaks").click()
    page.get_by_text("Fixed / broken counts the 236 judged queries of the split “test”").wait_for()
    settle(page)
    counted = [row.locator("td, th").all_inner_texts() for row in rows.all()]
    counts = {name: count for name, _, _, count in counted}
    assert (counts["base"], counts["base + BM25"], counts["RM3"]) == ("", "6 / 0", "6 / 31")
    # the next query has them, too
    page.get_by_role("button", name="Next").click()
    page.get_by_text("Fixed / broken counts the 236 judged queries").wait_for()


def test_the_ranking_of_a_remedy_is_the_second_list_and_stays_in_the_link(
    page: Page, address: str
) -> None:
    open_page(page, f"{address}/compare?query=q763")
    causes = page.locator("[class*='st-key-causes-']")
    expect(causes).to_contain_text(re.compile(r"Keyword mismatch \(p = 0\.0"))
    expect(causes).to_contain_text("RM3: rank 34 → 1")
    page.locator(".st-key-query_remedies tbody tr").filter(has_text="RM3").click()
    expect(page.locator('section[aria-label="RM3"]')).to_be_visible()
    settle(page)
    assert cards(page, "RM3")[0][:2] == ("treaty-of-paris-1783", 1)
    expect(page).to_have_url(re.compile("remedy=RM3"))
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="Download the second list").click()
    first = Path(downloaded.value.path()).read_text().splitlines()[0]
    assert first.split()[2:5] == ["treaty-of-paris-1783", "1", "-1"]
    open_page(page, page.url)
    assert cards(page, "RM3")[0][:2] == ("treaty-of-paris-1783", 1)
    # “Second list” brings the usual ranking back
    # with the keyboard: the list of options moves while it opens, and a click on it can miss
    choice = page.get_by_role("combobox", name="Second list")
    choice.click()
    page.get_by_role("option", name="modulated ranking").wait_for()
    choice.press("Home")
    choice.press("Enter")
    expect(page.locator('section[aria-label="Modulated"]')).to_be_visible()
    settle(page)
    assert "remedy=" not in page.url


def ends(page: Page) -> tuple[float, float]:
    """Return the range of the change that “Judge these ten” shows."""
    text = page.locator(".st-key-ten_range .answer-figures").inner_text().replace("−", "-")
    low, high = re.search(r"; ([+-][\d.]+) to ([+-][\d.]+), whatever grades", text).groups()
    return float(low), float(high)


def test_ten_documents_are_judged_with_keys_and_narrow_the_range(
    page: Page, tmp_path: Path
) -> None:
    with serving(tmp_path) as address:
        open_page(page, f"{address}/remedies?adapter=none")
        desk = page.locator(".st-key-ten_desk")
        desk.locator("article").wait_for()
        settle(page)
        low, high = ends(page)
        assert low < 0 < high
        # at the top of the page, the desk is out of sight, so keys are no grades
        page.keyboard.press("0")
        settle(page)
        counts = desk.locator(".counts")
        assert counts.inner_text() == "10 pairs of query and document left · 0 judged"
        desk.locator("article").scroll_into_view_if_needed()
        page.keyboard.press("s")
        for _ in range(6):
            page.keyboard.press("0")
        settle(page)
        expect(counts).to_have_text("3 pairs of query and document left · 6 judged · 1 skipped")
        narrower = ends(page)
        assert low <= narrower[0] < 0 < narrower[1] <= high
        assert narrower[1] - narrower[0] < high - low
        page.keyboard.press("u")
        expect(counts).to_have_text("4 pairs of query and document left · 5 judged · 1 skipped")
        settle(page)
        assert ends(page)[1] - ends(page)[0] > narrower[1] - narrower[0]
        for key in "0320":
            page.keyboard.press(key)
        settle(page)
        grades = sorted(j.grade for j in JudgmentStore(tmp_path).current("sample"))
        assert grades == [0] * 7 + [2, 3]
        first = {(j.query_id, j.document_id) for j in JudgmentStore(tmp_path).current("sample")}
        last = ends(page)
        page.get_by_role("button", name="Judge the next ten").click()
        # the whole page is measured again first
        expect(counts).to_have_text(
            "10 pairs of query and document left · 9 judged · 1 skipped", timeout=60_000
        )
        settle(page)
        # a judgment can change the weight of BM25, and so the ranking
        assert ends(page) == pytest.approx(last, abs=0.05)
        desk.locator("article").scroll_into_view_if_needed()
        page.keyboard.press("1")
        settle(page)
        now = {(j.query_id, j.document_id) for j in JudgmentStore(tmp_path).current("sample")}
        assert len(now - first) == 1
