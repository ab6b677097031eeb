"""The reference package from PyPI loads our checkpoints, and scores the same."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.model.checkpoint import export_adapter, load_adapter
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER

pytestmark = pytest.mark.integration
PACKAGE = "imrnns==0.2.3"
SCORES = """
import json, sys
import numpy as np
from imrnns import IMRNNAdapter
adapter = IMRNNAdapter.from_checkpoint(sys.argv[1], load_encoder=False)
vectors = np.load(sys.argv[2])
ranked = [
    adapter.rank_embeddings(query, documents)
    for query, documents in zip(vectors["queries"], vectors["documents"])
]
print(json.dumps({
    "encoder": adapter.encoder_spec.model_name,
    "scores": [[r.adapted_score for r in sorted(q, key=lambda r: r.index)] for q in ranked],
    "order": [[r.index for r in q] for q in ranked],
}))
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package alone; what it needs is in this environment."""
    folder = tmp_path_factory.mktemp("package")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--target", str(folder), PACKAGE], check=True)
    return folder


@pytest.mark.parametrize("name", ["sample-paper", "imrnns-minilm-scifact"])
def test_the_package_loads_an_export_and_scores_the_same(
    name: str, package: Path, sample: Collection, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    own = ASSETS_FOLDER / f"{name}.safetensors"
    if not own.is_file():
        own = request.getfixturevalue("test_data") / "peer" / f"{name}.pt"
    adapter = load_adapter(own)
    export_adapter(adapter, tmp_path / "exported.pt")
    ranker = Ranker(sample, adapter)
    ids = list(sample.dataset.qrels("test"))[:8]
    comparisons = [ranker.compare(query_id) for query_id in ids]
    np.savez(
        tmp_path / "vectors.npz",
        queries=sample.query_vectors(ids),
        documents=np.stack([sample.documents.vectors[c.rows] for c in comparisons]),
    )
    answer = subprocess.run(
        [sys.executable, "-c", SCORES, tmp_path / "exported.pt", tmp_path / "vectors.npz"],
        env={**os.environ, "PYTHONPATH": str(package)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(answer.stdout)
    assert theirs["encoder"].endswith("all-MiniLM-L6-v2")
    ours = np.stack([c.score("modulated") for c in comparisons])
    np.testing.assert_allclose(theirs["scores"], ours, atol=1e-5)
    for order, scores in zip(theirs["order"], ours, strict=True):
        assert order[0] == int(np.argmax(scores))
        # equal up to documents whose scores differ by rounding only
        np.testing.assert_allclose(scores[order], np.sort(scores)[::-1], atol=1e-5)
