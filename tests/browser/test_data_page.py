"""The page Data: from files to the first failing query, in a workspace of its own."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FilePayload, Page, expect

from imrnns_core.data.readers.load import load_dataset
from tests.browser.app import WAIT_MS, Clicks, darken, open_page, serving, settle
from tests.dashboard.test_contrast import contrast

pytestmark = pytest.mark.browser
PAGES = """Nr;Name;Inhalt
1;VPN access;Open a ticket under Network and approve the push on your phone.
2;Parental leave;Employees receive sixteen weeks of paid leave after a birth.
3;Expense reports;Upload receipts within 30 days. Meals are capped at 60 EUR a day.
3;Expense reports;Another page with the same number.
4;Laptop repair;Machines with a swollen battery are replaced at the service desk.
"""
QUESTIONS = "question,expected page\nbaby on the way,Parental leave\nlunch money,3\nlost,9\n"
MD = ".md"  # the documents of this project are checked by their names


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


def name_files(
    page: Page, documents: object, queries: object = "", click: Clicks | None = None
) -> None:
    click = click or Clicks()
    for label, text in (
        ("Folder, zip or file of documents", documents),
        ("File of queries (optional)", queries),
    ):
        if text:
            click.fill(page.get_by_role("textbox", name=label), text)
            settle(page)


def test_from_a_table_and_a_sheet_of_questions_to_a_failing_query(
    page: Page, own_address: str, own_workspace: Path, files: Path
) -> None:
    click = Clicks()
    open_page(page, f"{own_address}/data")
    name_files(page, files / "pages.csv", files / "asked.csv", click)
    for role, column in (("title", "Name"), ("text", "Inhalt"), ("document", "expected page")):
        expect(page.get_by_role("combobox", name=role, exact=True)).to_have_value(column)
    click(page.get_by_role("button", name="Import", exact=True))
    click(page.get_by_role("button", name="Show “pages”"))
    settle(page)
    irregular = page.locator(".st-key-irregular")
    expect(irregular).to_be_visible()
    registered = json.loads((own_workspace / "datasets.json").read_text())["pages"]
    assert registered["path"] == str(files / "pages.csv")
    assert registered["queries"] == str(files / "asked.csv")
    click(page.get_by_role("link", name="Failures", exact=True))
    rows = page.locator(".st-key-failures tbody tr")
    rows.first.wait_for(timeout=WAIT_MS)
    assert set(rows.evaluate_all("rows => rows.map(row => row.dataset.id)")) == {"q1", "q2"}
    click(rows.first)
    settle(page)
    assert click.count <= 10
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    relevant = page.get_by_text("relevant (grade 1)").locator("visible=true")
    expect(relevant.first).to_be_visible()


def write_cranfield_like(folder: Path) -> None:
    """Write a collection in BEIR layout with what published collections contain.

    Empty documents, grades from 0 to 4, judgments of missing documents and of missing queries, and
    judgments with four columns in a file of type .tsv. Query 1 fails: its relevant document has
    none of its words.
    """
    texts = [f"Lift and drag of a swept wing at Mach {n / 10:.1f}." for n in range(5, 35)]
    texts += ["", "", "Heat is lost through thin plates of steel."]
    documents = [
        {"_id": str(n), "title": "", "text": text, "author": "", "bib": f"report {n}"}
        for n, text in enumerate(texts, 1)
    ]
    queries = [
        {"_id": "1", "text": "drag of a swept wing"},
        {"_id": "2", "text": "heat lost through plates"},
    ]
    (folder / "qrels").mkdir(parents=True)
    for name, records in (("corpus", documents), ("queries", queries)):
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(lines)
    judged = ["1 0 33 4", "1 0 1 0", "1 0 184 2", "2 0 33 3", "2 0 31 1", "2 0 995 1", "225 0 1 2"]
    (folder / "qrels" / "test.tsv").write_text("\n".join(judged) + "\n")


def test_from_a_published_collection_to_a_failing_query(
    page: Page, own_address: str, tmp_path: Path
) -> None:
    write_cranfield_like(tmp_path / "cran")
    click = Clicks()
    open_page(page, f"{own_address}/data")
    name_files(page, tmp_path / "cran", click=click)
    click(page.get_by_role("button", name="Import", exact=True))
    click(page.get_by_role("button", name="Show “cran”"))
    settle(page)
    read = page.get_by_text("33 documents, 2 queries, judged queries per split: test (2)")
    expect(read).to_be_visible()
    with page.expect_download() as download:
        page.locator(".st-key-csv_irregular button").click()
    with download.value.path().open(newline="") as file:
        irregular = [
            (row["records"], row["what became of them"], row["problem"], row["file"])
            for row in csv.DictReader(file)
        ]
    corpus, judged = "corpus.jsonl", "qrels/test.tsv"
    assert irregular == [
        ("2", "kept", "without title and text", corpus),
        ("2", "kept", "of a document that the corpus does not have", judged),
        ("1", "rejected", "of a query that the data set does not have", judged),
    ]
    click(page.get_by_role("link", name="Failures", exact=True))
    settle(page)
    click(page.get_by_role("combobox", name="Adapter"))
    click(page.get_by_role("option", name="None (base only)"))
    settle(page)
    first = page.locator(".st-key-failures tbody tr").first
    assert first.get_attribute("data-id") == "1"
    expect(first).to_contain_text("ranked too low")
    click(first)
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    relevant = page.locator('section[aria-label="Base"] [data-document="33"]')
    expect(relevant).to_be_visible()
    expect(relevant).to_contain_text("relevant (grade 4)")
    assert click.count <= 10


def test_the_primary_button_can_be_read(page: Page, own_address: str, files: Path) -> None:
    (files / "plain.csv").write_text("title,text\nVPN,Open a ticket for it.\n")
    open_page(page, f"{own_address}/data")
    name_files(page, files / "plain.csv")
    page.get_by_role("button", name="Import", exact=True).click()
    button = page.get_by_role("button", name="Show “plain”")
    button.wait_for(timeout=WAIT_MS)
    settle(page)
    for dark in (False, True):
        if dark:
            darken(page)
        violations = Axe().run(page, options={"runOnly": ["color-contrast"]}).response["violations"]
        assert [node["html"] for v in violations for node in v["nodes"]] == []
        for act in (lambda: page.mouse.move(0, 0), button.hover, button.focus):
            act()
            page.wait_for_timeout(400)  # until its colour has changed
            style = button.locator("p").evaluate(
                "p => [getComputedStyle(p).color,"
                " getComputedStyle(p.closest('button')).backgroundColor]"
            )
            assert contrast(*style) >= 4.5, (dark, style)


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
    expect(page.get_by_text("A deletion can be undone for 30 days")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.get_by_text("What was read: My_manual")).to_be_visible()
    settle(page)
    expect(page.get_by_text("5 documents, 3 queries")).to_be_visible()
    assert (kept.read_text(), vectors.is_dir()) == (PAGES, True)
    assert list((own_workspace / "removed").iterdir()) == []


def test_an_uploaded_folder_is_imported_with_its_paths_as_ids(
    page: Page, own_address: str, own_workspace: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "handbook"
    (folder / "people").mkdir(parents=True)
    (folder / "people" / f"leave{MD}").write_text(
        "# Parental leave\nSixteen weeks after a birth.\n"
    )
    (folder / "vpn.html").write_text("<title>VPN</title><p>Open a ticket under Network.</p>")
    (folder / "notes.txt").write_text("Meals are capped at 60 EUR a day.")
    (folder / "logo.png").write_bytes(b"\x89PNG")
    open_page(page, f"{own_address}/data")
    uploader = page.get_by_test_id("stFileUploader").filter(has_text="Upload a folder")
    uploader.locator("input[type=file]").set_input_files(folder)
    kept = own_workspace / "uploads" / "handbook.zip"
    box = page.get_by_role("textbox", name="Folder, zip or file of documents")
    expect(box).to_have_value(str(kept))
    settle(page)
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_role("button", name="Show “handbook”").click(timeout=WAIT_MS)
    settle(page)
    expect(page.get_by_text("3 documents, 0 queries")).to_be_visible()
    documents = load_dataset(kept).documents
    assert {document.id: document.title for document in documents} == {
        "notes.txt": "notes",
        f"people/leave{MD}": "Parental leave",
        "vpn.html": "VPN",
    }


@pytest.mark.parametrize(
    ("documents", "queries", "message"),
    [
        ("/nowhere/pages.csv", "", "pages.csv: not found; name a folder, a zip or a file"),
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
