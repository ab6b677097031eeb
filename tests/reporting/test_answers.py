"""The answers of the Overview follow the figures: one case each, on rankings made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dashboard import formatting
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.rank_overlap import measure_overlap
from imrnns_core.evaluation.verdicts import judge_effect, judge_generalization, judge_outcomes
from imrnns_core.model.adapter_card import LeftOutGain
from imrnns_core.reporting import answers
from imrnns_core.retrieval.ranker import Ranker
from tests.toys import adapter, collection, still_model

BASE = collection(
    [[1, 0], [0.8, 0.6], [0, 1]],
    [[0.6, 0.8], [1, 0], [0.8, 0.6]],
    {"q0": {"d2": 1}, "q1": {"d0": 1}},
)


def evaluation(changes: list[float], groups: list[str] | None) -> Evaluation:
    """Return an evaluation in which query i changes by changes[i] from nDCG@10 .5.

    Ranks stay at 2.
    """
    count = len(changes)
    values = np.full((4, count, 1), 0.5)
    values[2:, :, 0] += np.array(changes)
    ranker = Ranker(BASE, adapter(still_model(2)))
    batch = ranker.rank_batch(BASE.queries.vectors[:1])
    ids, grouped = (
        tuple(f"q{i}" for i in range(count)),
        None if groups is None else np.array(groups),
    )
    ranks, judged = np.full((4, count), 2), np.ones((4, count, 1))
    return Evaluation(
        "toy", "test", "toy", ids, (NDCG,), values, ranks, grouped, 10, batch, {}, judged
    )


UP, DOWN, NONE = [0.1, 0.2] * 10, [-0.1, -0.2] * 10, [0.0] * 20
SEEN, UNSEEN = ["seen"] * 20, ["unseen"] * 20


@pytest.mark.parametrize(
    ("changes", "kind", "answer"),
    [
        (UP, "good", "Yes"),
        (DOWN, "warning", "No, it makes rankings worse"),
        ([0.1, -0.1] * 10, "info", "No change is shown"),
    ],
)
def test_does_it_help(changes: list[float], kind: str, answer: str) -> None:
    measured = evaluation(changes, None)
    found = answers.helps(judge_effect(measured))
    assert (found.kind, found.answer) == (kind, answer)
    test = measured.significance(NDCG)
    assert found.figures.startswith(
        f"nDCG@10 on 20 queries: base 0.5000, modulated {0.5 + test.change:.4f}, change "
        f"{answers.with_interval(test)}, {formatting.p_value(test.p)}."
    )
    assert ("a smaller one often not" in found.figures) == (answer == "No change is shown")


def test_queries_without_a_relevant_document_are_named() -> None:
    assert answers.without_relevant(["q3"]) == (
        "1 judged query has no relevant document and is left out",
        "q3",
    )
    title, ids = answers.without_relevant([f"q{i}" for i in range(11)])
    assert title == "11 judged queries have no relevant document and are left out"
    assert ids == "q0, q1, q2, q3, q4, q5, q6, q7, q8, q9, …"


def test_where() -> None:
    found = answers.where(judge_outcomes(evaluation([0.1, 0.2, -0.1, 0.0], None)))
    assert found.question == "Which queries changed?"
    assert found.answer == "2 queries better, 1 worse"
    assert found.figures == "2 improved, 1 unchanged, 1 worsened."
    one = answers.where(judge_outcomes(evaluation([0.1], None)))
    assert one.answer == "1 query better, 0 worse"
    assert answers.where(judge_outcomes(evaluation(NONE, None))).figures == "20 unchanged."


@pytest.mark.parametrize(
    ("changes", "groups", "kind", "answer"),
    [
        (UP, None, "warning", "Unknown: the training documents are not listed"),
        (UP, SEEN, "warning", "Unknown: training used judgments of every query of this split"),
        (UP + UP, SEEN + UNSEEN, "good", "Yes, the gain holds on unseen queries"),
        (UP, UNSEEN, "good", "Yes, the gain holds on unseen queries"),
        (UP, ["text used"] * 20, "good", "Yes, the gain holds on “text used” queries"),
        (
            UP + [0.001, -0.001] * 10,
            SEEN + UNSEEN,
            "warning",
            "Unknown: no significant gain on unseen queries",
        ),
        (
            UP + [1.0, -0.7] * 10,
            SEEN + UNSEEN,
            "warning",
            "Unknown: no significant gain on unseen queries",
        ),  # the same mean, far apart
        (UP + DOWN, SEEN + UNSEEN, "warning", "No, unseen queries get worse"),
        (NONE + NONE, SEEN + UNSEEN, "info", "No significant gain"),
        (NONE, UNSEEN, "info", "No significant gain"),
    ],
)
def test_can_i_trust_it(
    changes: list[float], groups: list[str] | None, kind: str, answer: str
) -> None:
    found = answers.trust(judge_generalization(evaluation(changes, groups)))
    assert (found.kind, found.answer) == (kind, answer)
    if groups:
        name = "“text used” queries" if groups[-1] == "text used" else f"{groups[-1]} queries"
        assert f"On 20 {name}, nDCG@10 changes by " in found.figures


def test_missing_evidence_is_called_missing() -> None:
    found = answers.trust(judge_generalization(evaluation(UP + [0.1, -0.1] * 10, SEEN + UNSEEN)))
    assert found.figures.endswith(
        "Seen queries gain more than the others. If as many queries change again, a true change "
        "of 0.0742 would probably be significant, a smaller one often not."
    )
    few = answers.trust(judge_generalization(evaluation([0.1] * 19, ["unseen"] * 19)))
    assert few.answer == "Unknown: too few unseen queries changed"


def test_a_memory_is_trusted_only_for_the_documents_it_has() -> None:
    gain = LeftOutGain(50, 0.8, 0.87, 0.75, 0.88, (-0.08, -0.02), 0.0002)
    measured = replace(evaluation(UP, ["text used"] * 20), left_out=gain)
    found = answers.trust(judge_generalization(measured))
    assert found.kind == "warning"
    assert found.answer == "Yes, but only for documents in the sentence memory"
    assert found.figures.endswith(
        "New documents: to measure this, training built memories that lacked the relevant "
        "documents of a query (50 queries). nDCG@10 minus base was −0.0500 (95 % interval "
        "−0.0800 to −0.0200, p = 0.0002). "
        "After these documents were added to the memory, it was +0.0800. The dashboard adds new "
        "documents to the memory."
    )
    helped = replace(gain, left_out=0.83, change_ci95=(0.01, 0.05))
    for other in (
        replace(measured, left_out=helped),
        replace(evaluation(UP, UNSEEN), left_out=gain),
    ):
        assert answers.trust(judge_generalization(other)).answer.startswith("Yes, the gain holds")
    alone = answers.trust(judge_generalization(replace(measured, left_out=None)))
    assert alone.figures.endswith(answers.NO_UNSEEN.format("no"))
    few = evaluation(UP + [0.1] * 3, ["text used"] * 20 + ["unseen"] * 3)
    assert answers.NO_UNSEEN.format("too few") in answers.trust(judge_generalization(few)).figures


def test_the_correction_is_named() -> None:
    measured = evaluation(UP + UP, SEEN + UNSEEN)
    assert answers.helps(judge_effect(measured)).figures.endswith(
        ", Holm-corrected for 3 tests (all queries, and each group)."
    )
    one = judge_effect(evaluation([0.1], None))
    assert answers.helps(one).answer == "Unknown: too few queries changed"
    assert answers.helps(one).figures.endswith("1 query changes. A verdict needs at least 20.")


def test_trust_has_one_fact_per_sentence() -> None:
    measured = evaluation(DOWN, UNSEEN)
    low, high = (
        f"{end:+.4f}".replace("-", "−") for end in measured.significance(NDCG, "unseen").ci95
    )
    assert answers.trust(judge_generalization(measured)).figures == (
        f"On 20 unseen queries, nDCG@10 changes by −0.1500 (95 % interval {low} to {high})."
    )


def test_a_change_is_written_with_its_interval_and_a_true_minus() -> None:
    test = replace(evaluation(UP, None).significance(NDCG), change=-0.25, ci95=(-0.5, 0.125))
    assert answers.with_interval(test) == "−0.2500 (95 % interval −0.5000 to +0.1250)"


def test_what_moves_without_judgments() -> None:
    first, second = answers.unjudged(
        measure_overlap(Ranker(BASE, adapter(still_model(2))), ("q0", "q1", "q2"), top_k=1)
    )
    assert first.answer == "Unknown without judgments"
    assert second.answer.startswith("Mean rank-biased overlap 0.")
    assert "The lowest possible value for lists of 3 documents is 0.8550." in second.figures
    assert second.figures.endswith(
        "share 0.33 of their top 1 documents. The top document changes for 67 % of 3 queries."
    )
