"""Several processes change one workspace: nothing is lost, nothing is computed twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from imrnns_core import io
from imrnns_core.config import EncoderSpec
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.records import Document, Query
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.runs import RunRegistry
from imrnns_core.storage.workspace import Workspace


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    path = tmp_path / "pages.csv"
    rows = "".join(f"p{i},Page {i} is about the number {i}.\n" for i in range(40))
    path.write_text(f"id,text\n{rows}")
    return path


def test_registrations_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    names = [f"data{i}" for i in range(40)]

    def register(name: str) -> None:
        Workspace(tmp_path).register(Registration(name, tmp_path, None, EncoderSpec()))

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(register, names))
    assert set(names) <= set(Workspace(tmp_path).registrations())


def test_runs_that_are_added_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    documents, queries = (Document("d0", "", "text"),), {"q0": Query("q0", "text")}
    dataset = Dataset("toy", tmp_path, documents, queries)
    files = [tmp_path / f"run{i}.trec" for i in range(20)]
    for file in files:
        file.write_text("q0 Q0 d0 1 2.0 x\n")

    def add(file: Path) -> None:
        RunRegistry(tmp_path).add(file, dataset)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, files))
    assert len(RunRegistry(tmp_path).files("toy")) == 20


def test_of_two_that_open_new_data_one_encodes_and_the_other_waits(
    tmp_path: Path, pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = list[int]()
    original = SentenceTransformerEncoder.encode_documents

    def counted(self: SentenceTransformerEncoder, documents: list, **options: object) -> object:
        encoded.append(len(documents))
        return original(self, documents, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(SentenceTransformerEncoder, "encode_documents", counted)
    with ThreadPoolExecutor(2) as threads:
        opened = list(threads.map(lambda _: Workspace(tmp_path / "space").open(pages), range(2)))
    assert encoded == [40]
    assert np.array_equal(opened[0].documents.vectors, opened[1].documents.vectors)


def test_who_waits_long_for_another_process_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(io, "_SILENT_SECONDS", 0.05)
    path = tmp_path / "datasets.json"
    holding, free = threading.Event(), threading.Event()

    def hold() -> None:
        with io.locked(path):
            holding.set()
            free.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(10)
    threading.Timer(0.5, free.set).start()
    with io.locked(path):
        assert free.is_set()
    holder.join()
    assert f"{path}: another process changes this; waiting until it is done" in caplog.text
