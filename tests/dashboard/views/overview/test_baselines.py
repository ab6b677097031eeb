"""The answer to "Does it help?" names the strongest baseline without training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.figures import baselines as figures
from dashboard.services import evaluations
from dashboard.views.overview import baselines
from dashboard.views.overview.wording import Answer
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.verdicts import Effect
from tests.reporting.test_baselines import verdict

YES = Answer("good", "Does it help?", "Yes", "nDCG@10 changes.")


@pytest.mark.parametrize(
    ("effect", "name", "kind", "start"),
    [
        ("not shown", "base + BM25", "info", "Yes. But base + BM25, without training, may be as"),
        ("harms", "BM25", "warning", "Yes. But BM25, without training, is better: "),
        ("helps", "base + BM25", "good", "Yes. It is better than the strongest baseline without"),
        ("not shown", "base", "good", "Yes"),
    ],
)
def test_an_adapter_that_helps_is_compared(
    effect: Effect, name: str, kind: str, start: str
) -> None:
    answer = baselines.with_strongest(YES, verdict(effect, name))
    assert answer.kind == kind
    assert answer.answer.startswith(start)
    assert answer.figures == YES.figures


def test_an_adapter_that_does_not_help_is_compared_too() -> None:
    no = replace(YES, kind="warning", answer="No, it makes rankings worse")
    answer = baselines.with_strongest(no, verdict("harms"))
    assert answer.kind == "warning"
    assert answer.answer.startswith(
        "No, it makes rankings worse. Base + BM25, without training, is better: nDCG@10 0.8570 "
        "against"
    )


def test_the_best_system_is_on_top_and_bands_are_relative_to_the_adapter() -> None:
    drawn = figures.baselines(
        [
            figures.BaselineRow("modulated", 0.87, None),
            figures.BaselineRow("BM25", 0.7, (0.1, 0.2)),
            figures.BaselineRow("base + BM25", 0.88, (-0.02, 0.01)),
        ],
        0.87,
        NDCG,
    )
    assert list(drawn.layout.yaxis.categoryarray) == ["base + BM25", "modulated", "BM25"]
    bands = {trace.y[0]: trace for trace in drawn.data if trace.mode == "lines"}
    assert list(bands["BM25"].x) == pytest.approx([0.67, 0.77])
    assert list(bands["base + BM25"].x) == pytest.approx([0.86, 0.89])
    assert bands["BM25"].line.color == figures.theme.UP
    assert bands["base + BM25"].line.color == figures.theme.UNJUDGED
    assert drawn.layout.shapes[0].x0 == 0.87


def test_the_service_measures_once_until_sentences_are_encoded(fresh: None) -> None:
    chosen = ("sample", "sample-adapter", "dev")
    measured = evaluations.baselines(*chosen)
    assert evaluations.baselines(*chosen) is measured
    assert measured.has_sentences
    frame = baselines._frame(measured)
    assert frame["ranking"].tolist()[:2] == ["base", "BM25"]
    assert frame[NDCG][0] == measured.evaluation.mean("base")[NDCG]
