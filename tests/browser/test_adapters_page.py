"""The page Adapters in a browser: train, stop, reload, continue, import, export, compare."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Page, expect

from imrnns_core.model.checkpoint import load_adapter, tensors_digest
from imrnns_core.storage.workspace import Workspace
from imrnns_core.training.progress_log import read_epochs, training_folder
from tests.browser.app import ROOT, WAIT_MS, open_page, serving, settle
from tests.noisy_data import write_noisy_data

pytestmark = pytest.mark.browser
TRAINING_MS = 240_000
"""A training takes about 20 seconds; the machine may be busy."""
LOSSES = """plot => plot._fullData.filter(trace => trace.name === 'training' && trace.yaxis === 'y')
  .map(trace => trace.y.length)[0] || 0"""


@pytest.fixture(scope="module")
def own_workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a data set whose training takes seconds."""
    folder = write_noisy_data(tmp_path_factory.mktemp("data") / "noisy", 384, queries=600)
    space = Workspace(tmp_path_factory.mktemp("adapters-workspace"))
    space.register(space.resolve(str(folder), folder))
    return space.root


@pytest.fixture(scope="module")
def own_address(own_workspace: Path) -> Iterator[str]:
    with serving(own_workspace) as url:
        yield url


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button").first.click()


def losses(page: Page, at_least: int) -> int:
    """Wait until the curve of the loss has at least this many marks; return how many it has."""
    plot = page.locator(".st-key-training_curves .js-plotly-plot")
    plot.wait_for(timeout=TRAINING_MS)
    page.wait_for_function(
        f"count => {{ const plot = document.querySelector('.st-key-training_curves "
        f".js-plotly-plot'); return plot && ({LOSSES})(plot) >= count; }}",
        arg=at_least,
        timeout=TRAINING_MS,
    )
    return int(plot.evaluate(LOSSES))


def test_a_training_survives_a_reload_and_a_stop_and_opens_in_overview(
    page: Page, own_address: str, own_workspace: Path
) -> None:
    open_page(page, f"{own_address}/adapters?data=noisy&recipe=reference")
    name = page.get_by_role("textbox", name="Name")
    name.fill("mine")
    name.press("Enter")
    settle(page)
    press(page, "train")
    losses(page, 2)
    expect(page.get_by_text("recipe reference: epoch").first).to_be_visible()
    page.reload()
    losses(page, 3)
    press(page, "train_stop")
    expect(page.get_by_text("“mine” is not finished")).to_be_visible(timeout=WAIT_MS)
    assert not (own_workspace / "adapters" / "mine.safetensors").exists()
    page.reload()
    settle(page)
    press(page, "continue_mine")
    losses(page, 4)
    page.locator(".st-key-train_open button").wait_for(timeout=TRAINING_MS)
    press(page, "train_open")
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Overview")
    assert "adapter=mine" in page.url
    expect(page.get_by_role("combobox", name="Adapter", exact=True)).to_have_value("mine")
    assert load_adapter(own_workspace / "adapters" / "mine.safetensors").card.dataset == "noisy"


def test_a_training_that_the_end_of_the_server_interrupts_is_offered_again(
    page: Page, tmp_path: Path
) -> None:
    folder = write_noisy_data(tmp_path / "noisy", 384, queries=600)
    space = Workspace(tmp_path / "workspace")
    space.register(space.resolve(str(folder), folder))
    with serving(space.root) as first:
        open_page(page, f"{first}/adapters?data=noisy&recipe=reference")
        press(page, "train")
        done = losses(page, 1)
    with serving(space.root) as second:
        open_page(page, f"{second}/adapters?data=noisy&recipe=reference")
        expect(page.get_by_text("“noisy-reference” is not finished")).to_be_visible()
        press(page, "continue_noisy-reference")
        losses(page, done + 1)
        press(page, "train_stop")
        press(page, "discard_noisy-reference")
        expect(page.get_by_text("“noisy-reference” is not finished")).not_to_be_visible()
        page.goto("about:blank")
    assert not any((space.root / "adapters").iterdir())


