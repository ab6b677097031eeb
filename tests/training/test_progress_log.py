"""The log of a training, as another process reads it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.data.embeddings import unit
from imrnns_core.errors import TrainingError
from imrnns_core.retrieval.collection import Collection
from imrnns_core.training.config import TrainConfig
from imrnns_core.training.progress_log import (
    TrainingLog,
    TrainingRecord,
    read_encoding,
    read_epochs,
    read_record,
    training_folder,
    unfinished_trainings,
)
from imrnns_core.training.trainer import Trainer, plan
from tests.toys import collection


def judged(queries: int) -> Collection:
    """Return documents of 16 dimensions, of which the queries know only a half."""
    rng = np.random.default_rng(0)
    documents = unit(rng.normal(size=(120, 16)).astype(np.float32))
    asked = documents[:queries].copy()
    asked[:, 8:] = 0.2 * rng.normal(size=(queries, 8))
    return collection(documents, asked, {f"q{i}": {f"d{i}": 1} for i in range(queries)})


CONFIG = TrainConfig(recipe="reference", epochs=4, patience=9)


def test_each_epoch_is_logged_once_also_after_a_stop(tmp_path: Path) -> None:
    world, folder = judged(80), tmp_path / "state"
    stopped = Trainer(world, CONFIG, "test", folder=folder)
    for epoch in stopped.epochs():
        if epoch.number == 2:
            break
    first = read_epochs(folder)
    assert [e.number for e in first] == [0, 1, 2]
    resumed = Trainer(world, CONFIG, "test", folder=folder)
    whole = list(resumed.epochs())
    logged = read_epochs(folder)
    assert logged[:3] == first, "the times of the earlier epochs stay"
    shared = [{k: asdict(e)[k] for k in asdict(whole[0])} for e in logged]
    assert shared == [asdict(e) for e in whole]
    assert {(e.run, e.total) for e in logged} == {("reference", 4)}
    assert [e.done for e in logged] == [0, 1, 2, 3, 4]
    assert logged[0].base == resumed.adapter("x").card.outcome.base_validation
    assert read_record(folder) == TrainingRecord("toy", "reference", 42, "test")
    resumed.close()
    assert (read_epochs(folder), read_record(folder)) == ([], None)


def test_a_half_written_line_is_left_out(tmp_path: Path) -> None:
    list(Trainer(judged(80), CONFIG, "test", folder=tmp_path).epochs())
    lines = (tmp_path / "epochs.jsonl").read_text()
    (tmp_path / "epochs.jsonl").write_text(lines[:-20])
    assert [e.number for e in read_epochs(tmp_path)] == [0, 1, 2, 3]
    (tmp_path / "training.json").write_text('{"unknown": 1}')
    assert read_record(tmp_path) is None


def test_encoding_is_shown_only_while_it_lasts(tmp_path: Path) -> None:
    heard: list[tuple[str, int, int]] = []
    log = TrainingLog(tmp_path, lambda *progress: heard.append(progress))
    assert read_encoding(tmp_path) is None
    log.encoded("sentences", 256, 300)
    assert read_encoding(tmp_path) == ("sentences", 256, 300)
    log.encoded("sentences", 300, 300)
    assert read_encoding(tmp_path) is None
    assert heard == [("sentences", 256, 300), ("sentences", 300, 300)]


def test_unfinished_trainings_are_found_by_the_name_of_their_adapter(tmp_path: Path) -> None:
    for name in ("one", "two.b"):
        training_folder(tmp_path / f"{name}.safetensors").mkdir()
    (tmp_path / "one.safetensors").write_text("")
    assert list(unfinished_trainings(tmp_path)) == ["one", "two.b"]
    assert unfinished_trainings(tmp_path / "nowhere") == {}


def test_the_plan_says_what_the_training_then_does() -> None:
    for queries, trains, obstacle in (
        (60, True, ""),
        (12, False, "12 judged queries are too few, 20 are needed"),
    ):
        world = judged(queries)
        found = plan(world, TrainConfig(), "test")
        assert (found.trains, found.obstacle) == (trains, obstacle)
        split = Trainer(world, TrainConfig(), "test").split
        assert (found.train, found.valid) == (
            len(split.train),
            len(split.valid) + len(split.held_out),
        )
        assert split.enough == trains
    assert plan(judged(12), TrainConfig(recipe="reference"), "test").obstacle == ""
    assert not plan(judged(12), TrainConfig(recipe="unlabeled"), "").trains
    with pytest.raises(TrainingError, match="0 training and 0 validation queries"):
        plan(judged(0), TrainConfig(), "test")
