"""The page Data: from files to the first failing query, in a workspace of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser.app import WAIT_MS, open_page, serving, settle

pytestmark = pytest.mark.browser
PAGES = """Nr;Name;Inhalt
1;VPN access;Open a ticket under Network and approve the push on your phone.
2;Parental leave;Employees receive sixteen weeks of paid leave after a birth.
3;Expense reports;Upload receipts within 30 days. Meals are capped at 60 EUR a day.
3;Expense reports;Another page with the same number.
4;Laptop repair;Machines with a swollen battery are replaced at the service desk.
"""
QUESTIONS = "question,expected page\nbaby on the way,Parental leave\nlunch money,3\nlost,9\n"


@pytest.fixture(scope="module")
def own_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data-workspace")


@pytest.fixture(scope="module")
def own_address(own_workspace: Path) -> Iterator[str]:
    with serving(own_workspace) as url:
        yield url


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "pages.csv").write_text(PAGES)
    (tmp_path / "asked.csv").write_text(QUESTIONS)
    return tmp_path


def name_files(page: Page, documents: object, queries: object = "") -> None:
    for label, text in (
        ("Folder, zip or file of documents", documents),
        ("File of queries (optional)", queries),
    ):
        box = page.get_by_role("textbox", name=label)
        box.fill(str(text))
        box.press("Enter")
        settle(page)


def test_from_a_table_and_a_sheet_of_questions_to_a_failing_query(
    page: Page, own_address: str, own_workspace: Path, files: Path
) -> None:
    open_page(page, f"{own_address}/data")
    name_files(page, files / "pages.csv", files / "asked.csv")
    for role, column in (("title", "Name"), ("text", "Inhalt"), ("document", "expected page")):
        expect(page.get_by_role("combobox", name=role)).to_have_value(column)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Show “pages”").click(timeout=WAIT_MS)
    settle(page)
    irregular = page.locator(".st-key-irregular")
    expect(irregular).to_be_visible()
    registered = json.loads((own_workspace / "datasets.json").read_text())["pages"]
    assert registered["path"] == str(files / "pages.csv")
    assert registered["queries"] == str(files / "asked.csv")
    page.get_by_role("link", name="Failures", exact=True).click()
    rows = page.locator(".st-key-failures tbody tr")
    rows.first.wait_for(timeout=WAIT_MS)
    assert set(rows.evaluate_all("rows => rows.map(row => row.dataset.id)")) == {"q1", "q2"}
    rows.first.click()
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    relevant = page.get_by_text("relevant (grade 1)").locator("visible=true")
    expect(relevant.first).to_be_visible()


def test_a_column_can_be_chosen(page: Page, own_address: str, own_workspace: Path, files: Path):
    (files / "odd.csv").write_text("a,b\nVPN,Open a ticket for it.\nLeave,Weeks of paid leave.\n")
    open_page(page, f"{own_address}/data")
    name_files(page, files / "odd.csv")
    page.get_by_role("combobox", name="title").click()
    page.get_by_role("option", name="a", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Show “odd”").click(timeout=WAIT_MS)
    settle(page)
    registered = json.loads((own_workspace / "datasets.json").read_text())["odd"]
    assert registered["columns"] == {"title": "a"}
    # there is no query: the page shows the data set all the same
    expect(page.get_by_text("2 documents, 0 queries")).to_be_visible()


def upload(page: Page, label: str, name: str, text: str) -> None:
    """Upload a file that is on no disk; its path fills in the box."""
    file = FilePayload(name=name, mimeType="text/csv", buffer=text.encode())
    uploader = page.get_by_test_id("stFileUploader").filter(has_text=label)
    uploader.locator("input[type=file]").set_input_files(file)


def test_an_uploaded_data_set_is_imported_deleted_and_brought_back(
    page: Page, own_address: str, own_workspace: Path
) -> None:
    open_page(page, f"{own_address}/data")
    expect(page.get_by_text("200MB per file").first).to_be_visible()
    kept, asked = (own_workspace / "uploads" / name for name in ("My_manual.csv", "asked.csv"))
    box = page.get_by_role("textbox", name="Folder, zip or file of documents")
    upload(page, "Upload documents", "../My manual.csv", PAGES)
    expect(box).to_have_value(str(kept))
    settle(page)
    upload(page, "Upload queries", "asked.csv", QUESTIONS)
    expect(page.get_by_role("textbox", name="File of queries")).to_have_value(str(asked))
    settle(page)
    assert kept.read_text() == PAGES
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Show “My_manual”").click(timeout=WAIT_MS)
    settle(page)
    expect(page.get_by_text("5 documents, 3 queries")).to_be_visible()
    vectors = own_workspace / "vectors" / "My_manual"
    assert vectors.is_dir()
    page.get_by_role("combobox", name="Delete a data set").click()
    page.get_by_role("option", name="My_manual", exact=True).click()
    settle(page)
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.get_by_text("What was read: sample")).to_be_visible()
    assert (kept.exists(), vectors.exists()) == (False, False)
    expect(box).to_have_value("")  # the file is no longer there
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("What was read: My_manual")).to_be_visible()
    settle(page)
    expect(page.get_by_text("5 documents, 3 queries")).to_be_visible()
    assert (kept.read_text(), vectors.is_dir()) == (PAGES, True)
    assert list((own_workspace / "removed").iterdir()) == []


@pytest.mark.parametrize(
    ("documents", "queries", "message"),
    [
        ("/nowhere/pages.csv", "", "/nowhere/pages.csv: not found; name a folder, a zip or a file"),
        ("{files}/pages.csv", "/nowhere.csv", "/nowhere.csv: not found; name a file of queries"),
        ("{files}/broken.json", "", "broken.json:1: broken JSON"),
    ],
)
def test_what_cannot_be_read_says_why(
    page: Page, own_address: str, files: Path, documents: str, queries: str, message: str
) -> None:
    (files / "broken.json").write_text('[{"id": 1},')
    open_page(page, f"{own_address}/data")
    name_files(page, documents.format(files=files), queries)
    expect(page.get_by_role("alert")).to_contain_text(message)
