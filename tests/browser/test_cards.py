"""The ranking cards in a browser, without the rest of the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page

from dashboard.widgets.ranking_cards import component as ranking_cards
from dashboard.widgets.ranking_cards.content import Card, CardContent, Column, Slider, payload

pytestmark = pytest.mark.browser
HOSTILE = (
    "<script>window.hacked=1</script> <img src=x onerror=window.hacked=1> $x$ :red[y] "
    "[link](javascript:window.hacked=2) **b**"
)


def part(kind: str) -> str:
    """Return the style sheet, the script or the frame of the cards."""
    return Path(ranking_cards.__file__).with_name(f"cards.{kind}").read_text("utf-8")


def draw(
    page: Page,
    columns: list[Column],
    spans: dict[str, list[tuple[int, int, float]]],
    text: str = "text",
    **more: list[Column],
) -> None:
    """Draw columns; `more` are those of further places of a slider, `at_1` of place 1."""
    steps = {0.0: columns, **{float(name.removeprefix("at_")): step for name, step in more.items()}}
    contents = {
        c.document_id: CardContent(HOSTILE, text, "unjudged", "#8f99a8")
        for step in steps.values()
        for column in step
        for c in column.cards
    }
    slider = Slider("place", "help", 0.0, lambda _: None) if more else None
    page.set_content(f"<style>{part('css')}</style><main>{part('html')}</main>")
    page.evaluate(
        """async ([source, data]) => {
          const { default: run } = await import(
            'data:text/javascript,' + encodeURIComponent(source));
          window.picked = [];
          window.draw = (changes) => run({
            data: { ...data, ...changes }, parentElement: document.querySelector('main'),
            setTriggerValue: (name, value) => window.picked.push([name, value]) });
          window.draw({});
        }""",
        [part("js"), json.loads(json.dumps(payload(steps, contents, "", spans, slider)))],
    )


def card(document_id: str, **changes: object) -> Card:
    return Card(document_id, "1", "0.5000", "1 ↘ 2", **changes)  # type: ignore[arg-type]


def test_marks_stand_in_the_text_as_written(page: Page) -> None:
    start = len(HOSTILE) + 1
    spans = {
        "d<1>": [(0, 32, 0.4), (start + 5, start + 11, -0.2), (-9, 0, 1e9), (10**6, 10**7, 0.3)]
    }
    draw(page, [Column("Base", "", [card("d<1>")])], spans, HOSTILE)
    assert page.locator(".card .title").inner_text() == HOSTILE
    marks = page.locator(".card mark")
    assert [m.inner_text() for m in marks.all()] == [
        "<script>window.hacked=1</script>",
        HOSTILE[5:11],
    ]
    styles = [
        m.evaluate("m => [m.className, getComputedStyle(m).textDecorationStyle]")
        for m in marks.all()
    ]
    assert styles == [["raises", "solid"], ["lowers", "dotted"]]  # told apart without colour
    assert page.locator(".card script, .card img, .card a, .card b").count() == 0
    assert page.evaluate("() => window.hacked") is None
    assert "dotted orange: the word lowers it" in page.locator(".legend").inner_text()


def test_no_cards_and_a_hundred(page: Page) -> None:
    draw(
        page,
        [
            Column("Base", "", [], "No candidates."),
            Column("Modulated", "", [card(f"d{i}") for i in range(100)], rest=3),
        ],
        {},
        "long " * 2000,
    )
    assert page.locator("section[aria-label=Base] .empty").inner_text() == "No candidates."
    assert page.locator("section[aria-label=Modulated] .card").count() == 100
    assert page.locator(".skipped").inner_text() == "⋮ 3 more documents"
    assert page.locator(".legend").count() == 0


def test_skipped_documents_are_counted(page: Page) -> None:
    draw(page, [Column("Base", "", [card("a"), card("b", further=True, skipped=27)])], {})
    assert page.locator(".skipped").inner_text() == "⋮ 27 documents not shown"


def test_cards_below_the_shown_ranks_stand_below_a_divider(page: Page) -> None:
    draw(
        page,
        [
            Column(
                "Base",
                "",
                [
                    card("a"),
                    card("b", further=True, skipped=27),
                    card("c", further=True, skipped=3),
                ],
                divider="below rank 1",
            ),
            Column("Other", "", [card("a")]),
        ],
        {},
    )
    order = page.locator("section[aria-label=Base] > :is(button, .divider)").evaluate_all(
        "nodes => nodes.map(n => n.dataset.document || n.innerText)"
    )
    assert order == ["a", "below rank 1", "b", "c"]
    assert page.locator("section[aria-label=Other] .divider").count() == 0


def test_a_card_answers_mouse_and_keyboard(page: Page) -> None:
    draw(
        page, [Column("Base", "", [card("a"), card("b")]), Column("Modulated", "", [card("b")])], {}
    )
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert [c.get_attribute("data-document") for c in page.locator(".card.twin").all()] == [
        "b",
        "b",
    ]
    page.keyboard.press("Enter")
    assert page.evaluate("() => window.picked") == [["picked", "b"]]


def test_the_slider_draws_at_once_and_tells_where_it_came_to_rest(page: Page) -> None:
    draw(
        page,
        [Column("Base", "", [card("a")])],
        {},
        at_1=[Column("One", "", [card("b")])],
        at_2=[Column("Two", "", [card("c")])],
    )
    slider = page.get_by_role("slider", name="place")
    assert (
        slider.get_attribute("aria-valuetext"),
        slider.input_value(),
        slider.get_attribute("max"),
    ) == ("0.00", "0", "2")
    drawn = slider.evaluate(
        """slider => ["1", "2"].map((place) => {
          slider.value = place;
          slider.dispatchEvent(new Event("input"));
          return [...document.querySelectorAll("section")].map((s) =>
             s.ariaLabel + s.querySelector(".card").dataset.document);
        })"""
    )
    assert drawn == [["Oneb"], ["Twoc"]]
    page.wait_for_function("() => window.picked.length > 0")
    page.wait_for_timeout(400)
    assert page.evaluate("() => window.picked") == [["moved", 2]]  # once, where it rests


def test_the_slider_stays_where_the_reader_put_it_until_the_server_has_answered(page: Page) -> None:
    draw(
        page,
        [Column("Base", "", [card("a")])],
        {},
        at_1=[Column("One", "", [card("b")])],
        at_2=[Column("Two", "", [card("c")])],
    )
    slider = page.get_by_role("slider", name="place")
    slider.focus()
    page.keyboard.press("ArrowRight")
    place = {"label": "place", "help": "", "values": [0, 1, 2]}
    page.evaluate(
        "slider => window.draw({ slider })", {**place, "value": 0}
    )  # an answer to something asked before
    assert slider.input_value() == "1"
    assert page.locator("section").get_attribute("aria-label") == "One"
    page.evaluate("slider => window.draw({ slider })", {**place, "value": 1})
    page.evaluate(
        "slider => window.draw({ slider })", {**place, "value": 2}
    )  # a link, or the back button
    assert slider.input_value() == "2"
    assert page.locator("section").get_attribute("aria-label") == "Two"
