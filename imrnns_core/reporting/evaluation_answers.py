"""The answers about the judged queries of a split, from its evaluation and its baselines."""

from __future__ import annotations

from dataclasses import replace

from imrnns_core.evaluation.baselines import MAX_SIM, Baselines, BaselineVerdict
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.verdicts import (
    Effect,
    judge_effect,
    judge_generalization,
    judge_outcomes,
)
from imrnns_core.reporting import answers
from imrnns_core.reporting import baselines as texts
from imrnns_core.reporting.answers import Answer, Kind

KINDS: dict[Effect, Kind] = {"harms": "warning", "not shown": "info"}
"""The box of an adapter that helps, if the strongest baseline is better or may be as good."""


def answers_of(measured: Evaluation, baselines: Baselines) -> tuple[Answer, ...]:
    """Return the answers: three about an adapter, two about the base alone."""
    outcomes, strongest = judge_outcomes(measured), baselines.judge()
    if not measured.has_adapter:
        return answers.base(outcomes, measured), answers.base_baselines(strongest)
    return (
        with_strongest(answers.helps(judge_effect(measured)), strongest),
        answers.where(outcomes),
        answers.trust(judge_generalization(measured)),
    )


def with_strongest(answer: Answer, verdict: BaselineVerdict) -> Answer:
    """Return the answer to "Does it help?" with the strongest baseline in it."""
    headline = texts.headline(verdict)
    kind = answer.kind
    if headline and kind == "good":
        kind = KINDS.get(verdict.effect, kind)
        if verdict.effect != "helps":
            headline = f"But {_continued(headline)}"
    line = f"{answer.answer}. {headline}" if headline else answer.answer
    meaning = f" {texts.MAX_SIM_MEANING}" if verdict.strongest.baseline.name == MAX_SIM else ""
    return replace(answer, kind=kind, answer=line, figures=answer.figures + meaning)


def _continued(sentence: str) -> str:
    """Return a sentence for its place after another word; abbreviations keep their capitals."""
    return sentence if sentence[:2].isupper() else f"{sentence[0].lower()}{sentence[1:]}"
