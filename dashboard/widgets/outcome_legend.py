"""The legend of the outcomes: what each sign and each name means."""

from __future__ import annotations

from dashboard.formatting import SIGNS
from imrnns_core.evaluation.outcomes import Outcome

_MEANINGS: dict[Outcome, str] = {
    "rescued": "the modulated top {k} has a relevant document, the base top {k} has none",
    "improved": "nDCG@10 rose, with a relevant document in the top {k} of both rankings",
    "unchanged": "nDCG@10 did not change, and a relevant document is in the top {k}",
    "worsened": "nDCG@10 fell, but a relevant document is still in the top {k}",
    "broken": "the base top {k} has a relevant document, the modulated top {k} has none",
    "ranked too low": "a relevant document was retrieved, but below rank {k} in both rankings",
    "not retrieved": "no relevant document is among the candidates, so re-ranking cannot help",
}


def markdown(top_k: int) -> str:
    """Return the meaning of every outcome as a list in Markdown, for this k."""
    return "\n".join(
        f"- {sign} **{name}**: {_MEANINGS[name].format(k=top_k)}" for name, sign in SIGNS.items()
    )
