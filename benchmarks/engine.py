"""Time the command `evaluate`, and training compared with that of the reference package."""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.reference import reference_split

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("IMRNNS_TEST_DATA") or ROOT.parent / "shared" / "data")
REPEATS = 5


def median_seconds(work: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Return the median seconds of several runs, after one run to warm up."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def evaluate_command() -> None:
    """Time a whole process of `imrnns-lens evaluate` on SciFact dev."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            "-m",
            "imrnns_core.cli",
            "evaluate",
            str(DATA / "scifact"),
            "--embeddings",
            str(DATA / "scifact" / "embeddings"),
            "--adapter",
            str(DATA / "peer" / "imrnns-minilm-scifact.pt"),
            "--split",
            "dev",
            "--workspace",
            folder,
        ]
        seconds = median_seconds(
            lambda: subprocess.run(command, cwd=ROOT, check=True, capture_output=True), 3
        )
    print(
        "`imrnns-lens evaluate` on SciFact dev, precomputed embeddings, whole process: "
        f"{seconds:.2f} s"
    )


def training(epochs: int = 3) -> None:
    """Time the reference recipe on SciFact train: our training and that of the reference package.

    Both use the same queries, negatives and epochs.
    """
    from imrnns.model import IMRNN, ModelConfig
    from imrnns.training import TrainingConfig, initialize_projector, train_model

    from imrnns_core.storage.workspace import Workspace
    from imrnns_core.training.config import TrainConfig
    from imrnns_core.training.trainer import Trainer

    workspace = Workspace(Path(tempfile.mkdtemp()))
    collection = workspace.open(
        workspace.resolve(str(DATA / "scifact"), DATA / "scifact" / "embeddings")
    )
    config = TrainConfig(recipe="reference", epochs=epochs, patience=epochs)
    split = Trainer(collection, config, "train").split
    datasets, metric = reference_training_data(collection, (split.train, split.valid))

    def theirs() -> None:
        model = IMRNN(ModelConfig(input_dim=collection.documents.dimension))
        initialize_projector(model)
        with contextlib.redirect_stderr(io.StringIO()):  # hides its progress bars
            train_model(
                model,
                *datasets,
                TrainingConfig(epochs=epochs, patience=epochs),
                "cpu",
                metric,
                "mean",
            )

    def ours() -> None:
        run = Trainer(collection, config, "train")
        assert sum(1 for _ in run.epochs()) == epochs + 1

    # alternating, so that other work on the machine affects both
    pairs = [(seconds_of(theirs), seconds_of(ours)) for _ in range(REPEATS)]
    ratio = statistics.median(our[0] / their[0] for their, our in pairs)
    cpu = statistics.median(our[1] / their[1] for their, our in pairs)
    reference, own = (statistics.median(pair[i][0] for pair in pairs) for i in (0, 1))
    print(
        f"training, reference recipe, {epochs} epochs of SciFact train, validation included: "
        f"reference {reference:.2f} s, ours {own:.2f} s"
    )
    print(
        f"  median ratio of {len(pairs)} pairs: {ratio:.2f} in wall time, {cpu:.2f} in processor "
        "time"
    )


def seconds_of(work: Callable[[], Any]) -> tuple[float, float]:
    """Return the wall time and the processor time of one run, in seconds."""
    clock, processor = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - processor


def reference_training_data(
    collection: Any, splits: tuple[Any, Any]
) -> tuple[list[Any], Callable[[Any], float]]:
    """Return the reference package's training and validation sets, and its validation measure."""
    from imrnns.data import ContrastiveCachedDataset
    from imrnns.evaluation import evaluate_model

    cached = [reference_split(collection, qrels, negatives=True) for qrels in splits]

    def metric(model: Any) -> float:
        return sum(evaluate_model(model, cached[1], "cpu", 100, 10, [10]).values()) / 3

    return [ContrastiveCachedDataset(split, 63) for split in cached], metric
