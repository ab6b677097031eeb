"""A document that was added to a collection is added to the sentence memory of every view."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.services import caching, catalog, explanations, modulations
from dashboard.services.adapters import files
from dashboard.services.explanations import PairKey
from imrnns_core.config import EncoderSpec
from imrnns_core.model.checkpoint import load_adapter, save_adapter, tensors_digest
from imrnns_core.storage.registry import Registration
from tests import toys
from tests.grown_sample import NEW, write_grown_sample


@pytest.mark.parametrize("of_another_encoder", [False, True])
def test_every_view_uses_the_extended_memory(
    fresh: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, of_another_encoder: bool
) -> None:
    folder = write_grown_sample(tmp_path, of_another_encoder)
    caching.workspace().register(
        Registration("grown", folder, folder / "embeddings", EncoderSpec())
    )
    stored = catalog.load_adapter("sample-adapter").card.outcome.initialization["sentences"]
    card = catalog.ranker("grown", "sample-adapter").adapter.card
    warnings = catalog.adapter_warnings("grown", "sample-adapter")
    if of_another_encoder:
        assert card.outcome.initialization["sentences"] == stored
        (warning,) = warnings
        assert f"lacks 1 of 694 documents, the first one is '{NEW.id}'" in warning
        return
    assert (card.outcome.initialization["sentences"], warnings) == (stored + 2, [])
    model = catalog.ranker("grown", "sample-adapter").adapter.model
    key = PairKey("grown", "sample-adapter", "q001", "", frozenset(), "mexican-peso")
    assert explanations.pair(key).model is model
    exported = tmp_path / "exported.safetensors"
    exported.write_bytes(files.exported("grown", "sample-adapter", ".safetensors"))
    assert tensors_digest(load_adapter(exported).model.state_dict()) == tensors_digest(
        model.state_dict()
    )
    # the same model refines the query with and without each candidate
    used = list[object]()
    monkeypatch.setattr(modulations, "feedback_influence", lambda _, model: used.append(model))
    modulations._influence("grown", "sample-adapter", "q001", "", frozenset())
    assert used == [model]


def test_adapters_are_named_by_how_they_were_made(fresh: None) -> None:
    kinds = {name: catalog.adapter_kind(name) for name in ("sample-adapter", "sample-paper")}
    assert kinds == {"sample-adapter": "sentence memory", "sample-paper": "trained on judgments"}
    adapter = toys.adapter(toys.random_model(0, 384, 384), [], "foreign")
    save_adapter(adapter, caching.workspace().root / "adapters" / "foreign.safetensors")
    assert catalog.adapter_kind("foreign") == "unknown"
