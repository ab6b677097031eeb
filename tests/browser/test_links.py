"""What a link asks for in vain is nowhere on the page, nor in the address.

Pages on a phone, names that are cut.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.app import cards, chart, darken, open_page, own_context, settle
from tests.browser.conftest import NewPage

pytestmark = pytest.mark.browser


def test_a_link_with_values_that_no_control_offers_shows_what_the_controls_say(
    page: Page, address: str
) -> None:
    open_page(page, f"{address}/compare?query=q054&shown=7&top_k=7&alpha=9")
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


def test_controls_keep_the_values_of_a_link_if_the_page_runs_again_before_they_are_drawn(
    browser: Browser, address: str
) -> None:
    """A slow browser loads the code of a control while the page runs for the second time."""
    page = own_context(browser).new_page()
    held: list[Route] = []
    page.route("**/ButtonGroup.*.js", lambda route: held.append(route))
    page.goto(f"{address}/map?query=q054&view=linear")
    chart(page, "map_linear_2-D")
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')
    page.keyboard.press("j")
    page.wait_for_function("() => location.search.includes('query=q055')")
    page.get_by_text("Query q055").wait_for()
    assert len(held) == 1
    held[0].continue_()
    view = page.locator(".st-key-input_view").get_by_role("radio", checked=True)
    expect(view).to_have_text("Linear (PCA)")
    settle(page)
    page.keyboard.press("j")
    page.wait_for_function("() => location.search.includes('query=q056')")
    settle(page)
    assert "view=linear" in page.url
    expect(view).to_have_text("Linear (PCA)")
    page.context.close()


def test_one_feedback_document_refines_whatever_a_link_leaves_out(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q054")
    before = cards(page, "Modulated")
    open_page(page, f"{address}/compare?query=q054&dropped=only:no-such-document")
    expect(
        page.get_by_text("at least one must remain. All candidates are used instead")
    ).to_be_visible()
    assert cards(page, "Modulated") == before
    assert "dropped" not in page.url


def assert_nothing_is_out_of_sight(page: Page) -> None:
    assert (
        page.evaluate("() => document.querySelector('[data-testid=\"stMain\"]').scrollWidth") <= 390
    )
    # tables in a closed expander have no width
    for table in [table for table in page.locator(".small-table").all() if table.is_visible()]:
        assert table.evaluate("table => table.scrollWidth - table.clientWidth") == 0, (
            "its last column is out of sight"
        )


def test_explain_needs_no_sideways_scrolling_on_a_narrow_screen(
    new_page: NewPage, address: str
) -> None:
    page = new_page(390, 844)
    open_page(page, f"{address}/explain?query=q054&document=the-hague")
    page.locator(".st-key-marked_document mark").first.wait_for()
    assert_nothing_is_out_of_sight(page)
    page.get_by_text("Rank and score at each stage").click()
    page.locator(".st-key-stages td").first.wait_for()
    page.wait_for_timeout(500)  # it unfolds
    assert_nothing_is_out_of_sight(page)
    darken(page)
    page.locator(".st-key-stages td").first.wait_for()
    assert_nothing_is_out_of_sight(page)


@pytest.mark.parametrize("width", [390, 1440])
def test_the_table_of_edited_texts_needs_no_sideways_scrolling(
    new_page: NewPage, address: str, width: int
) -> None:
    page = new_page(width, 844)
    open_page(page, f"{address}/compare?query=q749&edited_query=the+drink+that+killed+Socrates")
    table = page.locator(".st-key-outcome .small-table")
    table.locator("td").first.wait_for()
    assert table.evaluate("table => table.scrollWidth - table.clientWidth") == 0
    if width == 390:
        assert_nothing_is_out_of_sight(page)


@pytest.mark.parametrize("width", [390, 1440])
def test_names_beside_the_ranks_are_within_the_chart_and_whole_when_pointed_at(
    new_page: NewPage, address: str, width: int
) -> None:
    page = new_page(width, 1000)
    open_page(page, f"{address}/compare?query=q100")
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
