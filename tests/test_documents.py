"""Documents, headings and files that code and documents name must exist."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

HISTORY = {"CHANGELOG.md"}  # it may name files that no longer exist
NAMED = re.compile(r"(?<![\w/.-])(?:[\w.-]+/)*[\w.-]+\.md\b")
HEADING = re.compile(r'(docs/[\w-]+\.md)`?\)?,\s+["“]([^"”]+)["”]')
NEIGHBOUR = re.compile(r"\]\(([\w-]+\.md)\),\s+“([^”]+)”")  # among the documents themselves
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)#?([^)\s]*)\)")
CODE = re.compile(r"`((?:imrnns_core|dashboard|tests|benchmarks|docs|sample_data)/[\w./-]*)`")


def texts(*suffixes: str) -> list[Path]:
    """Return the files of the repository with these endings, without screenshots and data."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    paths = (REPOSITORY / name for name in listed.stdout.splitlines())
    matching = [path for path in paths if path.suffix in suffixes and path.is_file()]
    return [path for path in matching if path != Path(__file__)]


def read(path: Path) -> str:
    """Return the text of a file with joined lines, because line breaks split citations."""
    return re.sub(r"\n[ \t]*(?:# )?(?=\S)", " ", path.read_text(encoding="utf-8"))


def headings(path: Path) -> set[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line.lstrip("# ").strip() for line in lines if line.startswith("#")}


def relative(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


ALL, DOCUMENTS = texts(".py", ".md", ".toml", ".yml", ".yaml", ".cff"), texts(".md")
parametrized = pytest.mark.parametrize("path", DOCUMENTS, ids=relative)


@pytest.mark.parametrize("path", ALL, ids=relative)
def test_every_document_that_is_named_exists(path: Path) -> None:
    if path.name in HISTORY or path.parent.name == "fuzz":  # whose inputs are invented
        return
    for name in NAMED.findall(read(path)):
        candidates = (REPOSITORY / name, path.parent / name)
        assert any(candidate.is_file() for candidate in candidates), (
            f"{relative(path)} names {name}"
        )
    assert not re.findall(r"\b(?:METHOD|DESIGN|STYLE|UX)\b(?=[,.:;)\]]| page)", read(path))


@pytest.mark.parametrize("path", ALL, ids=relative)
def test_every_heading_that_is_cited_exists(path: Path) -> None:
    for document, heading in HEADING.findall(read(path)):
        assert heading in headings(REPOSITORY / document), f"{relative(path)}: {heading}"
    for document, heading in NEIGHBOUR.findall(read(path)):
        assert heading in headings(path.parent / document), f"{relative(path)}: {heading}"


@parametrized
def test_link_targets_exist(path: Path) -> None:
    for target, anchor in LINK.findall(path.read_text(encoding="utf-8")):
        file = path.parent / target if target else path
        assert file.exists(), f"{relative(path)} links {target}"
        if anchor:
            names = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings(file)}
            assert anchor in names, f"{relative(path)} links {target}#{anchor}"


@parametrized
def test_files_and_folders_that_are_named_exist(path: Path) -> None:
    if path.name in HISTORY:
        return
    for name in CODE.findall(path.read_text(encoding="utf-8")):
        assert (REPOSITORY / name).exists(), f"{relative(path)} names {name}"


def test_the_code_cites_the_method() -> None:
    """Check of the pattern above: the engine has more than ten citations."""
    engine = [path for path in ALL if relative(path).startswith("imrnns_core/")]
    assert sum(len(HEADING.findall(read(path))) for path in engine) > 10


def test_the_architecture_is_the_one_that_is_checked() -> None:
    """The page names every folder of the engine, and the same layers as the import contract."""
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    folders = {path.parent.name for path in (REPOSITORY / "imrnns_core").glob("*/__init__.py")}
    assert {name for name in folders if f"`{name}/`" not in page} == set()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c.get("containers") == ["imrnns_core"])
    listed = [line.split(" | ") for line in page.split("```\n")[1].splitlines()]
    # a name in parentheses may be missing
    present = [[n for n in line.split(" | ") if exists(n)] for line in layers]
    assert listed == [[n.strip("()") for n in names] for names in present if names]


def exists(layer: str) -> bool:
    folder = REPOSITORY / "imrnns_core" / layer.strip("()")
    return folder.with_suffix(".py").is_file() or (folder / "__init__.py").is_file()
