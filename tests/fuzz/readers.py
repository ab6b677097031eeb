"""Every reader: how its inputs are drawn, and how it reads them from a folder."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from imrnns_core.cli.adapters import recipe_table
from imrnns_core.cli.gate import read_baseline
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embedding_files import read_embeddings
from imrnns_core.data.readers.load import DataSource, load_dataset, load_qrels, preview
from imrnns_core.data.readers.runs import load_run
from imrnns_core.data.records import Document, Query
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.evaluation.gate import lost_queries, new_failures
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.reporting.terminal import left_out_line
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.retrieval.stores.address import StoreAddress
from imrnns_core.retrieval.stores.faiss_index import FaissStore
from imrnns_core.storage.data_sets.uploads import save_upload, save_uploaded_folder
from imrnns_core.storage.registry import read_registry
from tests.fuzz import inputs
from tests.fuzz.inputs import Files

DATASET = Dataset(
    "toy",
    Path("toy"),
    tuple(Document(i, "", f"text {i}") for i in ("d1", "d2", "3")),
    {i: Query(i, f"question {i}") for i in ("q1", "2")},
    {"test": {"q1": {"d1": 1}, "2": {"3": 1}}},
)


@dataclass(frozen=True)
class Reader:
    """A reader, its inputs, and the files of each input in a folder."""

    files: Callable[[], st.SearchStrategy[Files]]
    read: Callable[[Path], Any]


def _data_set(folder: Path) -> None:
    own = folder / "data.zip"
    source = DataSource(own if own.exists() else folder)
    preview(source)
    load_dataset(source)


def _only(folder: Path) -> Path:
    return next(path for path in sorted(folder.iterdir()) if path.is_file())


def _vectors(folder: Path) -> None:
    single = [path for path in folder.iterdir() if path.suffix in (".npz", ".parquet")]
    read_embeddings(single[0] if single else folder)


def _faiss(folder: Path) -> None:
    store = FaissStore(StoreAddress("faiss", str(folder / "a.faiss"), str(folder / "table.jsonl")))
    store.vectors(store.ids)


def _adapter(folder: Path) -> None:
    path = next(p for p in sorted(folder.iterdir()) if p.suffix in (".safetensors", ".pt"))
    outcome = load_adapter(path).card.outcome
    if outcome and outcome.left_out:
        left_out_line(outcome.left_out)
    if outcome and outcome.selection:
        recipe_table(outcome.selection)


def _upload(folder: Path) -> None:
    root, paths = folder / "workspace", [p for p in sorted(folder.rglob("*")) if p.is_file()]
    load_dataset(save_upload(root, paths[0].name, io.BytesIO(paths[0].read_bytes())))
    named = [(f"up/{p.relative_to(folder)}", io.BytesIO(p.read_bytes())) for p in paths]
    load_dataset(save_uploaded_folder(root, named))


@cache
def _evaluation() -> Evaluation:
    return evaluate(Ranker(inputs.toy_collection(DATASET), None), "test")


def _baseline(folder: Path) -> None:
    earlier = read_baseline(_only(folder))
    new_failures(_evaluation(), earlier, {"d1": 0, "d2": 1, "3": 2})
    lost_queries(_evaluation(), earlier)


READERS = {
    "tables": Reader(inputs.tables, _data_set),
    "sheets": Reader(inputs.sheets, _data_set),
    "pages": Reader(inputs.pages, _data_set),
    "zips": Reader(inputs.archives, _data_set),
    "judgments": Reader(inputs.judgments, lambda folder: load_qrels(_only(folder), DATASET)),
    "runs": Reader(inputs.runs, lambda folder: load_run(_only(folder), "run", DATASET)),
    "vectors": Reader(inputs.vectors, _vectors),
    "indexes": Reader(inputs.indexes, _faiss),
    "adapters": Reader(inputs.adapters, _adapter),
    "uploads": Reader(lambda: inputs.tables() | inputs.archives(), _upload),
    "registries": Reader(
        inputs.records_of(inputs.REGISTRY, "data.json"), lambda folder: read_registry(_only(folder))
    ),
    "baselines": Reader(inputs.records_of(inputs.BASELINE, "baseline.json"), _baseline),
}
