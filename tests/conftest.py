"""Fixtures of all tests, which run without a network, in one thread, in their own workspace."""

from __future__ import annotations

import os
from pathlib import Path

# These variables must be set before torch, faiss and transformers are imported
for _name, _value in {
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "OMP_NUM_THREADS": "1",
}.items():
    os.environ.setdefault(_name, _value)

import pytest  # noqa: E402
import torch  # noqa: E402
from hypothesis import settings  # noqa: E402

from imrnns_core.config import EncoderSpec  # noqa: E402
from imrnns_core.model.checkpoint import load_adapter  # noqa: E402
from imrnns_core.retrieval.collection import Collection  # noqa: E402
from imrnns_core.retrieval.ranker import Ranker  # noqa: E402
from imrnns_core.storage.registry import Registration  # noqa: E402
from imrnns_core.storage.workspace import Workspace  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with SciFact and the files of the reference package; skips if it is missing."""
    folder = Path(os.environ.get("IMRNNS_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (folder / "peer" / "golden-scifact.json").is_file():
        pytest.skip(
            f"{folder} contains no reference data; set IMRNNS_TEST_DATA to the folder with "
            "scifact/ and peer/"
        )
    return folder


settings.register_profile("engine", deadline=None, max_examples=25, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=2_000)
settings.load_profile("engine")


@pytest.fixture(scope="session", autouse=True)
def _own_workspace(tmp_path_factory: pytest.TempPathFactory):
    previous, threads = os.environ.get("IMRNNS_WORKSPACE"), torch.get_num_threads()
    os.environ["IMRNNS_WORKSPACE"] = str(tmp_path_factory.mktemp("workspace"))
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    if previous is None:
        del os.environ["IMRNNS_WORKSPACE"]
    else:
        os.environ["IMRNNS_WORKSPACE"] = previous


@pytest.fixture(scope="session")
def scifact(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """SciFact with its precomputed embeddings."""
    folder = test_data / "scifact"
    return Workspace(tmp_path_factory.mktemp("scifact")).open(
        Registration("scifact", folder, folder / "embeddings", EncoderSpec())
    )


@pytest.fixture(scope="session")
def scifact_ranker(scifact: Collection, test_data: Path) -> Ranker:
    """A ranker of SciFact with the reference package's adapter."""
    return Ranker(scifact, load_adapter(test_data / "peer" / "imrnns-minilm-scifact.pt"))


@pytest.fixture(scope="session")
def sample() -> Collection:
    """The sample data set."""
    workspace = Workspace(Path("unused"))
    return workspace.open(workspace.resolve("sample"))
