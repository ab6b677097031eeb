"""The curves of a training."""

from __future__ import annotations

from typing import Any

from dashboard.figures.training import curves
from imrnns_core.training.progress import Phase
from imrnns_core.training.progress_log import LoggedEpoch


def epoch(
    number: int, phase: Phase, loss: float | None, run: str = "a", **more: Any
) -> LoggedEpoch:
    record: dict[str, Any] = {"validation": 0.5 + number / 100, "best": False, "base": 0.5, **more}
    return LoggedEpoch(
        number=number, phase=phase, loss=loss, run=run, done=number, total=9, time=0.0, **record
    )


WHOLE = [
    epoch(0, "initialization", None),
    epoch(1, "pretrain", 0.9),
    epoch(2, "train", 0.8, best=True),
    epoch(3, "train", 0.7),
    epoch(4, "refit", 0.6, validation=0.52),
]


def named(epochs: list[LoggedEpoch]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(t["name"], t["yaxis"]): t for t in curves(epochs).to_dict()["data"]}


def test_each_phase_has_its_loss_and_its_score() -> None:
    traces = named(WHOLE)
    assert list(traces["training", "y"]["y"]) == [0.8, 0.7]
    assert list(traces["training", "y2"]["x"]) == [2, 3]
    assert list(traces["training", "y2"]["y"]) == [0.52, 0.53]
    assert list(traces["initial models", "y"]["y"]) == [0.9]
    assert ("without training", "y") not in traces, "nothing was trained: it has no loss"
    assert ("refit", "y2") not in traces, "a refit measures nothing"
    assert (list(traces["best so far", "y2"]["x"]), list(traces["base ranking", "y2"]["y"])) == (
        [2],
        [0.5, 0.5],
    )


def test_the_legend_explains_every_sign_once() -> None:
    drawn = curves([epoch(1, "train", 0.9, "before"), *WHOLE]).to_dict()["data"]
    legend = [t["name"] for t in drawn if t.get("showlegend", True)]
    assert sorted(legend) == [
        "base ranking", "best so far", "earlier runs", "initial models", "refit", "training",
        "without training",
    ]  # fmt: skip
    assert {t["name"] for t in drawn} == set(legend)


def test_only_the_last_run_has_marks() -> None:
    traces = named([epoch(1, "train", 0.9, "before"), epoch(0, "train", 0.4, "now")])
    assert list(traces["training", "y"]["y"]) == [0.4]
    assert list(traces["earlier runs", "y"]["y"]) == [0.9]
    assert traces["earlier runs", "y"]["mode"] == "lines"


def test_without_a_loss_and_a_base_the_scores_have_the_whole_room() -> None:
    figure = curves([epoch(0, "initialization", None, base=None)]).to_dict()
    assert figure["layout"]["yaxis2"]["domain"] == [0, 1]
    assert [round(end, 2) for end in figure["layout"]["yaxis2"]["range"]] == [0.49, 0.51]
    assert [t["name"] for t in figure["data"]] == ["without training"]
