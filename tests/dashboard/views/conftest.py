from __future__ import annotations

import pytest

from dashboard.services import computation
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page wait for what it computes: without a browser, nothing draws it again."""
    monkeypatch.setattr(computation, "SOON_SECONDS", 60.0)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Ranker:
    space = Workspace(tmp_path_factory.mktemp("space"))
    return Ranker(space.open(space.resolve("sample")), space.adapter("sample-adapter"))
