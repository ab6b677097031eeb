"""Time scoring, evaluation and training, compared with the reference package."""

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

import torch

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


def scoring() -> None:
    """Time the scoring of 100 candidates for all queries of SciFact dev, ours and theirs."""
    from imrnns.beir_data import DatasetSplit
    from imrnns.checkpoints import load_model
    from imrnns.data import CachedSplit
    from imrnns.evaluation import evaluate_model_with_baseline

    from imrnns_core.model.checkpoint import load_adapter
    from imrnns_core.model.scoring import score_candidates, transform_corpus
    from imrnns_core.retrieval.ranker import Ranker
    from imrnns_core.storage.workspace import Workspace

    checkpoint = DATA / "peer" / "imrnns-minilm-scifact.pt"
    workspace = Workspace(Path(tempfile.mkdtemp()))
    collection = workspace.open(
        workspace.resolve(str(DATA / "scifact"), DATA / "scifact" / "embeddings")
    )
    ids = list(collection.dataset.qrels("dev"))
    vectors = collection.query_vectors(ids)
    adapter = load_adapter(checkpoint)
    model = load_model(checkpoint)[0]
    documents = {
        i: torch.from_numpy(v)
        for i, v in zip(collection.documents.ids, collection.documents.vectors, strict=True)
    }
    split = DatasetSplit(
        corpus={d.id: {"title": d.title, "text": d.text} for d in collection.dataset.documents},
        queries={q: collection.dataset.queries[q].text for q in ids},
        qrels={q: dict(j) for q, j in collection.dataset.qrels("dev").items()},
    )
    cached = CachedSplit(
        split, documents, {q: torch.from_numpy(v) for q, v in zip(ids, vectors, strict=True)}, {}
    )
    index = collection.index
    candidates = index.search(vectors, 100)

    def reference_scores() -> None:
        with torch.no_grad():
            for query, rows in zip(vectors, candidates, strict=True):
                stacked = torch.stack(
                    [documents[collection.documents.ids[row]].float() for row in rows]
                )
                model.score_candidates(torch.from_numpy(query), stacked)

    theirs = median_seconds(reference_scores)
    ranker = Ranker(collection, adapter)
    queries, rows = torch.from_numpy(vectors), torch.from_numpy(candidates)
    transform = median_seconds(
        lambda: transform_corpus(adapter.model, torch.from_numpy(collection.documents.vectors))
    )
    warm = median_seconds(
        lambda: score_candidates(adapter.model, ranker.transform, ranker.base, queries, rows)
    )
    cold = transform + warm
    ranked = median_seconds(lambda: Ranker(collection, adapter).rank_batch(vectors))
    whole = median_seconds(
        lambda: evaluate_model_with_baseline(model, cached, "cpu", 100, 100, [10]), 3
    )
    per_query = 1e3 / len(ids)
    print(
        f"scoring, {len(ids)} queries × 100 candidates: reference {theirs * per_query:.2f} ms "
        "per query, one stage"
    )
    print(
        f"  ours, all four stages, with the corpus transform: {cold * per_query:.2f} ms per query, "
        f"ratio {cold / theirs:.2f}"
    )
    print(
        f"  ours, all four stages, without it: {warm * per_query:.2f} ms per query, "
        f"ratio {warm / theirs:.2f}"
    )
    print(
        f"  whole evaluation of the reference package: {whole:.2f} s; our retrieval and ranking at "
        f"all four stages: {ranked:.2f} s, ratio {ranked / whole:.2f}"
    )


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
    from imrnns.beir_data import DatasetSplit
    from imrnns.data import CachedSplit, ContrastiveCachedDataset
    from imrnns.evaluation import evaluate_model

    documents = {
        i: torch.from_numpy(v)
        for i, v in zip(collection.documents.ids, collection.documents.vectors, strict=True)
    }
    cached = []
    for qrels in splits:
        vectors = collection.query_vectors(tuple(qrels))
        candidates = [
            [collection.documents.ids[row] for row in rows]
            for rows in collection.index.search(vectors, 100)
        ]
        negatives = {
            q: [d for d in ids if qrels[q].get(d, 0) <= 0]
            for q, ids in zip(qrels, candidates, strict=True)
        }
        split = DatasetSplit(
            corpus={d.id: {"title": d.title, "text": d.text} for d in collection.dataset.documents},
            queries={q: collection.dataset.queries[q].text for q in qrels},
            qrels={q: dict(judged) for q, judged in qrels.items()},
        )
        cached.append(
            CachedSplit(
                split,
                documents,
                {q: torch.from_numpy(v) for q, v in zip(qrels, vectors, strict=True)},
                negatives,
            )
        )

    def metric(model: Any) -> float:
        return sum(evaluate_model(model, cached[1], "cpu", 100, 10, [10]).values()) / 3

    return [ContrastiveCachedDataset(split, 63) for split in cached], metric
