"""A run as the base: from a file on the page Data to a judged document of a failing query."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from imrnns_core.data.readers.load import load_dataset
from imrnns_core.storage.layout import SAMPLE_FOLDER
from tests.browser.app import cards, open_page, serving, settle

pytestmark = pytest.mark.browser
QUERY, RELEVANT, TOP = "q007", "costa-rican-colon", "rio-grande"


def write_run(path: Path) -> None:
    """Write a run in which QUERY fails, 30 queries succeed, and some lines are irregular."""
    judged = load_dataset(SAMPLE_FOLDER).splits["test"]
    others = [q for q in judged if q != QUERY][:30]
    found = [next(d for d, grade in judged[q].items() if grade > 0) for q in others]
    lines = [f"{q} Q0 {d} 1 2.5 lucene" for q, d in zip(others, found, strict=True)]
    filler = [d for d in load_dataset(SAMPLE_FOLDER).document_ids if d not in (RELEVANT, TOP)][:12]
    for n, document in enumerate([TOP, *filler, RELEVANT]):
        lines.append(f"{QUERY} Q0 {document} {n + 1} {20 - n} lucene")
    lines += [f"{QUERY} Q0 nowhere 15 1 lucene", f"{QUERY} Q0 philippine-peso 16 high lucene"]
    path.write_text("\n".join(lines) + "\n")


def test_from_a_run_file_to_a_judged_document(page: Page, tmp_path: Path) -> None:
    write_run(tmp_path / "lucene.run")
    with serving(tmp_path / "space") as address:
        open_page(page, f"{address}/data")
        expect(page.get_by_role("combobox", name="Base")).to_have_count(0)
        upload = page.get_by_test_id("stFileUploader").filter(has_text="Upload a run")
        upload.locator("input[type=file]").set_input_files(tmp_path / "lucene.run")
        kept = tmp_path / "space" / "uploads" / "lucene.run"
        expect(page.get_by_role("textbox", name="File of a run")).to_have_value(str(kept))
        settle(page)
        page.get_by_role("button", name="Add run").click()
        expect(page.get_by_role("combobox", name="Base")).to_have_value("Run: lucene")
        settle(page)
        expect(page.locator(".st-key-irregular_runs")).to_be_visible()
        assert "base=lucene" in page.url

        page.get_by_role("link", name="Overview", exact=True).click()
        settle(page)
        body = page.get_by_role("main")
        expect(body).to_contain_text("30 of 236 queries have a relevant document in the top 10")
        expect(body).to_contain_text("The run “lucene” ranks no document for 205 queries")
        page.get_by_role("link", name="Failures", exact=True).click()
        settle(page)
        page.get_by_role("radio", name="ranked too low (1)").click()
        settle(page)
        row = page.locator(f'.st-key-failures tbody tr[data-id="{QUERY}"]')
        expect(row).to_contain_text("ranked too low")
        expect(row.locator("td").nth(4)).not_to_have_text("")
        row.click()
        settle(page)

        assert {"base=lucene", f"query={QUERY}"} <= set(page.url.partition("?")[2].split("&"))
        base = cards(page, "Base")
        assert base[0] == (TOP, 1, "20.0000")
        assert len(base) == 10
        relevant = page.locator(f'section[aria-label="Base"] [data-document="{RELEVANT}"]')
        expect(relevant).to_contain_text("relevant")
        assert relevant.get_attribute("data-rank") == "14"
        page.get_by_role("radio", name="Encoder (vectors)").click()
        settle(page)
        assert [rank for _, rank, _ in cards(page, "Encoder")] == list(range(1, 11))

        page.locator(f'section[aria-label="Base"] [data-document="{TOP}"]').click()
        settle(page)
        expect(page.get_by_role("button", name="Why this document?")).to_have_count(0)
        page.locator(".st-key-compare_document_judge").get_by_role("radio", name="2").click()
        expect(page.locator(".judged-by")).to_contain_text("Relevant (grade 2): judged by")
        settle(page)
        expect(body).to_contain_text("rank of the best relevant document: base 1")

        page.get_by_role("link", name="Map", exact=True).click()
        settle(page)
        expect(body).to_contain_text("The map needs vectors, and the run “lucene” has none")
        page.get_by_role("link", name="Data", exact=True).click()
        settle(page)
        page.get_by_role("button", name="Remove", exact=True).click()
        settle(page)
        expect(page.get_by_role("combobox", name="Base")).to_have_count(0)
        assert kept.read_bytes() == (tmp_path / "lucene.run").read_bytes()

        # a path does the same
        page.get_by_role("textbox", name="File of a run").fill(str(tmp_path / "lucene.run"))
        page.get_by_role("button", name="Add run").click()
        expect(page.get_by_role("combobox", name="Base")).to_have_value("Run: lucene")
