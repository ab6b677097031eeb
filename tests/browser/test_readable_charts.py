"""What a newcomer stumbled over in Modulation and Map, looked at in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import chart, click_point, open_page, settle

pytestmark = pytest.mark.browser


def test_a_dimension_without_words_offers_the_nearest_one_with_words(
    page: Page, address: str
) -> None:
    open_page(page, f"{address}/modulation?query=q054&dimension=20&document=the-hague")
    card = page.locator(".st-key-dimension")
    expect(card).to_contain_text("No word is linked to this dimension")
    offer = card.get_by_role("button", name=re.compile(r"Show dimension \d+"))
    dimension = re.findall(r"\d+", offer.inner_text())[0]
    offer.click()
    page.wait_for_function(
        f"() => new URLSearchParams(location.search).get('dimension') === '{dimension}'"
    )
    settle(page)
    assert re.search(r"\w+: [+−]\d+\.\d standard errors, in \d+ documents", card.inner_text())


def test_the_card_of_a_clicked_cell_has_the_hovered_number(page: Page, address: str) -> None:
    open_page(page, f"{address}/modulation?query=q007")
    index = 40 * 2 + 3
    hovered = chart(page, "shift_heatmap").evaluate(f"plot => plot._fullData[2].text[{index}]")
    document_id, _ = click_point(page, "shift_heatmap", 2, index)
    page.wait_for_function("() => new URLSearchParams(location.search).get('dimension')")
    settle(page)
    expect(page.locator(".st-key-dimension")).to_contain_text(
        f"{document_id}: shift relative to the average {hovered} (as in the heat map)"
    )


def test_the_table_of_the_map_needs_no_sideways_scrolling(page: Page, address: str) -> None:
    open_page(page, f"{address}/map?query=q054")
    table = page.locator("[data-testid=stDataFrame] .dvn-scroller")
    table.wait_for()
    assert table.evaluate("node => node.scrollWidth - node.clientWidth") <= 0
    heads = page.locator("[data-testid=stDataFrame] th")
    heads.filter(has_text="moved").wait_for(state="attached")  # drawn after the frame
    assert [head for head in heads.all_text_contents() if head] == [
        "title",
        "base",
        "mod.",
        "moved",
    ]


def test_labels_are_readable_and_links_keep_their_values(page: Page, address: str) -> None:
    open_page(page, f"{address}/modulation?query=q054")
    page.get_by_role("radio", name="Full values").click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('shift') === 'whole'")
    settle(page)
    page.get_by_role("radio", name="Mean value").click()
    page.wait_for_function("() => new URLSearchParams(location.search).get('columns') === 'sign'")
    settle(page)
    open_page(page, f"{address}/map?query=q054&view=linear&drag=lasso")
    for name in ("Linear (PCA)", "Select documents"):
        expect(page.get_by_role("radio", name=name)).to_be_checked()
