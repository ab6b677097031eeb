"""What a newcomer tries first: open a row, step on, click a card, type a question."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from dashboard.navigation import PAGES
from imrnns_core.text.stop_words import stop_words
from tests.browser.app import WAIT_MS, open_page, settle
from tests.browser.conftest import NewPage

pytestmark = pytest.mark.browser
FAILING = "/failures?outcome=ranked too low"


def rows(page: Page) -> Locator:
    """Return the rows of the table on Failures."""
    table = page.locator(".st-key-failures tbody tr")
    table.first.wait_for(timeout=WAIT_MS)
    return table


def ids(page: Page) -> list[str]:
    """Return the ids of the listed queries, in the order shown."""
    listed: list[str] = rows(page).evaluate_all("rows => rows.map(row => row.dataset.id)")
    return listed


def wait_for_query(page: Page, query_id: str) -> None:
    page.wait_for_function(
        "id => location.pathname === '/compare' && "
        "new URLSearchParams(location.search).get('query') === id",
        arg=query_id,
    )
    settle(page)


@pytest.mark.parametrize("name", PAGES)
def test_menu_tab_and_heading_have_the_same_name(page: Page, address: str, name: str) -> None:
    open_page(page, f"{address}/{name}")
    title = PAGES[name][0]
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    expect(page.get_by_role("link", name=title, exact=True)).to_have_attribute(
        "aria-current", "page"
    )
    assert page.title() == f"{title} · IMRNNs Lens"


@pytest.mark.parametrize("column", ["Outcome", "Query", "Mod.", "Remedy"])
def test_a_click_anywhere_in_a_row_opens_the_query(page: Page, address: str, column: str) -> None:
    open_page(page, address + FAILING)
    query_id = ids(page)[1]
    rows(page).nth(1).locator(f'[data-label="{column}"]').click()
    wait_for_query(page, query_id)


def test_the_keyboard_opens_a_row_and_the_page_says_how(page: Page, address: str) -> None:
    open_page(page, address + FAILING)
    expect(page.get_by_text("Tab to the table, ↑ and ↓ to a row, Enter to open it")).to_be_visible()
    listed = ids(page)
    page.locator(".st-key-failures th button").last.focus()
    page.keyboard.press("Tab")  # the table is one stop: its first row
    for key in ("ArrowDown", "ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
    assert page.url.endswith("outcome=ranked+too+low"), "a row opens only with Enter"
    page.keyboard.press("Enter")
    wait_for_query(page, listed[1])


def test_next_and_previous_follow_the_list_of_failures(page: Page, address: str) -> None:
    open_page(page, address + FAILING)
    page.locator(".st-key-failures th button", has_text="Base").click()  # the order shown counts
    listed = ids(page)
    assert listed != sorted(listed)
    rows(page).first.click()
    wait_for_query(page, listed[0])
    expect(page.get_by_text(f"Query 1 of {len(listed)} in your list from Failures")).to_be_visible()
    page.locator("h1").click()
    for key, query_id in (("j", listed[1]), ("j", listed[2]), ("k", listed[1])):
        page.keyboard.press(key)
        wait_for_query(page, query_id)
    page.get_by_role("button", name="Next", exact=True).click()
    wait_for_query(page, listed[2])


def test_a_column_sorts_by_value_and_keeps_its_name(page: Page, address: str) -> None:
    open_page(page, address + FAILING)
    order = ids(page)
    head = page.locator(".st-key-failures th", has_text="Base")

    def ranks() -> list[int]:
        return [int(t) for t in rows(page).locator('[data-label="Base"]').all_inner_texts()]

    head.get_by_role("button").click()
    assert ranks() == sorted(ranks())
    expect(head).to_have_text("Base ↑")
    head.get_by_role("button").click()
    assert ranks() == sorted(ranks(), reverse=True)
    expect(head).to_have_attribute("aria-sort", "descending")
    head.get_by_role("button").click()
    assert ids(page) == order


def test_the_split_is_selected_on_the_next_page(page: Page, address: str) -> None:
    open_page(page, f"{address}/overview?split=dev")
    for name in ("Failures", "Overview"):
        page.get_by_role("link", name=name).click()
        page.wait_for_function(f"() => location.pathname === '/{name.lower()}'")
        settle(page)
        split = page.locator(".st-key-input_split").get_by_role("radio", checked=True)
        expect(split).to_have_text("dev")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_text_of_a_clicked_card_is_visible(new_page: NewPage, address: str, width: int) -> None:
    page = new_page(width, 844)
    open_page(page, f"{address}/compare?query=q126")
    card = page.locator('section[aria-label="Modulated"] button.card').nth(9)
    card.scroll_into_view_if_needed()
    card.click()
    panel = page.locator(".st-key-compare_document")
    panel.wait_for(timeout=WAIT_MS)
    settle(page)
    page.wait_for_timeout(500)
    expect(panel).to_contain_text(str(card.get_attribute("data-document")))
    expect(panel.locator(".document-text-title")).to_be_in_viewport()


@pytest.mark.parametrize("width", [1440, 390])
def test_the_causes_come_early(new_page: NewPage, address: str, width: int) -> None:
    page = new_page(width, 844)
    open_page(page, f"{address}/compare?query=q126")
    causes = page.locator("[class*='st-key-causes-']")
    box, cards = causes.bounding_box(), page.locator(".st-key-cards").bounding_box()
    assert box is not None
    assert cards is not None
    assert box["y"] < 844
    assert box["y"] < cards["y"] or box["x"] > cards["x"]


def test_the_box_for_questions_shows_the_start_of_a_typed_question(
    page: Page, address: str
) -> None:
    open_page(page, address)
    box = page.locator(".st-key-input_text input")
    box.fill("How deep is the deepest lake in the whole world, and who measured it?")
    box.press("Enter")
    page.wait_for_function("() => location.search.includes('text=How')")
    settle(page)
    expect(box).not_to_be_focused()
    assert box.evaluate("box => [box.scrollLeft, getComputedStyle(box).textOverflow]") == [
        0,
        "ellipsis",
    ]
    expect(page.locator(".st-key-input_query input")).to_have_value("")
    page.keyboard.press("j")  # the keys work again at once
    page.wait_for_function("() => !location.search.includes('text=')")
    expect(box).to_have_value("")
    expect(page.locator(".st-key-input_query input")).not_to_have_value("")


def test_search_offers_only_queries_with_the_typed_words(page: Page, address: str) -> None:
    open_page(page, address)
    page.keyboard.press("/")
    page.keyboard.type("hemlock")
    options = page.get_by_role("option")
    options.first.wait_for()
    page.wait_for_timeout(300)
    assert all("hemlock" in text.lower() for text in options.all_inner_texts())


def test_marks_have_a_legend_above_the_cards_and_skip_stop_words(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q054&shown=5&marks=yes")
    marks = page.locator(".card mark")
    marks.first.wait_for(timeout=WAIT_MS)
    settle(page)
    legend = page.locator(".st-key-cards .legend")
    expect(legend).to_contain_text("solid green: the word raises the score change")
    top, first = legend.bounding_box(), page.locator(".st-key-cards button.card").first
    assert top is not None
    assert top["y"] < (first.bounding_box() or {"y": 0})["y"]
    words = {text.lower() for text in marks.all_inner_texts()}
    assert words
    assert not words & stop_words()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_toolbar_of_a_chart_is_transparent_and_waits_for_the_mouse(
    new_page: NewPage, address: str, scheme: Any
) -> None:
    page = new_page(1440, 1000, scheme)
    open_page(page, f"{address}/overview")
    plot = page.locator(".st-key-scatter .js-plotly-plot")
    plot.wait_for(timeout=WAIT_MS)
    groups = plot.locator(".modebar-group")
    read = "groups => groups.map(g => [getComputedStyle(g).opacity, getComputedStyle(g).{}])"
    ground = read.format("backgroundColor")
    assert {tuple(style) for style in groups.evaluate_all(ground)} == {("0", "rgba(0, 0, 0, 0)")}
    plot.hover()
    page.wait_for_timeout(700)
    assert {tuple(style) for style in groups.evaluate_all(ground)} == {("1", "rgba(0, 0, 0, 0)")}
