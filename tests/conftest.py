"""Shared by all tests: no network, one thread, and the folder of reference data."""

from __future__ import annotations

import os
from pathlib import Path

# Before torch, faiss and transformers are imported
for _name, _value in {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}.items():
    os.environ.setdefault(_name, _value)

import pytest  # noqa: E402

REPOSITORY = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with SciFact and the files of the reference package; skips where it is absent."""
    folder = Path(os.environ.get("IMRNNS_TEST_DATA") or REPOSITORY.parent / "shared" / "data")
    if not (folder / "peer" / "golden-scifact.json").is_file():
        pytest.skip(f"{folder} holds no reference data; set IMRNNS_TEST_DATA to the folder with scifact/ and peer/")
    return folder
