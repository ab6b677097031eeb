"""Encoding on a Ray cluster of two nodes on this machine, one of whose processes is killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.encoding.sharded import SHARD, encode_shards
from imrnns_core.scale.ranking import QUERIES
from imrnns_core.scale.ray_cluster import RayCluster
from imrnns_core.storage.workspace import Workspace
from imrnns_core.types import FloatArray

pytestmark = pytest.mark.integration
RAY = str(Path(sys.executable).with_name("ray"))
SHARDS = 12


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of two nodes with one processor each."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    node = ["--node-ip-address=127.0.0.1", "--num-cpus=1", "--object-store-memory=200000000"]
    environment = {**os.environ, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
    head = ["--head", f"--port={address.split(':')[1]}", "--include-dashboard=false"]
    try:
        for own in (head, [f"--address={address}"]):
            subprocess.run(
                [RAY, "start", *own, *node], check=True, env=environment, capture_output=True
            )
        yield address
    finally:
        import ray

        ray.shutdown()
        subprocess.run([RAY, "stop", "--force"], check=True, capture_output=True)


def numbers(texts: Sequence[str]) -> FloatArray:
    return np.array([[float(text), 1.0] for text in texts], dtype=np.float32)


def test_a_killed_process_loses_nothing_and_only_its_shard_is_repeated(
    cluster: str, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    log.touch()

    def encode(texts: Sequence[str]) -> FloatArray:
        with log.open("a") as handle:
            handle.write(f"{os.getpid()} {texts[0]}\n")
        time.sleep(0.5)
        return numbers(texts)

    def kill_one() -> None:
        while len(log.read_text().splitlines()) < 4:
            time.sleep(0.05)
        os.kill(int(log.read_text().split()[-2]), signal.SIGKILL)

    texts = [str(i) for i in range(SHARDS * SHARD - 7)]
    folder = tmp_path / "shards"
    folder.mkdir()
    seen: list[int] = []
    killer = threading.Thread(target=kill_one)
    killer.start()
    vectors = encode_shards(
        folder, "documents", texts, encode, lambda _, done, __: seen.append(done),
        RayCluster(cluster),
    )  # fmt: skip
    killer.join()
    assert np.array_equal(vectors, numbers(texts))
    started = Counter(line.split()[1] for line in log.read_text().splitlines())
    assert set(started) == {str(i * SHARD) for i in range(SHARDS)}
    assert sum(started.values()) <= SHARDS + 1
    assert len({line.split()[0] for line in log.read_text().splitlines()}) > 1
    assert seen == sorted(seen)
    assert seen[-1] == len(texts)
    # a second run reads what is saved
    again = encode_shards(folder, "documents", texts, encode, None, RayCluster(cluster))
    assert np.array_equal(again, vectors)
    assert sum(started.values()) == len(log.read_text().splitlines())


def test_prepare_encodes_on_the_cluster(cluster: str, tmp_path: Path) -> None:
    table = tmp_path / "pages.csv"
    rows = "".join(f"d{i},the page number {i} about topic {i % 7}\n" for i in range(600))
    table.write_text(f"id,text\n{rows}")
    vectors = []
    for name, options in (("alone", []), ("spread", ["--ray", cluster])):
        folder = tmp_path / name
        command = [sys.executable, "-m", "imrnns_core.cli", "prepare", str(table), *options]
        done = subprocess.run(
            [*command, "--workspace", str(folder)], capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        assert "600 documents" in done.stdout
        vectors.append(Workspace(folder).open("pages").documents.vectors)
    assert np.allclose(*vectors, atol=1e-5)


@pytest.mark.parametrize("scope", ["candidates", "corpus"])
def test_evaluate_ranks_on_the_cluster(cluster: str, tmp_path: Path, scope: str) -> None:
    records = []
    for name, options in (("alone", []), ("spread", ["--ray", cluster])):
        file = tmp_path / f"{name}.json"
        command = [sys.executable, "-m", "imrnns_core.cli", "evaluate", "sample", *options]
        command += ["--split", "train", "--adapter", "sample-paper", "--scope", scope]
        done = subprocess.run(
            [*command, "--json", str(file), "--workspace", str(tmp_path / "space")],
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        records.append(json.loads(file.read_text()))
    alone, spread = records
    assert len(spread["queries"]) > QUERIES  # two parts or more
    assert spread["groups"] == alone["groups"]
    assert spread["certainty"] == alone["certainty"]


def test_a_run_is_not_ranked_on_a_cluster(tmp_path: Path) -> None:
    run = tmp_path / "mine.run"
    run.write_text("q128 Q0 rio-grande 1 1.0 mine\n")
    command = [sys.executable, "-m", "imrnns_core.cli"]
    space = ["--workspace", str(tmp_path / "space")]
    subprocess.run([*command, "prepare", "sample", "--run", str(run), *space], check=True)
    done = subprocess.run(
        [*command, "evaluate", "sample", "--base", "mine", "--ray", "127.0.0.1:1", *space],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2
    assert "a run is ranked already" in done.stderr
