"""The wheel, in empty environments outside the checkout: `make integration`.

One environment holds the extras `dashboard` and `maps`, the other none.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.app import Server, launch, open_page, started, status
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.integration
QUESTION = "What currency is used in Mexico?"
FIRST_HITS = {
    "base": ["mexican-peso", "paraguayan-guarani", "uruguayan-peso"],
    "modulated": ["mexican-peso", "piece-of-eight", "silver-in-the-east"],
}
EXTRA = 'needs packages that are not installed; run: pip install "imrnns-lens[{}]"\n'


@dataclass(frozen=True)
class Environment:
    """An environment with the wheel, and an unrelated folder where its commands run."""

    bin: Path
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        return {
            "PYTHONPATH": "",  # nothing comes from the checkout
            "PYTHONDONTWRITEBYTECODE": "",  # the second start is quicker
            "IMRNNS_WORKSPACE": str(self.folder / "workspace"),
            "HF_HUB_OFFLINE": "1",
        }

    def run(self, *command: object) -> subprocess.CompletedProcess[str]:
        name, *arguments = map(str, command)
        return subprocess.run(
            [str(self.bin / name), *arguments],
            cwd=self.folder,
            env={**os.environ, **self.variables},
            capture_output=True,
            text=True,
            timeout=180,
        )

    def lens(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.run("imrnns-lens", *arguments)


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, and the wheel that is built from it alone."""
    folder = tmp_path_factory.mktemp("distributions")
    # what is not in the repository must not get in: build from a copy of the files that git knows
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    )
    source = folder / "source"
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, source / name)
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(source)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return folder


@pytest.fixture(scope="module")
def wheel(distributions: Path) -> Path:
    return next(distributions.glob("*.whl"))


def install(wheel: Path, folder: Path, extras: str = "") -> Environment:
    """Make an empty environment and install the wheel, in the versions that are tested together."""
    venv.create(folder / "venv", with_pip=True)
    made = Environment(folder / "venv" / "bin", folder / "elsewhere")
    made.folder.mkdir()
    constraints = REPOSITORY / "constraints.txt"
    pip = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-c", constraints)
    command = [str(made.bin / "python"), *map(str, pip), f"{wheel}{extras}"]
    subprocess.run(command, cwd=made.folder, env={**os.environ, **made.variables}, check=True)
    return made


