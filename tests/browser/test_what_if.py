"""What if? on Compare: edited texts have the scores of the engine, and stay in the link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from imrnns_core.explanation.pair import Pair
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.remedies.advice import advise
from imrnns_core.reporting.causes import advice_lines
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import relevant_ids
from tests.browser.app import choose, open_page, own_context, rows, serving, settle
from tests.browser.test_explain import HOSTILE, bars

pytestmark = pytest.mark.browser
SCORE = re.compile(r"(\S+) → (\S+) \((\S+)\)")


@pytest.fixture(scope="module")
def ranker() -> Ranker:
    space = Workspace(Path("unused"))
    return Ranker(space.open(space.resolve("sample")), space.adapter("sample-adapter"))


@pytest.fixture(scope="module")
def pair(ranker: Ranker) -> Pair:
    comparison = ranker.compare("q054")
    return Pair(comparison, ranker.adapter.model, comparison.position["the-hague"])


def edited(page: Page, address: str, more: str = "") -> None:
    open_page(
        page,
        f"{address}/?data=sample&adapter=sample-adapter&query=q054&document=the-hague"
        f"&carry=score&editing=yes{more}",
    )
    page.locator(".st-key-outcome td").first.wait_for()


def scores(page: Page, stage: str = "modulated") -> tuple[float, float, float]:
    """Return the score of the original and of the edited text, and their difference."""
    found = SCORE.fullmatch(rows(page, "outcome")[stage][1])
    assert found is not None
    before, after, difference = (float(own.replace("−", "-")) for own in found.groups())
    return before, after, difference


def type_query(page: Page, text: str) -> None:
    box = page.get_by_label("Text of the query", exact=True)
    box.fill(text)
    box.press("Control+Enter")
    page.locator(".st-key-edited_query").wait_for()
    settle(page)


def test_an_edited_query_changes_the_ranks_and_a_copied_link_keeps_it(
    page: Page, browser: Browser, address: str
) -> None:
    """The best relevant document is edited, because no document is selected."""
    open_page(page, f"{address}/compare?query=q749")
    expect(page.get_by_label("Text of the query", exact=True)).to_have_count(0)
    page.get_by_text("Edit the texts").click()
    page.locator(".st-key-outcome td").first.wait_for()
    settle(page)
    before = {stage: cells[0] for stage, cells in rows(page, "outcome").items()}
    assert (before["base"], before["modulated"]) == ("27 → 27", "52 → 52")
    type_query(page, "the drink that killed Socrates")
    outcome = rows(page, "outcome")
    assert (outcome["base"][0], outcome["modulated"][0]) == ("27 → 1", "52 → 1")
    expect(page.locator(".st-key-what_if")).to_contain_text("98 of 100 candidates change rank.")
    assert "edited_query=the+drink" in page.url
    other = own_context(browser).new_page()
    # a link without the switch, as older ones are, opens the editors, too
    open_page(other, page.url.replace("editing=yes&", ""))
    assert rows(other, "outcome") == outcome
    other.context.close()


@pytest.mark.parametrize("side", ["document", "query"])
def test_deleting_the_top_verified_word_costs_what_explain_predicted(
    page: Page, address: str, side: str
) -> None:
    open_page(
        page,
        f"{address}/explain?data=sample&adapter=sample-adapter&query=q054&document=the-hague"
        "&carry=score",
    )
    word, drop = bars(page, f"verified_{side}")[0]
    assert drop > 0
    page.get_by_role("button", name="Edit the texts on Compare").click()
    page.locator(".st-key-outcome td").first.wait_for()
    settle(page)
    before = scores(page)[0]
    choose(page, f"Delete words of the {side}", word)
    page.locator(f".st-key-edited_{side}").wait_for()
    settle(page)
    unchanged, after, difference = scores(page)
    assert unchanged == before
    assert difference == pytest.approx(-drop, abs=1e-4)  # as shown, to the last digit
    assert after == pytest.approx(before - drop, abs=2e-4)
    expect(page.locator(f".st-key-edited_{side}")).not_to_contain_text(word)


def test_an_edited_query_is_scored_and_explained_anew(
    page: Page, address: str, ranker: Ranker, pair: Pair
) -> None:
    edited(page, address)
    text = "Where do the ministers of the Netherlands work?"
    type_query(page, text)
    expected = WordExplainer(ranker).measure(pair, "query", [text])[0]
    assert scores(page)[1] == pytest.approx(float(expected[0]), abs=1e-4)
    expect(page.locator(".st-key-edited_query")).to_contain_text("ministers")


def test_a_copied_link_reopens_the_edited_texts_with_their_scores(
    page: Page, browser: Browser, address: str
) -> None:
    edited(page, address)
    type_query(page, HOSTILE)
    choose(page, "Delete words of the document", "Hague")
    page.locator(".st-key-edited_document").wait_for()
    settle(page)
    outcome = rows(page, "outcome")
    assert "edited_query=" in page.url
    other = own_context(browser).new_page()
    open_page(other, page.url)
    assert rows(other, "outcome") == outcome
    assert other.get_by_label("Text of the query", exact=True).input_value() == HOSTILE
    assert "Hague" not in other.get_by_label("Text of the document", exact=True).input_value()
    other.keyboard.press("j")
    other.wait_for_function("() => !location.search.includes('q054')")
    settle(other)
    assert "edited_" not in other.url  # another query, another text
    other.context.close()


def test_the_edit_of_a_document_selects_it_and_stays_in_view(page: Page, address: str) -> None:
    open_page(page, f"{address}/compare?query=q749&editing=yes")
    box = page.get_by_label("Text of the document", exact=True)
    box.wait_for()
    settle(page)
    box.fill(f"Hemlock. {box.input_value()}")
    box.press("Control+Enter")
    page.locator(".st-key-edited_document").wait_for()
    settle(page)
    assert "document=poison-hemlock" in page.url
    assert "edited_document=Hemlock" in page.url
    expect(page.locator(".st-key-compare_document")).to_have_count(1)
    expect(page.locator(".st-key-outcome tbody tr").last).to_be_in_viewport()
    assert rows(page, "outcome")["base"][0].startswith("27 → ")
    # another document has its own text
    page.locator('section[aria-label="Modulated"] button.card').first.click()
    page.wait_for_function("() => !location.search.includes('poison-hemlock')")
    settle(page)
    assert "edited_document" not in page.url


def test_moving_alpha_changes_its_row(page: Page, address: str) -> None:
    edited(page, address, "&alpha=0.5")
    blended = (scores(page, "base")[0] + scores(page)[0]) / 2
    assert scores(page, "α = 0.50")[0] == pytest.approx(blended, abs=1.1e-4)
    slider = page.locator("input[type=range]").first
    slider.focus()
    slider.press("ArrowRight")
    expect(page.locator(".st-key-outcome")).to_contain_text("α = 0.55")


def test_badges_that_come_later_do_not_take_the_document_from_the_link(
    page: Page, tmp_path: Path
) -> None:
    """The browser answers new labels of the query list with the label that it held.

    As if a query had been typed.
    """
    with serving(tmp_path) as new_server:
        open_page(
            page,
            f"{new_server}/?data=sample&adapter=sample-adapter&query=q054&document=amsterdam"
            "&dropped=the-hague&editing=yes",
        )
        page.locator(".st-key-outcome td").first.wait_for()
        settle(page)
        before = page.url
        choose(page, "Delete words of the query", "capital")
        page.locator(".st-key-edited_query").wait_for()
        settle(page)
        assert re.sub("&edited_query=[^&]*", "", page.url) == before


@pytest.fixture(scope="module")
def advice(ranker: Ranker) -> tuple[str, str]:
    comparison = ranker.compare("q749")
    lexical = BM25Index(ranker.collection.dataset.documents)
    found = advise(ranker, lexical, comparison, relevant_ids(comparison.judgments))
    assert found is not None
    return advice_lines(found, "Conium maculatum")


def test_authors_are_advised_below_the_causes(
    page: Page, address: str, advice: tuple[str, str]
) -> None:
    open_page(page, f"{address}/compare?query=q749")
    shown = page.locator(".st-key-advice")
    expect(shown).to_contain_text("Advice to authors")
    for text in advice:
        expect(shown).to_contain_text(text)
    causes = page.locator("[class*='st-key-causes-']")
    expect(causes).to_contain_text("No cause is shown")
    # nothing can be advised for a query whose relevant document is first
    open_page(page, f"{address}/compare?query=q898")
    expect(page.get_by_text("The base ranking has a relevant document at rank 1")).to_be_visible()
    settle(page)
    expect(page.get_by_text("Advice to authors")).to_have_count(0)
