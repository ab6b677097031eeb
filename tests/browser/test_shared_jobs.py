"""Two readers wait for one map: each in a browser session of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from imrnns_core.storage.layout import SAMPLE_FOLDER
from imrnns_core.storage.workspace import Workspace
from tests.browser.app import WAIT_MS, open_page, own_context, settle

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def without_map(workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample with one vector turned round, so that no map of it ships."""
    folder = tmp_path_factory.mktemp("data") / "unmapped"
    (folder / "embeddings").mkdir(parents=True)
    for name in (
        "corpus.jsonl",
        "queries.jsonl",
        "embeddings/document_ids.txt",
        "embeddings/query_ids.txt",
        "embeddings/queries.npy",
    ):
        (folder / name).write_bytes((SAMPLE_FOLDER / name).read_bytes())
    vectors = np.load(SAMPLE_FOLDER / "embeddings" / "documents.npy")
    vectors[0] = -vectors[0]
    np.save(folder / "embeddings" / "documents.npy", vectors)
    space = Workspace(workspace)
    space.register(space.resolve(str(folder), folder / "embeddings"))
    return "unmapped"


def processes() -> list[str]:
    """Return the map processes of this machine's /proc that make the map of this test."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().split(b"\0")
        except OSError:
            continue
        if b"prepare" in words and b"unmapped" in words:
            found.append(entry.parent.name)
    return found


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()


def sees(page: Page, key: str) -> None:
    expect(page.locator(f".st-key-{key} button").first).to_be_visible(timeout=WAIT_MS)


def test_two_readers_share_a_map_job_and_its_last_reader_ends_it(
    browser: Browser, address: str, without_map: str
) -> None:
    url = f"{address}/map?data={without_map}&adapter=sample-adapter&view=neighbourhood"
    contexts = [own_context(browser) for _ in range(2)]
    one, other = (context.new_page() for context in contexts)
    for page in (one, other):
        open_page(page, url)
        sees(page, "make_map")
    press(one, "make_map")
    sees(one, "stop_map")
    other.reload()
    settle(other)
    press(other, "join_map")
    sees(other, "stop_map")
    assert len(processes()) == 1
    press(one, "stop_map")
    sees(one, "join_map")
    assert len(processes()) == 1, "the other reader still waits"
    other.reload()  # a new session: the old one does not count any more, and this one owns the job
    sees(other, "stop_map")
    press(other, "stop_map")
    sees(other, "make_map")
    assert processes() == []
    for context in contexts:
        context.close()
