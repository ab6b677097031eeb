"""The endpoint of another project's server, infinity-emb, with the bundled weights behind it.

The server needs older versions of numpy and transformers, so it has an environment of its own.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import venv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from imrnns_core.encoding.bundled import bundled_model
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.storage.workspace import Workspace
from tests.toys import write_dataset

pytestmark = pytest.mark.integration
SERVER = "infinity-emb[server,torch]==0.0.78"
START_SECONDS = 180


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("infinity")
    venv.create(folder / "env", with_pip=True)
    # the build of torch that is installed here, instead of a larger one
    (folder / "constraints.txt").write_text(f"torch=={torch.__version__}\n")
    installed = subprocess.run(
        [folder / "env/bin/pip", "install", "-q", "-c", folder / "constraints.txt", SERVER],
        capture_output=True,
        text=True,
    )
    if installed.returncode:
        pytest.skip(f"{SERVER} cannot be installed here: {installed.stderr.splitlines()[-1]}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [folder / "env/bin/infinity_emb", "v2", "--model-id", bundled_model()]
    options = {"host": "127.0.0.1", "port": port, "engine": "torch", "device": "cpu",
               "url-prefix": "/v1", "served-model-name": "minilm"}  # fmt: skip
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    flags = ["--no-model-warmup", "--no-bettertransformer"]
    environment = {**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1", "DO_NOT_TRACK": "1"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [*command, *arguments, *flags], stdout=log, stderr=log, env=environment
        )
    try:
        _wait(f"http://127.0.0.1:{port}/v1/models", process, folder / "log")
        yield f"http://127.0.0.1:{port}/v1#minilm"
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(1)
        else:
            return
    raise AssertionError(log.read_text()[-2000:])


def test_its_vectors_are_those_of_the_bundled_encoder(endpoint: str, tmp_path: Path):
    texts = [{"_id": f"d{i}", "title": f"Title {i}", "text": f"river {i}"} for i in range(70)]
    data = write_dataset(tmp_path / "toy", texts, [{"_id": "q", "text": "which river?"}])
    done = subprocess.run(
        [sys.executable, "-m", "imrnns_core.cli", "prepare", data, "--encoder", endpoint, "--yes"],
        env={**os.environ, "IMRNNS_WORKSPACE": str(tmp_path / "space")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "sending 71 texts" in done.stderr
    collection = Workspace(tmp_path / "space").open("toy")
    local = SentenceTransformerEncoder()
    np.testing.assert_allclose(
        collection.documents.vectors,
        local.encode_documents(collection.dataset.documents),
        atol=1e-5,
    )
    np.testing.assert_allclose(
        collection.encode("a typed question"),
        local.encode_queries(["a typed question"])[0],
        atol=1e-5,
    )
