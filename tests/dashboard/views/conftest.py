from __future__ import annotations

import pytest

from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Ranker:
    space = Workspace(tmp_path_factory.mktemp("space"))
    return Ranker(space.open(space.resolve("sample")), space.adapter("sample-adapter"))
