"""Error messages when an extra of the installation is missing."""

from __future__ import annotations

import importlib.util
import tomllib
from dataclasses import replace
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from imrnns_core.cli.app import main
from imrnns_core.cli.servers import PACKAGES, SERVE_PACKAGES
from imrnns_core.model.checkpoint import Adapter, save_adapter
from imrnns_core.storage.workspace import Workspace
from tests.conftest import REPOSITORY

MAPS = 'making a map needs packages that are not installed; run: pip install "imrnns-lens[maps]"'


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch):
    """Hide a package, as if it were not installed."""
    find = importlib.util.find_spec

    def hide(hidden: str) -> None:
        def found(name: str, package: str | None = None) -> ModuleSpec | None:
            return None if name == hidden else find(name, package)

        monkeypatch.setattr(importlib.util, "find_spec", found)

    return hide


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of six documents."""
    data = tmp_path / "six"
    data.mkdir()
    texts = ("a red fox", "a blue whale", "an old oak", "a ripe plum", "a new moon", "a low tide")
    lines = (f'{{"_id": "{i}", "title": "", "text": "{text}"}}\n' for i, text in enumerate(texts))
    (data / "corpus.jsonl").write_text("".join(lines), encoding="utf-8")
    (data / "queries.jsonl").write_text('{"_id": "q", "text": "a tree"}\n', encoding="utf-8")
    return data


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["imrnns-lens", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize("package", PACKAGES)
def test_dashboard_names_its_extra(
    package: str, without, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without(package)
    assert run(monkeypatch, "dashboard", "no-such-data") == 2
    assert capsys.readouterr().err == (
        "imrnns-lens: the dashboard needs packages that are not installed; run: pip install "
        '"imrnns-lens[dashboard]"\n'
    )


@pytest.mark.parametrize("package", SERVE_PACKAGES)
def test_serve_names_its_extra(
    package: str, without, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without(package)
    assert run(monkeypatch, "serve", "no-such-data", "--adapter", "none-such") == 2
    assert capsys.readouterr().err == (
        "imrnns-lens: serving needs packages that are not installed; run: pip install "
        '"imrnns-lens[serve]"\n'
    )


def test_a_map_that_was_asked_for_names_its_extra(
    folder: Path, tmp_path: Path, without, monkeypatch, capsys
) -> None:
    without("umap")
    arguments = ("prepare", folder, "--adapter", "sample-adapter", "--workspace", tmp_path / "w")
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err == f"imrnns-lens: {MAPS}\n"


def test_without_the_extra_a_data_set_is_prepared_and_its_map_left_out(
    folder: Path, tmp_path: Path, without, monkeypatch, capsys
) -> None:
    """The map was not requested: it belongs to an adapter that was trained on the data set."""
    space = Workspace(tmp_path / "w")
    trained = space.adapter("sample-adapter")
    card = replace(trained.card, name="own", dataset="six")
    (space.root / "adapters").mkdir(parents=True)
    save_adapter(Adapter(trained.model, card), space.root / "adapters" / "own.safetensors")
    without("umap")
    assert run(monkeypatch, "prepare", folder, "--workspace", space.root) == 0
    printed = capsys.readouterr()
    assert printed.err == f"imrnns-lens: {MAPS}\n"
    assert "\nsix: 6 documents, 1 query," in printed.out
    assert "six" in space.registrations()


def test_extras_are_what_the_servers_import() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extra, packages in (("dashboard", PACKAGES), ("serve", SERVE_PACKAGES)):
        needed = project["optional-dependencies"][extra]
        named = [need.split(">=")[0].replace("-", "_") for need in needed]
        assert tuple(named) == packages
