"""Adapters are moved aside, and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from imrnns_core.errors import AdapterError
from imrnns_core.model.checkpoint import save_adapter
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.storage.removed import remove_adapter, removed_adapters, restore_adapter
from imrnns_core.storage.workspace import Workspace
from tests.toys import adapter, random_model


def test_a_deleted_adapter_can_be_brought_back_with_its_card(tmp_path: Path) -> None:
    space = Workspace(tmp_path)
    path = tmp_path / "adapters" / "toy.safetensors"
    save_adapter(adapter(random_model(0, 4, 4)), path)
    path.with_suffix(".json").write_text("{}")
    before = path.read_bytes()
    remove_adapter(tmp_path, "toy")
    assert "toy" not in space.adapter_paths()
    assert list((tmp_path / "adapters").iterdir()) == []
    assert list(removed_adapters(tmp_path)) == ["toy"]
    restore_adapter(tmp_path, "toy")
    assert path.read_bytes() == before
    assert path.with_suffix(".json").read_text() == "{}"
    assert removed_adapters(tmp_path) == {}
    assert list((tmp_path / "removed").iterdir()) == []


def test_of_two_deleted_adapters_with_one_name_the_last_comes_back_first(tmp_path: Path) -> None:
    path = tmp_path / "adapters" / "toy.safetensors"
    contents = []
    for seed in (0, 1):
        save_adapter(adapter(random_model(seed, 4, 4)), path)
        contents.append(path.read_bytes())
        remove_adapter(tmp_path, "toy")
    restore_adapter(tmp_path, "toy")
    assert path.read_bytes() == contents[1]
    with pytest.raises(AdapterError, match="another adapter has this name by now"):
        restore_adapter(tmp_path, "toy")
    path.unlink()
    restore_adapter(tmp_path, "toy")
    assert path.read_bytes() == contents[0]


def test_a_shipped_adapter_stays(tmp_path: Path) -> None:
    with pytest.raises(AdapterError, match="sample-adapter: this adapter is not in the workspace"):
        remove_adapter(tmp_path, "sample-adapter")
    assert (ASSETS_FOLDER / "sample-adapter.safetensors").is_file()
    with pytest.raises(AdapterError, match="no deleted adapter has this name"):
        restore_adapter(tmp_path, "sample-adapter")
