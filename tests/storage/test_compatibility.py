"""Files of earlier versions still open; those of newer versions are refused.

Commit 63d5ef6 wrote the folder `made_by_63d5ef6`.
"""

from __future__ import annotations

import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dashboard.selection import parse
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import AdapterError, LensError
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.model.adapter_card import CARD_SCHEMA
from imrnns_core.model.checkpoint import load_adapter, save_adapter
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage import version
from imrnns_core.storage.workspace import Workspace
from tests import toys
from tests.conftest import REPOSITORY
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


KEPT = sorted((Path(__file__).parent / "workspaces").glob("*.zip"))
"""A workspace of each released version; `tests.storage.workspaces.build` made them."""


def released() -> list[str]:
    """Return the versions of the changelog that have a date."""
    changelog = (REPOSITORY / "CHANGELOG.md").read_text()
    return re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)


def test_a_workspace_of_each_released_version_is_kept():
    assert released()
    assert {path.stem for path in KEPT} == set(released())


@pytest.fixture(params=KEPT, ids=lambda path: path.stem)
def kept(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a kept workspace; any attempt to encode its documents again fails."""
    with zipfile.ZipFile(request.param) as files:
        files.extractall(tmp_path)
    registry = tmp_path / "workspace" / "datasets.json"
    registry.write_text(registry.read_text().replace("{HOME}", str(tmp_path)))

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the vectors were not taken from the workspace")

    monkeypatch.setattr(SentenceTransformerEncoder, "encode_formatted", refuse)
    return tmp_path


@pytest.mark.parametrize(
    ("data", "adapter", "record", "query"),
    [
        ("toy", "toy", "search.json", "q-chess-1"),
        ("pages", "sample-adapter", "pages.json", "q"),
    ],
)
def test_a_kept_workspace_opens_and_ranks_as_it_did(
    kept: Path, data: str, adapter: str, record: str, query: str
):
    space = Workspace(kept / "workspace")
    comparison = space.ranker(space.open(data), adapter).compare(query)
    ranked = json.loads((kept / record).read_text())["rankings"]
    for stage in ("base", "modulated"):
        if stage not in ranked or (stage == "modulated" and data == "pages"):
            continue  # the sample's adapter was trained again since
        hits = comparison.ranking(stage, len(ranked[stage]))
        assert [hit.document_id for hit in hits] == [hit["document_id"] for hit in ranked[stage]]
        expected = [hit["score"] for hit in ranked[stage]]
        np.testing.assert_allclose([hit.score for hit in hits], expected, atol=1e-6)


def test_a_kept_workspace_evaluates_as_it_did(kept: Path):
    space = Workspace(kept / "workspace")
    measured = evaluate(space.ranker(space.open("toy"), "toy"), "test").to_json()["measures"]
    expected = json.loads((kept / "evaluate.json").read_text())["measures"]
    for stage in ("base", "modulated"):
        assert measured[stage] == pytest.approx(expected[stage], abs=1e-6)


def test_a_kept_workspace_gets_the_schema_with_its_next_change(kept: Path):
    space = Workspace(kept / "workspace")
    before = space.registrations()
    changed = replace(space.resolve("toy"), keep_own=True)
    space.register(changed)
    assert json.loads((space.root / "workspace.json").read_text()) == {"schema": version.SCHEMA}
    assert Workspace(space.root).registrations() == {**before, "toy": changed}


def test_a_workspace_of_a_newer_version_is_refused(tmp_path: Path):
    (tmp_path / "workspace.json").write_text(json.dumps({"schema": version.SCHEMA + 1}))
    with pytest.raises(LensError, match=r"newer version .* update imrnns-lens"):
        Workspace(tmp_path)
    (tmp_path / "workspace.json").write_text("{")  # damaged: it is written again
    space = Workspace(tmp_path)
    space.register(replace(space.resolve("sample"), name="other"))
    assert json.loads((tmp_path / "workspace.json").read_text()) == {"schema": version.SCHEMA}


def test_an_adapter_of_a_newer_version_is_refused(tmp_path: Path):
    made = toys.adapter(toys.random_model(0, 4, 4))
    path = tmp_path / "new.safetensors"
    save_adapter(replace(made, card=replace(made.card, schema=CARD_SCHEMA + 1)), path)
    with pytest.raises(AdapterError, match=r"newer version .* update imrnns-lens"):
        load_adapter(path)
    # also if its tensors have another form
    card = json.dumps({"schema": CARD_SCHEMA + 1})
    save_file({"other": torch.zeros(2)}, path, {"card": card})
    with pytest.raises(AdapterError, match="newer version"):
        load_adapter(path)
