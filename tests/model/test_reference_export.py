"""Checkpoints for the reference package; `tests/integration` loads them with the package itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from imrnns_core.config import AdapterConfig
from imrnns_core.errors import AdapterError
from imrnns_core.model.checkpoint import export_adapter, load_adapter
from imrnns_core.model.imrnn import untrained_model
from imrnns_core.model.reference_package import reference_obstacle
from tests.toys import adapter, random_model


def test_a_checkpoint_keeps_every_value_and_names_its_encoder(tmp_path: Path) -> None:
    own = adapter(untrained_model(AdapterConfig(6, 6), 3), name="mine")
    own = replace(own, card=replace(own.card, encoder="all-MiniLM-L6-v2", dataset="wiki"))
    export_adapter(own, tmp_path / "new" / "mine.pt")
    again = load_adapter(tmp_path / "new" / "mine.pt")
    first, second = own.model.state_dict(), again.model.state_dict()
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert (again.card.encoder, again.card.dataset) == ("all-MiniLM-L6-v2", "wiki")
    assert again.card.source == "reference package (format imrnns-final-v1)"


def test_a_file_of_the_package_is_written_as_it_was_read(test_data: Path, tmp_path: Path) -> None:
    path = test_data / "peer" / "imrnns-minilm-scifact.pt"
    export_adapter(load_adapter(path), tmp_path / "again.pt")
    theirs, ours = (torch.load(p, weights_only=True) for p in (path, tmp_path / "again.pt"))
    assert theirs["model_state"].keys() == ours["model_state"].keys()
    for name, tensor in theirs["model_state"].items():
        assert torch.equal(tensor, ours["model_state"][name])
    assert theirs["metadata"]["model_config"] == ours["metadata"]["model_config"]


def test_an_export_as_safetensors_keeps_the_card(tmp_path: Path) -> None:
    own = adapter(random_model(1, 4, 3), ["d0"])
    export_adapter(own, tmp_path / "own.safetensors")
    assert load_adapter(tmp_path / "own.safetensors").card == own.card
    with pytest.raises(AdapterError, match=r"name the file own\.safetensors"):
        export_adapter(own, tmp_path / "own.bin")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (AdapterConfig(6, 4), "its projector turns 6 into 4 dimensions"),
        (AdapterConfig(6, 6, (7, 5)), "its hidden layers have 7 and 5 units, not 128 and 64"),
        (
            AdapterConfig(6, 6, query_hidden_dims=(2820, 6)),
            "its hidden layers have 2,820 and 6 units, not 128 and 64",
        ),
        (AdapterConfig(6, 6, query_hidden_dims=(128, 64)), ""),
    ],
)
def test_what_the_package_has_no_form_for(
    config: AdapterConfig, reason: str, tmp_path: Path
) -> None:
    assert reference_obstacle(config) == reason
    if reason:
        with pytest.raises(AdapterError, match=r"export it as \.safetensors"):
            export_adapter(adapter(untrained_model(config, 0)), tmp_path / "mine.pt")
        assert list(tmp_path.iterdir()) == []
