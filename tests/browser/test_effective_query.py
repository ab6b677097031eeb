"""The whole corpus, the effective query and the lines to paste, in a browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from imrnns_core.config import SearchConfig
from imrnns_core.projection.effective_view import effective_view
from imrnns_core.reporting.change_lines import certainty_line
from imrnns_core.reporting.snippets import snippet
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from tests.browser.app import WAIT_MS, cards, click_point, open_page, settle

pytestmark = pytest.mark.browser
QUERY = "q128"


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    space = Workspace(Path("unused"))
    collection = space.open(space.resolve("sample"))
    return Ranker(collection, space.adapter("sample-adapter"), SearchConfig(scope="corpus"))


def test_the_whole_corpus_is_chosen_and_stays_in_the_address(
    page: Page, address: str, ranker: Ranker
) -> None:
    open_page(page, f"{address}/compare?query={QUERY}")
    # with the keyboard: the list of options moves while it opens, and a click on it can miss
    choice = page.locator(".st-key-input_scope").get_by_role("combobox")
    choice.click()
    page.get_by_role("option", name="Whole corpus").wait_for()
    choice.press("ArrowDown")
    choice.press("Enter")
    page.wait_for_function("() => location.search.includes('scope=corpus')", timeout=WAIT_MS)
    settle(page)
    compared = ranker.compare(QUERY)
    assert compared.certainty is not None
    expect(page.get_by_text(certainty_line(compared.certainty))).to_be_visible()
    shown = [card[0] for card in cards(page, "Modulated")]
    assert shown == [hit.document_id for hit in compared.ranking("modulated", 10)]


def test_the_effective_query_view_lists_both_tops_and_opens_a_document(
    page: Page, address: str, ranker: Ranker
) -> None:
    open_page(page, f"{address}/map?query={QUERY}&view=effective")
    view = effective_view(ranker, ranker.compare(QUERY), 10)
    titles = [d.title for d in ranker.collection.dataset.documents]
    rows = page.locator(".st-key-effective_lists tbody tr")
    expect(rows).to_have_count(10)
    for number, (old, new) in enumerate(zip(view.base, view.effective, strict=True)):
        cells = rows.nth(number).locator("td").all_inner_texts()
        assert cells[0] == str(number + 1)
        assert titles[old][:15] in cells[1]
        assert titles[new][:15] in cells[2]
        assert cells[2].endswith("(new)") == (new not in view.base)
    expect(page.get_by_text(f"{view.found} of the 10 documents on the right")).to_be_visible()
    # the marks of the candidates follow the dots and both lines
    (document_id,) = click_point(page, "map_effective_2-D", 3, 0)
    page.wait_for_function("() => new URLSearchParams(location.search).get('document')")
    settle(page)
    text = ranker.collection.dataset.document[document_id].text
    expect(page.locator(".st-key-map_document")).to_contain_text(text[:60])


def test_the_words_of_the_move_open_on_modulation(page: Page, address: str) -> None:
    open_page(page, f"{address}/modulation?query={QUERY}")
    page.get_by_text("Which words does the query move towards?").click()
    settle(page)
    words = page.locator(".st-key-move_words")
    expect(words).to_contain_text("standard errors")


def test_the_lines_to_paste_follow_the_choice_of_the_store(
    page: Page, address: str, ranker: Ranker
) -> None:
    open_page(page, f"{address}/adapters?query={QUERY}")
    store = page.locator(".st-key-stack_store")
    store.get_by_text("Qdrant").click()
    settle(page)
    code = page.locator('[data-testid="stCode"]')
    expect(code.first).to_contain_text("imrnns_core.load_adapter('sample-adapter.safetensors')")
    assert code.last.inner_text().strip() == snippet("Qdrant").strip()
    expected = [hit.document_id for hit in ranker.compare(QUERY).ranking("modulated", 10)]
    listed = page.locator(".document-text-body").last
    assert listed.inner_text().split() == expected
