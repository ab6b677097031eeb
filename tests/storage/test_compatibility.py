"""Files of earlier versions still open; commit 63d5ef6 wrote the folder `made_by_63d5ef6`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from dashboard.selection import parse
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace
from tests.toys import stage_scores

MADE = Path(__file__).parent / "made_by_63d5ef6"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A copy of the old workspace; any attempt to encode a text fails."""
    folder = Path(shutil.copytree(MADE, tmp_path / "old"))
    registry = folder / "workspace" / "datasets.json"
    registry.write_text(registry.read_text().replace("{TOY}", str(folder / "toy")))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the vectors were not taken from the workspace")

    monkeypatch.setattr(SentenceTransformerEncoder, "encode_formatted", refuse)
    return Workspace(folder / "workspace")


def test_an_old_workspace_and_its_adapter_rank_as_they_did(old: Workspace):
    collection, adapter = old.open("toy"), old.adapter("old")
    assert adapter.card.texts is None  # it lists ids, which may be those of other texts
    assert adapter.card.outcome is not None
    assert adapter.card.outcome.notes == ["made at 63d5ef6"]
    assert (adapter.card.outcome.shipped, adapter.card.outcome.best_epoch) == ("trained", 2)
    comparison = Ranker(collection, adapter).compare("q0")
    expected = json.loads((MADE / "expected.json").read_text())
    assert list(comparison.document_ids) == expected["ids"]
    np.testing.assert_allclose(stage_scores(comparison), expected["scores"], atol=1e-6)


def test_an_old_adapter_is_imported_into_one_file(old: Workspace):
    target = old.import_adapter(old.root / "adapters" / "old.safetensors")
    (old.root / "adapters" / "old.json").unlink()
    assert target.stem == "old"
    assert old.adapter("old").card.outcome.notes == ["made at 63d5ef6"]


def test_an_old_link_opens_the_same_selection():
    link = {
        "data": "sample",
        "adapter": "sample-adapter",
        "query": "q128",
        "document": "rio-grande",
        "dropped": "only:treaty-of-zaragoza,a%2Cb",
        "edited_query": "Which river?",
        "view": "neighbourhood",
        "axes": "3-D",
        "alpha": "0.35",
        "top_k": "5",
        "shift": "whole",
        "part": "score accounting",
    }
    selection = parse(link)
    assert {name: str(getattr(selection, name)) for name in link} == link
