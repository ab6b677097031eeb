"""The list of runs in a workspace."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imrnns_core.data.readers.load import load_dataset
from imrnns_core.errors import AdapterError, DataError, EncoderError, LensError
from imrnns_core.retrieval.run_ranker import RunRanker
from imrnns_core.storage.judgments import JudgmentStore
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.workspace import Workspace
from tests.toys import write_dataset


@pytest.fixture
def space(tmp_path: Path) -> Workspace:
    """A workspace with the data set toy, which has no vectors."""
    space = Workspace(tmp_path / "space")
    folder = write_dataset(tmp_path / "toy")
    known = space.resolve(str(folder))
    space.register(Registration(known.name, known.path, None, known.encoder, without_vectors=True))
    return space


def write(path: Path, text: str = "q1 Q0 d2 1 2 t\nq1 Q0 d1 2 1 t\n") -> Path:
    path.write_text(text)
    return path


def test_runs_are_added_replaced_and_removed(space: Workspace, tmp_path: Path) -> None:
    dataset = space.open("toy").dataset
    first = write(tmp_path / "bm25.top.run")
    assert space.runs.files("toy") == {}
    assert space.runs.add(first, dataset).name == "bm25.top"
    packed = write(tmp_path / "x.csv", "query,document,score\nq1,d1,1\n")
    assert space.runs.add(packed, dataset, " other ").name == "other"
    assert space.runs.files("toy") == {"bm25.top": first, "other": packed}
    assert space.runs.add(first, dataset, "other").ranked_ids == {"q1": ("d2", "d1")}
    assert space.runs.files("toy") == {"bm25.top": first, "other": first}
    space.runs.remove("toy", "bm25.top")
    assert Workspace(space.root).runs.files("toy") == {"other": first}
    space.runs.remove("toy", "other")
    assert json.loads((space.root / "runs.json").read_text()) == {}
    assert first.is_file()


def test_the_run_ranks_a_data_set_without_vectors(space: Workspace, tmp_path: Path) -> None:
    collection = space.open("toy")
    assert (collection.has_vectors, collection.documents.dimension) == (False, 0)
    assert not (space.root / "vectors").exists()
    path = write(tmp_path / "engine.run")
    space.runs.add(path, collection.dataset)
    ranker = space.ranker(collection, "run:engine")
    assert isinstance(ranker, RunRanker)
    assert ranker.compare("q1").document_ids == ("d2", "d1")
    write(path, "q1 Q0 d1 1 2 t\n")  # a run that is written again is read again
    assert space.ranker(collection, "run:engine").compare("q1").document_ids == ("d1",)
    with pytest.raises(EncoderError, match="toy has no vectors"):
        space.ranker(collection, "none")
    with pytest.raises(EncoderError, match="toy has no vectors"):
        space.ranker(collection, "sample-adapter")


def test_vectors_are_made_once_an_encoder_is_named(space: Workspace) -> None:
    known = space.resolve("toy")
    assert known.without_vectors
    assert space.resolve("toy", encoder=known.encoder).without_vectors is False
    assert known.updated(None, None).without_vectors is True
    encoded = known.updated(None, known.encoder)
    assert space.data_identity(encoded) != space.data_identity(known)  # caches must notice it


def test_questions_are_kept_without_vectors(space: Workspace) -> None:
    dataset = space.open("toy").dataset
    kept = JudgmentStore(space.root).keep("toy", "a question of mine", "me")
    JudgmentStore(space.root).add(dataset, [("q1", "d2", 3)], "me")
    opened = space.open("toy")
    assert opened.dataset.kept == (kept.id,)
    assert opened.dataset.splits["test"]["q1"] == {"d1": 2, "d2": 3}
    assert len(opened.queries) == 2


def test_mistakes_are_named(space: Workspace, tmp_path: Path) -> None:
    dataset = space.open("toy").dataset
    with pytest.raises(LensError, match="toy has no run 'x'; its runs are none; add one with: imr"):
        space.runs.load("x", dataset)
    with pytest.raises(LensError, match="a run cannot have the name 'encoder'"):
        space.runs.add(write(tmp_path / "encoder.run"), dataset)
    irregular = write(tmp_path / "odd.run", "q1 Q0 d1 1 2 t\nq1 Q0 d9 2 1 t\n")
    with pytest.raises(DataError, match=r"odd.run: 1 irregular records .* leave out --strict"):
        space.runs.add(irregular, dataset, strict=True)
    assert space.runs.files("toy") == {}
    path = write(tmp_path / "gone.run")
    space.runs.add(path, dataset)
    path.unlink()
    with pytest.raises(DataError, match=r"gone.run: the file of the run gone is missing"):
        space.runs.load("gone", dataset)
    (space.root / "runs.json").write_text("[1]")
    with pytest.raises(DataError, match=r"runs.json: not a list of runs; delete it"):
        space.runs.files("toy")


def test_runs_belong_to_their_data_set(space: Workspace, tmp_path: Path) -> None:
    space.runs.add(write(tmp_path / "engine.run"), space.open("toy").dataset)
    assert space.runs.files("sample") == {}
    sample = load_dataset(space.resolve("sample").path)
    with pytest.raises((LensError, AdapterError), match="has no run 'engine'"):
        space.runs.load("engine", sample)
