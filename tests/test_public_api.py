"""The public names, and the Python example in the README."""

from __future__ import annotations

import contextlib
import importlib
import io
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import imrnns_core
from imrnns_core.storage.layout import SAMPLE_FOLDER
from tests.conftest import REPOSITORY

NAMES = [
    "Adapter",
    "AdapterCard",
    "AdapterConfig",
    "AdapterError",
    "Collection",
    "Comparison",
    "DataError",
    "Dataset",
    "Document",
    "EmbeddingMatrix",
    "Encoder",
    "EncoderError",
    "EncoderSpec",
    "Evaluation",
    "Explanation",
    "ExplanationError",
    "Hit",
    "IMRNN",
    "LensError",
    "MEASURES",
    "MissingExtraError",
    "Query",
    "RECIPES",
    "Ranker",
    "Registration",
    "STAGES",
    "SearchConfig",
    "SentenceTransformerEncoder",
    "Stage",
    "StoreError",
    "TrainConfig",
    "Trainer",
    "TrainingError",
    "Workspace",
    "evaluate",
    "explain",
    "load_adapter",
    "load_dataset",
    "load_embeddings",
    "save_adapter",
]
MODULES = [
    "evaluation.evaluate",
    "explanation.explain",
    "training.trainer",
    "retrieval.ranker",
    "storage.workspace",
    "cli.evaluate",
    "cli.explain",
]


def run(code: str) -> str:
    """Run code in a separate process and return its output."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_exported_names() -> None:
    assert imrnns_core.__all__ == NAMES
    assert sorted(imrnns_core.__all__) == imrnns_core.__all__
    assert set(imrnns_core.__all__) == set(imrnns_core._MODULES)
    assert set(imrnns_core.__all__) <= set(dir(imrnns_core))


@pytest.mark.parametrize("name", NAMES)
def test_every_name_resolves_to_its_definition(name: str) -> None:
    module = importlib.import_module(f"imrnns_core.{imrnns_core._MODULES[name]}")
    assert getattr(imrnns_core, name) is getattr(module, name)


def test_type_checkers_see_the_same_names() -> None:
    source = Path(imrnns_core.__file__).read_text(encoding="utf-8")
    block = source.split("if TYPE_CHECKING:\n")[1].split("\nelse:")[0]
    imported = {
        (name, module)
        for module, group in re.findall(
            r"from imrnns_core\.([\w.]+) import (\([^)]*\)|[^\n]*)", block
        )
        for name in re.findall(r"\w+", group)
    }
    assert imported == set(imrnns_core._MODULES.items())


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'imrnns_core' has no attribute 'Rankre'"):
        imrnns_core.Rankre  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'faiss', 'transformers', 'sentence_transformers', 'streamlit'}"
    code = f"import sys, imrnns_core; dir(imrnns_core); print({heavy} & set(sys.modules))"
    assert run(code) == "set()\n"


def test_public_functions_are_not_replaced_by_modules_of_similar_names() -> None:
    imports = "; ".join(f"import imrnns_core.{module}" for module in MODULES)
    uses = "[type(f).__name__ for f in (lens.evaluate, lens.explain, lens.Trainer, lens.Ranker)]"
    first = f"{imports}; import imrnns_core as lens; print({uses})"
    last = f"import imrnns_core as lens; lens.evaluate, lens.explain; {imports}; print({uses})"
    assert run(first) == run(last) == "['function', 'function', 'type', 'type']\n"


def test_a_star_import_brings_all_names() -> None:
    assert (
        run("from imrnns_core import *; print(STAGES[0], evaluate.__name__)") == "base evaluate\n"
    )


def test_open_takes_a_name_a_folder_and_a_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = imrnns_core.Workspace(str(tmp_path / "workspace"))
    by_name = workspace.open("sample")
    assert workspace.open(workspace.resolve("sample")).fingerprint == by_name.fingerprint
    folder = tmp_path / "sample"
    (folder / "qrels").mkdir(parents=True)
    for name in ("corpus.jsonl", "queries.jsonl", "qrels/dev.tsv"):
        lines = (SAMPLE_FOLDER / name).read_text(encoding="utf-8").splitlines(keepends=True)
        first_lines = lines[:1] if name.startswith("qrels") else lines[:5]
        (folder / name).write_text("".join(first_lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    ids = by_name.dataset.document_ids
    assert workspace.open("sample").dataset.document_ids == ids  # the name has priority
    assert workspace.open(Path("sample")).dataset.document_ids == ids[:5]
    assert workspace.open("./sample").dataset.document_ids == ids[:5]
    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    assert workspace.open(packed).dataset.document_ids == ids[:5]
    with pytest.raises(imrnns_core.DataError, match="neither a folder, a file nor a registered"):
        workspace.open("nothing-of-this-name")


def test_readme_prints_what_it_shows() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    code, shown = re.findall(r"```python\n(.*?)```\n\n?```\w*\n(.*?)```", readme, re.DOTALL)[0]
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {})
    assert printed.getvalue() == shown
