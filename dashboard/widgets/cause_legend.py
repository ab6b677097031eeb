"""The legend of the likely causes: when each of them applies to a query."""

from __future__ import annotations

from imrnns_core.evaluation.diagnosis import LEXICAL_TOP, UNFAMILIAR_WORD_TOKENS, Cause

NOT_RETRIEVED: Cause = "not among the candidates"
_MEANINGS: dict[Cause, str] = {
    NOT_RETRIEVED: ("the base retriever returned no relevant document, so re-ranking cannot help"),
    "keyword mismatch": (
        f"BM25 has a relevant document in its top {LEXICAL_TOP}, and its best relevant rank is "
        "better than that of the modulated ranking (without an adapter, of the base ranking)"
    ),
    "truncated text": (
        "the encoder does not read a relevant document to its end, and a query word occurs only in "
        "the part that it does not read"
    ),
    "near-duplicate ranked higher": (
        "a document with nearly the same embedding is ranked above the best relevant document"
    ),
    "top document unjudged": (
        "the top document of the ranking has no judgment, so it may be a correct answer"
    ),
    "unfamiliar words": (
        "the encoder does not know a word of the query: it splits the word into "
        f"{UNFAMILIAR_WORD_TOKENS} or more tokens"
    ),
}


def markdown(*left_out: Cause) -> str:
    """Return when each cause applies, as a list in Markdown."""
    return "\n".join(
        f"- **{cause}**: {meaning}" for cause, meaning in _MEANINGS.items() if cause not in left_out
    )
