"""Judging in a browser: in place, with the keyboard, by two people at once; a typed question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from imrnns_core.storage.judgments import JudgmentStore
from imrnns_core.storage.workspace import Workspace
from tests.browser.app import open_page, own_context, serving, settle

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def own_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judging-workspace")


@pytest.fixture(scope="module")
def own_address(own_workspace: Path) -> Iterator[str]:
    with serving(own_workspace) as url:
        yield url


def given(workspace: Path) -> dict[tuple[str, str], int]:
    current = JudgmentStore(workspace).current("sample")
    return {(j.query_id, j.document_id): j.grade for j in current}


def counts(page: Page) -> str:
    return page.locator(".st-key-judging_desk .counts").inner_text()


def left(page: Page) -> int:
    return int(counts(page).split(" ")[0].replace(",", ""))


def test_a_judgment_in_place_changes_the_outcome_and_the_figures(
    page: Page, own_address: str, own_workspace: Path
) -> None:
    split = Workspace(own_workspace).open("sample").dataset.split_of["q054"]
    open_page(page, f"{own_address}/failures?split={split}")
    table = page.locator("tr[data-id='q054']")
    expect(table).to_contain_text("worsened")
    open_page(page, f"{own_address}/overview?split={split}")
    expect(page.get_by_text("were made here")).to_have_count(0)
    figures = page.locator(".answer-figures").all_inner_texts()
    open_page(page, f"{own_address}/compare?query=q054&document=euro-microstates")
    panel = page.locator(".st-key-compare_document")
    expect(panel).to_contain_text("Not judged yet.")
    panel.get_by_role("radio", name="3").click()
    settle(page)
    expect(panel).to_contain_text(re.compile("Relevant .grade 3.: judged by "))
    expect(page.locator(".document-text-small").first).to_contain_text("base 2, modulated 1")
    assert given(own_workspace) == {("q054", "euro-microstates"): 3}
    open_page(page, f"{own_address}/failures?split={split}")
    expect(table).to_contain_text("improved")
    open_page(page, f"{own_address}/overview?split={split}")
    expect(page.get_by_text("1 of ")).to_contain_text("judgments of this split were made here")
    assert page.locator(".answer-figures").all_inner_texts() != figures


def test_judging_with_the_keyboard(page: Page, own_address: str, own_workspace: Path) -> None:
    before = given(own_workspace)
    open_page(page, f"{own_address}/judging?query=q128&judged_queries=this")
    name = page.get_by_role("textbox", name="Your name, stored with each judgment")
    name.fill("Änne 3210su")
    name.press("Enter")
    name.blur()
    settle(page)
    assert given(own_workspace) == before, "keys typed into a box are no grades"
    article = page.locator(".st-key-judging_desk article")
    total, seen = left(page), []
    for key in "3", "0", "s", "2":
        seen.append(article.locator(".id").inner_text())
        page.keyboard.press(key)  # without waiting: the next document is there at once
        assert article.locator(".id").inner_text() not in seen
    settle(page)
    assert counts(page) == f"{total - 4} pairs of query and document left · 3 judged · 1 skipped"
    new = {pair: grade for pair, grade in given(own_workspace).items() if pair not in before}
    assert new == {("q128", seen[0]): 3, ("q128", seen[1]): 0, ("q128", seen[3]): 2}
    page.keyboard.press("u")
    assert article.locator(".id").inner_text() == seen[3]
    page.keyboard.press("u")
    assert article.locator(".id").inner_text() == seen[2]
    settle(page)
    assert counts(page) == f"{total - 2} pairs of query and document left · 2 judged"
    new = {pair: grade for pair, grade in given(own_workspace).items() if pair not in before}
    assert new == {("q128", seen[0]): 3, ("q128", seen[1]): 0}
    # to the end: nothing is left but what was skipped
    page.keyboard.press("s")
    while left(page):
        page.keyboard.press("1")
    settle(page)
    expect(page.get_by_text("Only skipped documents are left")).to_be_visible()
    page.get_by_role("button", name="Show the skipped documents").click()
    settle(page)
    assert article.locator(".id").inner_text() == seen[2]
    page.keyboard.press("1")
    settle(page)
    expect(page.get_by_text("Every document of these queries is judged")).to_be_visible()
    new = [p for p in given(own_workspace) if p not in before]
    assert len(new) == total
    names = {j.who for j in JudgmentStore(own_workspace).current("sample") if j.query_id == "q128"}
    assert names == {"Änne 3210su"}
    with page.expect_download() as download:
        page.get_by_role("button", name="Download TREC file").click()
    lines = download.value.path().read_text().splitlines()
    assert f"q128 0 {seen[0]} 3" in lines
    assert len(lines) == len(given(own_workspace))


def test_two_people_who_judge_at_once_lose_nothing(
    browser: Browser, own_address: str, own_workspace: Path
) -> None:
    before = len(JudgmentStore(own_workspace).history("sample"))
    pages = [own_context(browser).new_page() for _ in range(2)]
    for number, reader in enumerate(pages):
        open_page(reader, f"{own_address}/judging")
        name = reader.get_by_role("textbox", name="Your name, stored with each judgment")
        name.fill(f"reader {number}")
        name.press("Enter")
        name.blur()
        settle(reader)
    pressed: list[list[str]] = [[], []]
    for turn in range(12):
        for reader, keys in zip(pages, pressed, strict=True):
            keys.append(str(turn % 4))
            reader.keyboard.press(keys[-1])
    for reader in pages:
        settle(reader)
        assert "12 judged" in counts(reader)
    history = JudgmentStore(own_workspace).history("sample")
    assert len(history) == before + 24
    for number, keys in enumerate(pressed):
        own = [str(j.grade) for j in history if j.who == f"reader {number}"]
        assert own == keys
    for reader in pages:
        reader.context.close()


def test_a_typed_question_gets_its_expected_document(page: Page, own_address: str) -> None:
    open_page(page, f"{own_address}/")
    box = page.get_by_role("textbox", name="Or ask your own question")
    box.fill("which river is a border")
    box.press("Enter")
    settle(page)
    finder = page.locator(".st-key-expected_finder")
    finder.get_by_label("Which document should answer this?").press_sequentially("rio gr")
    match = finder.locator("button[data-document='rio-grande']")
    match.wait_for()
    finder.get_by_label("Which document should answer this?").press("ArrowDown")
    page.keyboard.press("Enter")
    settle(page)
    facts = page.locator(".document-text-small").first
    expect(facts).to_contain_text(
        "base 2, modulated 2 · 1 relevant document · outcome: = unchanged"
    )
    assert "expected=rio-grande" in page.url
    page.get_by_role("button", name="Keep this question").click()
    page.wait_for_function("() => /query=asked-/.test(location.search)")
    settle(page)
    expect(facts).to_contain_text("Query asked-")
    query = re.search(r"query=(asked-\w+)", page.url).group(1)
    open_page(page, f"{own_address}/failures?split=judged")
    expect(page.locator(f"tr[data-id='{query}']")).to_contain_text("unchanged")


def test_a_kept_question_is_removed_and_brought_back(
    page: Page, own_address: str, own_workspace: Path
) -> None:
    store = JudgmentStore(own_workspace)
    kept = store.keep("sample", "who paid with shells", "anna")
    store.add(Workspace(own_workspace).open("sample").dataset, [(kept.id, "rio-grande", 2)], "anna")
    open_page(page, f"{own_address}/compare?query=q128")
    remove = page.get_by_role("button", name="Remove this question")
    expect(remove).to_have_count(0)  # a query of the files
    open_page(page, f"{own_address}/compare?query={kept.id}")
    facts = page.locator(".document-text-small").first
    expect(facts).to_contain_text("1 relevant document")
    remove.click()
    settle(page)
    expect(page.get_by_text("This question was a query of the data set")).to_be_visible()
    expect(facts).to_contain_text("Your own question; no relevance judgments")
    assert [q.id for q in store.questions("sample")].count(kept.id) == 0
    page.reload()  # the link says the same to everyone
    settle(page)
    page.get_by_role("button", name="Undo", exact=True).click()
    page.wait_for_function("() => /query=asked-/.test(location.search)")
    settle(page)
    expect(facts).to_contain_text(f"Query {kept.id}")
    expect(facts).to_contain_text("1 relevant document")
    expect(remove).to_be_visible()
    assert kept in store.questions("sample")


def test_uploaded_judgments_are_imported(
    page: Page, own_address: str, own_workspace: Path, tmp_path: Path
) -> None:
    file = tmp_path / "mine.qrels"
    file.write_text("q055 0 euro-microstates 3\nq056 0 euro-microstates 7\nno-query 0 x 1\n")
    open_page(page, f"{own_address}/judging")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.get_by_role("textbox", name="File of judgments")).to_have_value(
        re.compile(r"mine.*\.qrels$")
    )
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("2 judgments imported")).to_be_visible()
    expect(page.get_by_text("of a query that the data set does not have")).to_be_visible()
    stored = given(own_workspace)
    assert stored["q055", "euro-microstates"] == 3
    assert stored["q056", "euro-microstates"] == 3  # the highest grade that people can give


@pytest.mark.parametrize("pause_ms", [40, 90])
def test_an_upload_fills_in_its_box_while_the_page_runs_again_and_again(
    page: Page, own_address: str, tmp_path: Path, pause_ms: int
) -> None:
    file = tmp_path / "mine.qrels"
    file.write_text("q055 0 euro-microstates 3\n")
    open_page(page, f"{own_address}/judging")
    page.locator("input[type=file]").set_input_files(file)
    name = page.get_by_role("textbox", name="Your name")
    for i in range(12):  # each name lets the page run, with the values that the browser knows
        name.fill(f"name {i}")
        name.press("Enter")
        page.wait_for_timeout(pause_ms)
    expect(page.get_by_role("textbox", name="File of judgments")).to_have_value(
        re.compile(r"mine.*\.qrels$")
    )
