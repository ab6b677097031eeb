"""Who may import whom, and where session state and caches live."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

DASHBOARD = Path(__file__).resolve().parents[2] / "dashboard"
FILES = sorted(DASHBOARD.rglob("*.py"))


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {a.name for a in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{a.name}" for a in node.names)}
    return found


def attributes(path: Path) -> set[str]:
    return {n.attr for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Attribute)}


def layer(path: Path) -> str:
    return path.relative_to(DASHBOARD).parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(DASHBOARD).as_posix())
def test_layers(path: Path) -> None:
    found, used = imports(path), attributes(path)
    if layer(path) == "figures":
        assert not any(name.split(".")[0] == "streamlit" for name in found)
        assert not any(
            name.startswith(
                (
                    "dashboard.views",
                    "dashboard.components",
                    "dashboard.state",
                    "dashboard.resources",
                )
            )
            for name in found
        )
    if layer(path) == "components":
        assert not any(name.startswith("dashboard.views") for name in found)
    if layer(path) not in ("state.py", "components"):
        assert "session_state" not in used
    if layer(path) != "state.py":
        assert "query_params" not in used
    if layer(path) != "resources.py":
        assert not used & {"cache_resource", "cache_data"}
    assert "unsafe_allow_html" not in path.read_text()


def test_script_is_short() -> None:
    assert len((DASHBOARD / "script.py").read_text().splitlines()) < 80
