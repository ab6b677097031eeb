"""The answer to "Does it help?" names the strongest baseline without training."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dashboard.figures import baselines as figures
from dashboard.services import evaluations
from dashboard.views.overview import baselines, unjudged_range
from imrnns_core.evaluation.evaluate import NDCG
from imrnns_core.evaluation.unjudged import UnjudgedRange
from imrnns_core.evaluation.verdicts import Effect
from imrnns_core.reporting.answers import Answer
from imrnns_core.reporting.evaluation_answers import with_strongest
from tests.reporting.test_baselines import verdict

YES = Answer("good", "Does it help?", "Yes", "nDCG@10 changes.")


@pytest.mark.parametrize(
    ("effect", "name", "kind", "start"),
    [
        ("not shown", "base + BM25", "info", "Yes. But base + BM25, without training, may be as"),
        ("harms", "BM25", "warning", "Yes. But BM25, without training, is better (p = "),
        ("helps", "base + BM25", "good", "Yes. It is better than the strongest baseline without"),
        ("not shown", "base", "good", "Yes"),
    ],
)
def test_an_adapter_that_helps_is_compared(
    effect: Effect, name: str, kind: str, start: str
) -> None:
    answer = with_strongest(YES, verdict(effect, name))
    assert answer.kind == kind
    assert answer.answer.startswith(start)
    assert answer.figures == YES.figures


def test_an_adapter_that_does_not_help_is_compared_too() -> None:
    no = replace(YES, kind="warning", answer="No, it makes rankings worse")
    answer = with_strongest(no, verdict("harms"))
    assert answer.kind == "warning"
    assert answer.answer == (
        "No, it makes rankings worse. Base + BM25, without training, is better (p = 0.2100)"
    )


def test_the_best_system_is_on_top_and_each_mark_is_a_difference() -> None:
    rows = [
        figures.BaselineRow("BM25", 0.7, 0.17, (0.1, 0.2), "helps"),
        figures.BaselineRow("base + BM25", 0.88, -0.01, (-0.02, -0.001), "not shown"),
        figures.BaselineRow("adapter + BM25", 0.92, -0.05, (-0.07, -0.04), "harms"),
    ]
    drawn = figures.baselines(rows, NDCG)
    assert list(drawn.layout.yaxis.categoryarray) == ["adapter + BM25", "base + BM25", "BM25"]
    marks = {trace.y[0]: trace for trace in drawn.data}
    for row in rows:
        mark = marks[row.name]
        assert mark.x[0] == row.difference
        ends = (mark.x[0] - mark.error_x.arrayminus[0], mark.x[0] + mark.error_x.array[0])
        assert ends == pytest.approx(row.ci95)
    colours = [marks[row.name].marker.color for row in rows]
    assert colours == [figures.theme.UP, figures.theme.UNJUDGED, figures.theme.DOWN]
    assert [note.text for note in drawn.layout.annotations] == ["−0.0500", "−0.0100", "+0.1700"]
    assert drawn.layout.shapes[0].x0 == 0


def test_the_range_of_unjudged_documents_has_both_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    tables = []
    monkeypatch.setattr(unjudged_range.st, "dataframe", lambda frame, **_: tables.append(frame))
    unjudged_range.show(
        UnjudgedRange((0.5, 0.75), (0.6, 0.7), (0.1, -0.05)),
        {"base": {"Judged@10": 0.2345}, "modulated": {"Judged@10": 0.24}},
    )
    assert tables[0].to_numpy().tolist() == [
        ["base", "23 %", "0.5000", "0.7500"],
        ["modulated", "24 %", "0.6000", "0.7000"],
        ["change", "", "+0.1000", "−0.0500"],
    ]


def test_the_service_measures_once_until_sentences_are_encoded(fresh: None) -> None:
    chosen = ("sample", "sample-adapter", "dev")
    measured = evaluations.baselines(*chosen)
    assert evaluations.baselines(*chosen) is measured
    assert measured.has_sentences
    frame = baselines._frame(measured)
    assert frame["ranking"].tolist()[:2] == ["base", "BM25"]
    assert frame[NDCG][0] == measured.evaluation.mean("base")[NDCG]
