"""Fixtures of the engine's tests. No test touches the user's own workspace."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from imrnns_core.checkpoint import load_adapter
from imrnns_core.config import EncoderSpec
from imrnns_core.ranking import Ranker
from imrnns_core.workspace import Collection, Registration, Workspace

settings.register_profile("engine", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("engine")


@pytest.fixture(scope="session", autouse=True)
def _own_workspace(tmp_path_factory: pytest.TempPathFactory):
    before, threads = os.environ.get("IMRNNS_WORKSPACE"), torch.get_num_threads()
    os.environ["IMRNNS_WORKSPACE"] = str(tmp_path_factory.mktemp("workspace"))
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
    if before is None:
        del os.environ["IMRNNS_WORKSPACE"]
    else:
        os.environ["IMRNNS_WORKSPACE"] = before


@pytest.fixture(scope="session")
def scifact(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    """SciFact with the vectors that stand beside it."""
    folder = test_data / "scifact"
    return Workspace(tmp_path_factory.mktemp("scifact")).open(Registration("scifact", folder, folder / "embeddings", EncoderSpec()))


@pytest.fixture(scope="session")
def scifact_ranker(scifact: Collection, test_data: Path) -> Ranker:
    """SciFact under the reference package's adapter."""
    return Ranker(scifact, load_adapter(test_data / "peer" / "imrnns-minilm-scifact.pt"))


@pytest.fixture(scope="session")
def sample() -> Collection:
    """The data set that ships with the project."""
    workspace = Workspace(Path("unused"))
    return workspace.open(workspace.resolve("sample"))