@pytest.fixture(scope="module")
def full(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(wheel, tmp_path_factory.mktemp("full"), "[dashboard,maps]")


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return install(wheel, tmp_path_factory.mktemp("bare"))


@pytest.fixture(scope="module")
def server(full: Environment) -> Iterator[Server]:
    """The dashboard of the wheel, started from the unrelated folder."""

    def command(port: int) -> list[str]:
        return [str(full.bin / "imrnns-lens"), "dashboard", "--port", str(port)]

    with started(full.folder / "workspace", command, full.folder, **full.variables) as running:
        yield running


def data_set(folder: Path) -> Path:
    """Write a data set of eight documents."""
    data = folder / "eight"
    data.mkdir(exist_ok=True)
    texts = [
        "red fox",
        "blue whale",
        "old oak",
        "ripe plum",
        "new moon",
        "low tide",
        "dry sand",
        "tall reed",
    ]
    lines = (f'{{"_id": "{i}", "title": "", "text": "a {text}"}}\n' for i, text in enumerate(texts))
    (data / "corpus.jsonl").write_text("".join(lines), encoding="utf-8")
    (data / "queries.jsonl").write_text('{"_id": "q", "text": "a tree"}\n', encoding="utf-8")
    return data


# What is inside


def test_the_wheel_holds_what_runs_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    shipped = {name.removeprefix("imrnns_core/shipped/") for name in names if "/shipped/" in name}
    own = {
        path.relative_to(REPOSITORY).as_posix()
        for folder in ("imrnns_core", "dashboard")
        for path in (REPOSITORY / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    assert {name for name in names if "/shipped/" not in name} == own
    assert {"imrnns_core/py.typed", "dashboard/py.typed", "dashboard/.streamlit/config.toml"} < own
    assert {name for name in shipped if name.startswith("assets/")} == {
        "assets/icon.png",
        "assets/logo.svg",
        "assets/sample-adapter.safetensors",
        "assets/sample-paper.safetensors",
    }
    assert {name for name in shipped if name.startswith("sample_data/")} == {
        path.relative_to(REPOSITORY).as_posix()
        for path in (REPOSITORY / "sample_data").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    }


def test_the_wheel_says_what_it_needs(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        inside = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(inside))
    assert metadata["License-Expression"] == "Apache-2.0"
    stores = ["milvus", "pgvector", "postgresql", "qdrant"]
    extras = ["bench", "dashboard", "dev", "endpoint", "fuzz", "login", "maps", *stores]
    assert metadata.get_all("Provides-Extra") == [*extras, "scale", "serve"]
    needs = metadata.get_all("Requires-Dist") or []
    plain = " ".join(need for need in needs if "extra ==" not in need)
    assert "transformers" in plain
    assert not any(name in plain for name in ("streamlit", "plotly", "pandas", "umap"))


def test_the_sdist_holds_what_is_needed_to_build(distributions: Path) -> None:
    """The wheel was built from it; neither tests nor pictures are in the way."""
    with tarfile.open(next(distributions.glob("*.tar.gz"))) as archive:
        tops = {Path(name).parts[1] for name in archive.getnames()}
        pictures = [name for name in archive.getnames() if "screenshots" in name]
    assert {"imrnns_core", "dashboard", "sample_data", "assets", "README.md", "LICENSE"} <= tops
    assert "tests" not in tops
    assert not pictures


# Installed with the extras


def test_search(full: Environment) -> None:
    file = full.folder / "found.json"
    done = full.lens("search", "sample", QUESTION, "--adapter", "sample-adapter", "--json", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Mexican peso" in done.stdout
    rankings = json.loads(file.read_text(encoding="utf-8"))["rankings"]
    found = {stage: [hit["document_id"] for hit in rankings[stage][:3]] for stage in FIRST_HITS}
    assert found == FIRST_HITS


def test_a_map_is_made(full: Environment) -> None:
    done = full.lens("prepare", data_set(full.folder), "--adapter", "sample-adapter")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("Map for sample-adapter: ready\n")


def test_dashboard_listens_on_this_machine_only(server: Server) -> None:
    assert status(server.port, "GET /_stcore/health") == 200
    for family, host in ((socket.AF_INET, "127.0.0.2"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as probe, pytest.raises(OSError, match=r"refused|assign"):
            probe.connect((host, server.port))


def test_dashboard_shows_a_ranking_in_its_own_theme(server: Server) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page, errors, failed = browser.new_page(color_scheme="light"), list[str](), list[str]()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "response", lambda answer: failed.append(answer.url) if answer.status > 399 else None
        )
        open_page(page, f"{server.address}/?data=sample&adapter=sample-adapter&query=q128")
        for column, first in (("Base", "Treaty of Zaragoza"), ("Modulated", "Rio Grande")):
            page.locator(f"section[aria-label={column}]").get_by_text(first).first.wait_for()
        look = page.evaluate(
            """() => {
              const app = document.querySelector('[data-testid="stApp"]');
              const style = getComputedStyle(app);
              return [style.fontFamily.split(',')[0], style.color];
            }"""
        )
        logo = page.locator("[data-testid='stHeaderLogo'], [data-testid='stSidebarLogo']").first
        assert logo.evaluate("image => image.complete && image.naturalWidth > 0")
        browser.close()
    assert look == ["system-ui", "rgb(27, 36, 48)"]  # .streamlit/config.toml
    assert (errors, failed) == ([], [])


# Installed without extras


def test_search_and_the_public_api_without_extras(bare: Environment) -> None:
    done = bare.lens("search", "sample", QUESTION, "--adapter", "sample-adapter", "-k", 3)
    assert (done.returncode, done.stderr) == (0, "")
    for document_id in {*FIRST_HITS["base"], *FIRST_HITS["modulated"]}:
        assert document_id in done.stdout
    code = (
        "import imrnns_core as lens; w = lens.Workspace(); c = w.open('sample'); "
        "r = lens.Ranker(c, w.adapter('sample-adapter')); "
        "print(len(lens.evaluate(r, split='test').query_ids), lens.__file__)"
    )
    count, file = bare.run("python", "-c", code).stdout.split()
    assert count == "236"
    assert Path(file).is_relative_to(bare.bin.parent)


def test_every_command_has_its_help_without_extras(bare: Environment) -> None:
    for command in ("prepare", "train", "evaluate", "search", "explain", "faithfulness"):
        assert bare.lens(command, "--help").returncode == 0, command


def test_the_dashboard_names_its_extra(bare: Environment) -> None:
    done = bare.lens("dashboard")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "imrnns-lens: the dashboard " + EXTRA.format("dashboard")


def test_a_map_names_its_extra(bare: Environment) -> None:
    done = bare.lens("prepare", data_set(bare.folder), "--adapter", "sample-adapter")
    assert done.returncode == 2
    assert done.stderr == "imrnns-lens: making a map " + EXTRA.format("maps")
