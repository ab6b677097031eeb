"""What a link asks for in vain is nowhere on the page, nor in the address.

Pages on a phone, names that are cut.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.app import cards, chart, open_page

pytestmark = pytest.mark.browser


def test_a_link_with_values_that_no_control_offers_shows_what_the_controls_say(
    page: Page, address: str
) -> None:
    open_page(page, f"{address}/?query=q054&shown=7&top_k=7&alpha=9")
    assert len(cards(page, "Base")) == len(cards(page, "Modulated")) == 10
    expect(page.get_by_role("combobox", name="Documents per list")).to_have_value("10")
    expect(page.locator(".st-key-cards output")).to_have_text("1.00")
    assert not any(name in page.url for name in ("shown", "top_k", "alpha"))
    open_page(page, f"{address}/failures?top_k=7&bucket=nonsense&split=nowhere")
    for key, value in (("top_k", "10"), ("split", "test")):
        expect(
            page.locator(f".st-key-input_{key}").get_by_role("radio", checked=True)
        ).to_have_text(value)
    assert not any(value in page.url for value in ("top_k", "nonsense", "nowhere"))
    open_page(page, f"{address}/map?query=q054&view=nonsense")
    expect(page.locator(".st-key-input_view").get_by_role("radio", checked=True)).to_have_text(
        "Target (exact)"
    )
    assert "nonsense" not in page.url


def test_one_feedback_document_refines_whatever_a_link_leaves_out(page: Page, address: str) -> None:
    open_page(page, f"{address}/?query=q054")
    before = cards(page, "Modulated")
    open_page(page, f"{address}/?query=q054&dropped=only:no-such-document")
    expect(
        page.get_by_text("at least one must remain. All candidates are used instead")
    ).to_be_visible()
    assert cards(page, "Modulated") == before
    assert "dropped" not in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_explain_needs_no_sideways_scrolling_on_a_narrow_screen(
    browser: Browser, address: str, scheme: Any
) -> None:
    page = browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme=scheme
    ).new_page()
    open_page(page, f"{address}/explain?query=q054&document=the-hague")
    assert (
        page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollWidth") <= 390
    )
    page.locator(".st-key-outcome").wait_for()
    page.get_by_text("Rank and score at each stage").click()
    page.locator(".st-key-stages td").first.wait_for()
    page.wait_for_timeout(500)  # it unfolds
    # tables in a closed expander have no width
    for table in [table for table in page.locator(".small-table").all() if table.is_visible()]:
        assert table.evaluate("table => table.scrollWidth - table.clientWidth") == 0, (
            "its last column is out of sight"
        )
    page.context.close()


@pytest.mark.parametrize("width", [390, 1440])
def test_names_beside_the_ranks_are_within_the_chart_and_whole_when_pointed_at(
    browser: Browser, address: str, width: int
) -> None:
    page = browser.new_context(viewport={"width": width, "height": 1000}).new_page()
    open_page(page, f"{address}/?query=q100")
    plot = chart(page, "bump")
    frame = plot.bounding_box()
    assert frame is not None
    names = [box for name in plot.locator(".annotation-text").all() if (box := name.bounding_box())]
    lines = plot.evaluate(
        "plot => new Set(plot.data.flatMap(t => t.customdata.filter(Boolean).map(c => c[0]))).size"
    )
    assert len(names) == lines == 16  # every line has its name: the axis has room for 20
    assert all(box["x"] + box["width"] <= frame["x"] + frame["width"] for box in names)
    stages = [box for name in plot.locator(".xtick text").all() if (box := name.bounding_box())]
    assert not any(
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
        for n, a in enumerate(stages)
        for b in stages[:n]
    )
    page.mouse.move(names[0]["x"] + 9, names[0]["y"] + 5, steps=3)
    expect(plot.locator(".hovertext")).to_have_text("Interchangeable dollars")
    page.context.close()
