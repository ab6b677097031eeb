"""Dependencies run downward: the engine knows no dashboard, and each module only those above it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "imrnns_core"
ORDER = [
    "errors", "config", "files", "records", "embeddings", "dataset", "encoder", "index", "adapter", "checkpoint", "workspace",
    "scoring", "ranking", "measures", "shares", "evaluation", "overlap", "runs", "against", "diagnosis",
    "splits", "examples", "validation", "learning", "journal", "starts", "memory", "pretraining", "training", "explain", "clusters", "mapping", "judgments", "tables", "terminal", "cli",
]  # fmt: skip
"""Each may import those before it. A module that is not named here stands between training and mapping."""
EXPLAIN_REACHES = "evaluation"
"""explain.* may import this and what is before it, and each other."""
FORBIDDEN = {"streamlit", "plotly", "dashboard"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def imported(path: Path, package: Path = PACKAGE) -> set[str]:
    """Return the modules that a file imports anywhere, inside functions too, but not for type checking alone."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                visit(other)
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # relative: resolve it
                folder = path.parent
                for _ in range(node.level - 1):
                    folder = folder.parent
                prefix = ".".join((package.name, *folder.relative_to(package).parts))
                base = f"{prefix}.{base}" if base else prefix
            # `from imrnns_core import cli` imports a module by its name
            found.update({f"{base}.{alias.name}" for alias in node.names} if base == package.name else {base})
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return found


def layer(module: str) -> float:
    """Place `imrnns_core.X…` in the order; what is not named stands after training."""
    top = module.split(".")[1]
    return ORDER.index(top) if top in ORDER else ORDER.index("training") + 0.5


def name(path: Path) -> str:
    return ".".join((PACKAGE.name, *path.relative_to(PACKAGE).with_suffix("").parts))


def breaches(path: Path) -> list[str]:
    """Return the imports of a module of the engine that the order does not allow."""
    module = name(path)
    engine = {i for i in imported(path) if i.startswith(f"{PACKAGE.name}.")} - {f"{PACKAGE.name}.__version__"}
    explain = module.split(".")[1] == "explain"
    limit = ORDER.index(EXPLAIN_REACHES) if explain else layer(module) - 0.5

    def allowed(other: str) -> bool:
        if explain and other.split(".")[1] == "explain":
            return True
        unnamed = other.split(".")[1] not in ORDER and module.split(".")[1] not in ORDER
        return layer(other) <= limit or unnamed

    return sorted(i for i in engine if not allowed(i))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_the_engine_imports_no_dashboard(path: Path):
    assert not {i.split(".")[0] for i in imported(path)} & FORBIDDEN


@pytest.mark.parametrize("path", [p for p in MODULES if p.name != "__init__.py"], ids=name)
def test_each_module_imports_only_those_above_it(path: Path):
    assert breaches(path) == [], f"{name(path)} stands above what it imports; the order is {', '.join(ORDER)}"


def test_the_order_names_modules_that_exist():
    there = {p.relative_to(PACKAGE).parts[0].removesuffix(".py") for p in MODULES}
    assert {"errors", "records", "scoring", "ranking", "evaluation", "training", "explain", "mapping", "cli"} <= there


def test_the_reader_of_imports_sees_every_kind(tmp_path: Path):
    package = tmp_path / "imrnns_core"
    (package / "explain").mkdir(parents=True)
    path = package / "explain" / "x.py"
    path.write_text(
        "from typing import TYPE_CHECKING\nimport plotly.express as px\nfrom imrnns_core import cli\nfrom .. import runs\n"
        "from ..ranking import rank\nfrom . import words\nif TYPE_CHECKING:\n    import streamlit\n"
        "def f():\n    from dashboard.state import a\n"
    )
    assert imported(path, package) == {
        "typing",
        "plotly.express",
        "imrnns_core.cli",
        "imrnns_core.runs",
        "imrnns_core.ranking",
        "imrnns_core.explain",
        "dashboard.state",
    }