def test_a_training_in_a_terminal_is_shown_as_running(page: Page, tmp_path: Path) -> None:
    folder = write_noisy_data(tmp_path / "noisy", 384, queries=600)
    space = Workspace(tmp_path / "workspace")
    space.register(space.resolve(str(folder), folder))
    target = space.root / "adapters" / "mine.safetensors"
    arguments = ["train", "noisy", "--recipe", "reference", "--out", target]
    command = [sys.executable, "-m", "imrnns_core.cli", *arguments, "--workspace", space.root]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": ROOT}
    with serving(space.root) as address:
        open_page(page, f"{address}/overview?data=noisy")
        training = subprocess.Popen([str(part) for part in command], **quiet)
        try:
            while len(read_epochs(training_folder(target))) < 2:
                assert training.poll() is None
                time.sleep(0.01)
            # it stands still, so that the page cannot be too late
            training.send_signal(signal.SIGSTOP)
            page.get_by_role("link", name="Adapters", exact=True).click()
            running = page.get_by_text("“mine” is being trained by another process")
            expect(running).to_be_visible()
            stopped = page.get_by_text("“mine” is not finished")
            expect(stopped).to_have_count(0)
            expect(page.locator(".st-key-continue_mine")).to_have_count(0)
            name = page.get_by_role("textbox", name="Name")
            name.fill("mine")
            name.press("Enter")
            expect(page.get_by_text("runs in another process. Choose")).to_be_visible()
        finally:
            training.kill()
            training.wait()
        # the page notices by itself
        expect(stopped).to_be_visible()
        expect(running).to_have_count(0)
        expect(page.locator(".st-key-continue_mine")).to_be_visible()


def test_a_reference_checkpoint_is_imported_exported_and_loads_again(
    page: Page, own_address: str, test_data: Path, tmp_path: Path
) -> None:
    source = test_data / "peer" / "imrnns-minilm-scifact.pt"
    open_page(page, f"{own_address}/adapters?adapter=sample-paper")
    box = page.get_by_role("textbox", name="Adapter file")
    box.fill(str(source))
    box.press("Enter")
    settle(page)
    press(page, "adapter_import")
    expect(page.get_by_text("“imrnns-minilm-scifact” is imported")).to_be_visible()
    settle(page)
    page.locator(".st-key-adapter_list tbody tr[data-id='imrnns-minilm-scifact']").click()
    settle(page)
    assert "adapter=imrnns-minilm-scifact" in page.url
    card = page.locator(".st-key-adapter_card")
    expect(card).to_contain_text("reference package (format imrnns-final-v1)")
    for key in ("export_pt", "export_safetensors"):
        with page.expect_download() as download:
            press(page, key)
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        loaded, original = (load_adapter(path).model.state_dict() for path in (file, source))
        assert tensors_digest(loaded) == tensors_digest(original)
    theirs, ours = (
        torch.load(path, weights_only=True) for path in (source, tmp_path / f"{source.stem}.pt")
    )
    assert theirs["model_state"].keys() == ours["model_state"].keys()
    press(page, "adapter_delete")
    settle(page)
    page.get_by_text("Deleted adapters (1)").click()
    press(page, "undo_imrnns-minilm-scifact")
    settle(page)
    expect(page.get_by_role("combobox", name="Adapter", exact=True)).to_have_value(
        "imrnns-minilm-scifact"
    )


def test_two_adapters_side_by_side_open_a_query_that_differs(page: Page, own_address: str) -> None:
    open_page(page, f"{own_address}/adapters?adapter=sample-paper&other=sample-adapter&split=test")
    expect(page.get_by_text("sample-paper is worse than sample-adapter")).to_be_visible()
    rows = page.locator(".st-key-different_queries tbody tr")
    rows.first.wait_for(timeout=WAIT_MS)
    first = rows.first.get_attribute("data-id")
    page.get_by_role("combobox", name="Second adapter").click()
    page.get_by_role("option", name="base ranking").click()
    settle(page)
    assert "other=base" in page.url
    open_page(page, f"{own_address}/adapters?adapter=sample-paper&other=sample-adapter&split=test")
    rows.first.click()
    settle(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Compare")
    assert f"query={first}" in page.url
    assert "adapter=sample-paper" in page.url


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(new_page: object, own_address: str, scheme: str) -> None:
    page = new_page(width=390, height=900, scheme=scheme)  # type: ignore[operator]
    open_page(page, f"{own_address}/adapters?adapter=sample-paper")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
