"""What import-linter cannot say: where session state, caches and the address live, and sizes."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
FILES = sorted(DASHBOARD.rglob("*.py"))
STARTED = {"app.py", "script.py"}
"""The server and its sessions run these two: see test_script.py."""


def attributes(path: Path) -> set[str]:
    return {n.attr for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)}


def keywords(path: Path) -> set[str | None]:
    return {n.arg for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.keyword)}


def layer(path: Path) -> str:
    return path.relative_to(DASHBOARD).parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(DASHBOARD).as_posix())
def test_layers(path: Path) -> None:
    used = attributes(path)
    if layer(path) not in ("state.py", "widgets", "shell"):
        assert "session_state" not in used
    if layer(path) != "state.py":
        assert "query_params" not in used
    if layer(path) != "services":
        assert not used & {"cache_resource", "cache_data"}
    assert "unsafe_allow_html" not in path.read_text()
    # Streamlit raises a KeyError if an entry expires while it is looked up
    assert "ttl" not in keywords(path)


@pytest.mark.parametrize(
    "path",
    [p for p in FILES if layer(p) not in STARTED],
    ids=lambda p: p.relative_to(DASHBOARD).as_posix(),
)
def test_every_module_can_be_imported(path: Path) -> None:
    parts = path.relative_to(DASHBOARD.parent).with_suffix("").parts
    module = importlib.import_module(".".join(p for p in parts if p != "__init__"))
    assert module.__name__


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(DASHBOARD).as_posix())
def test_sizes(path: Path) -> None:
    source = path.read_text()
    assert len(source.splitlines()) <= 300
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < 40, node.name
    assert len(list(path.parent.glob("*.py"))) <= 16, "15 modules and __init__"


def test_script_is_short() -> None:
    assert len((DASHBOARD / "script.py").read_text().splitlines()) < 80


def test_colours_are_defined_in_one_place() -> None:
    for path in FILES:
        if path.name != "theme.py":
            found = [n.value for n in ast.walk(ast.parse(path.read_text())) if is_colour(n)]
            assert not found, path
    for path in DASHBOARD.rglob("*.css"):
        assert "#" not in path.read_text().split("/*")[0], path


def is_colour(node: ast.AST) -> bool:
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return False
    text = node.value
    return text.startswith("rgba(") or (text.startswith("#") and len(text) in (4, 7, 9))
