"""A killed run resumes after its last epoch, with the same result as an uninterrupted run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from imrnns_core.data.embeddings import unit
from imrnns_core.encoding.sharded import SHARD
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import RECIPES, MemoryConfig, PretrainConfig, TrainConfig
from imrnns_core.training.label_free.harm_check import HarmCheck
from imrnns_core.training.loop import TrainingLoop
from imrnns_core.training.resume import SharedResults
from imrnns_core.training.trainer import Trainer
from tests.toys import FakeEncoder, collection

REPOSITORY = Path(__file__).resolve().parents[2]


def toy() -> Collection:
    """Sixty documents with two queries each.

    Half of the sixteen query dimensions are noise, which an adapter can learn to ignore.
    """
    encoder, rng = FakeEncoder(dimension=16), np.random.default_rng(0)
    documents = unit(rng.normal(size=(60, 16)).astype(np.float32))
    queries = np.tile(documents, (2, 1))
    queries[:, 8:] = 0.5 * rng.normal(size=(120, 8))
    space = collection(
        documents, queries, {f"q{i}": {f"d{i % 60}": 1} for i in range(120)}, encoder, "train"
    )
    space.documents.vectors[0] = encoder.encode_documents(space.dataset.documents[:1])[0]
    return space


def config(recipe: str, memory: bool = False) -> TrainConfig:
    return TrainConfig(
        recipe=recipe,
        epochs=None if recipe == "unlabeled" else 3,
        negatives=5,
        batch_size=16,
        learning_rate=1e-2,
        seed=3,
        pretrain=PretrainConfig(min_titles=10),
        memory=MemoryConfig(max_sentences=100 if memory else 0),
    )


def outcome(training: Trainer) -> tuple[list[dict], dict[str, torch.Tensor], dict]:
    adapter = training.adapter("x")
    return [asdict(e) for e in training.history], adapter.model.state_dict(), asdict(adapter.card)


def same(first: Trainer, second: Trainer) -> bool:
    (history, state, card), (history2, state2, card2) = outcome(first), outcome(second)
    return (
        history == history2
        and card == card2
        and state.keys() == state2.keys()
        and all(torch.equal(state[k], state2[k]) for k in state)
    )


def finish(training: Trainer) -> Trainer:
    for _ in training.epochs():
        pass
    return training


@pytest.mark.parametrize(
    ("recipe", "memory"),
    [
        ("fine-tuned", False),
        ("fine-tuned", True),
        ("reference", False),
        ("modulation-only", False),
        ("unlabeled", False),
    ],
)
def test_a_run_that_stops_after_any_epoch_resumes_there(
    recipe: str, memory: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    passes = 0
    step = TrainingLoop.__next__

    def counted(self: TrainingLoop) -> float:
        nonlocal passes
        passes += 1
        return step(self)

    monkeypatch.setattr(TrainingLoop, "__next__", counted)
    # without judgments: these texts have no meaning, so the check would reject every model
    monkeypatch.setattr(HarmCheck, "is_better", lambda check, values: True)
    whole = finish(Trainer(toy(), config(recipe, memory)))
    trained = sum(epoch.loss is not None for epoch in whole.history)
    assert passes == trained
    assert len(whole.history) > 2
    assert whole.adapter("x").card.outcome.shipped != "identity", (
        "nothing was learnt that could differ"
    )
    for stop in range(len(whole.history)):
        folder = tmp_path / str(stop)
        first = Trainer(toy(), config(recipe, memory), folder=folder)
        for epoch in first.epochs():
            if epoch.number == stop:
                break
        passes = 0
        resumed = finish(Trainer(toy(), config(recipe, memory), folder=folder))
        assert same(resumed, whole), f"stopped after epoch {stop}"
        assert passes == sum(e.loss is not None for e in whole.history[stop + 1 :]), (
            "an epoch was trained twice"
        )
        resumed.close()
        assert not folder.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from imrnns_core.training.trainer import Trainer
from tests.training.test_resume import config, toy
training = Trainer(toy(), config("fine-tuned"), folder=Path(sys.argv[1]))
for epoch in training.epochs():
    print(epoch.number, flush=True)
    if epoch.number == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_process_resumes(tmp_path: Path):
    whole = finish(Trainer(toy(), config("fine-tuned")))
    assert whole.adapter("x").card.outcome.shipped == "refit"
    command = [sys.executable, "-c", KILLED, str(tmp_path / "state")]
    for number in (
        2,
        len(whole.history) - 2,
    ):  # during the training on titles, and after the second resume
        done = subprocess.run(
            [*command, str(number)],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert done.stdout.split()[-1] == str(number)
    assert (tmp_path / "state" / "epoch.pt").is_file()
    assert same(finish(Trainer(toy(), config("fine-tuned"), folder=tmp_path / "state")), whole)


def test_a_run_stopped_during_replay_has_the_best_model_of_the_earlier_run(tmp_path: Path):
    first = Trainer(toy(), config("reference"), folder=tmp_path / "state")
    for epoch in first.epochs():
        if epoch.number == 2:
            break
    assert first.best_epoch.number > 0
    resumed = Trainer(toy(), config("reference"), folder=tmp_path / "state")
    next(resumed.epochs())
    assert same(first, resumed)


def test_a_changed_configuration_starts_a_new_run(tmp_path: Path):
    first = Trainer(toy(), config("reference"), folder=tmp_path / "state")
    for epoch in first.epochs():
        if epoch.number == 2:
            break
    changed = replace(config("reference"), seed=4)
    assert same(
        finish(Trainer(toy(), changed, folder=tmp_path / "state")), finish(Trainer(toy(), changed))
    )


@pytest.mark.parametrize("damage", ["truncated", "empty", "rubbish", "another content"])
def test_a_damaged_epoch_file_starts_a_new_run(tmp_path: Path, damage: str):
    first = Trainer(toy(), config("reference"), folder=tmp_path / "state")
    for epoch in first.epochs():
        if epoch.number == 2:
            break
    path = tmp_path / "state" / "epoch.pt"
    if damage == "another content":
        torch.save([1, 2], path)
    else:
        raw = path.read_bytes()
        path.write_bytes(
            {"truncated": raw[: len(raw) // 2], "empty": b"", "rubbish": bytes(len(raw))}[damage]
        )
    assert same(
        finish(Trainer(toy(), config("reference"), folder=tmp_path / "state")),
        finish(Trainer(toy(), config("reference"))),
    )


def test_texts_are_encoded_once_across_runs(tmp_path: Path):
    texts = [f"text {i}" for i in range(2 * SHARD + 5)]
    broken, reported = FakeEncoder(stop_after=1), list[tuple[str, int, int]]()
    with pytest.raises(KeyboardInterrupt):
        SharedResults(tmp_path).encode("titles", texts, broken.encode_queries)
    encoder = FakeEncoder()
    shared = SharedResults(tmp_path, lambda *r: reported.append(r))
    vectors = shared.encode("titles", texts, encoder.encode_queries)
    assert shared.encode("titles", texts, encoder.encode_queries) is vectors
    assert encoder.texts == texts[SHARD:]
    np.testing.assert_allclose(vectors, unit(FakeEncoder().encode_queries(texts)), atol=1e-6)
    assert reported == [("titles", SHARD, 517), ("titles", 2 * SHARD, 517), ("titles", 517, 517)]


def test_every_recipe_is_covered_here():
    assert set(RECIPES) - {"paper", "contrastive"} == {
        "fine-tuned",
        "reference",
        "modulation-only",
        "unlabeled",
    }  # the other two run the same phases as "reference"
