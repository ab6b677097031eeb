"""The legend of the outcomes: what each sign and each name means."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.formatting import SIGNS
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.evaluation.verdicts import OUTCOMES

_MEANINGS: dict[Outcome, str] = {
    "rescued": "the modulated top {k} has a relevant document, the base top {k} has none",
    "improved": "nDCG@10 rose, with a relevant document in the top {k} of both rankings",
    "unchanged": "nDCG@10 did not change, and a relevant document is in the top {k}",
    "found": "a relevant document is in the top {k}",
    "worsened": "nDCG@10 fell, but a relevant document is still in the top {k}",
    "broken": "the base top {k} has a relevant document, the modulated top {k} has none",
    "ranked too low": "relevant documents were retrieved, but none is in a top {k}",
    "not retrieved": "no relevant document was retrieved, so re-ranking cannot help",
}


def markdown(top_k: int, outcomes: Sequence[Outcome] = OUTCOMES) -> str:
    """Return the meaning of these outcomes as a list in Markdown, for this k."""
    return "\n".join(
        f"- {SIGNS[name]} **{name}**: {_MEANINGS[name].format(k=top_k)}" for name in outcomes
    )
