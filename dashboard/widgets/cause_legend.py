"""The legend of the likely causes: when each of them applies to a query."""

from __future__ import annotations

from dashboard import state
from imrnns_core.config import SearchConfig
from imrnns_core.evaluation.diagnosis import (
    LEXICAL_TOP,
    NEED_ENCODER,
    UNFAMILIAR_WORD_TOKENS,
    Cause,
)

NOT_RETRIEVED: Cause = "not among the candidates"
FOUND_IN_CORPUS: Cause = "found only in the whole corpus"
_MEANINGS: dict[Cause, str] = {
    NOT_RETRIEVED: "the base ranking has no relevant document, so re-ranking cannot help",
    FOUND_IN_CORPUS: (
        "no candidate is relevant. But if the adapter ranks the whole corpus, a relevant document "
        f"is in its top {SearchConfig().candidates} (as many as there are candidates). Choose "
        "“Whole corpus” under “Ranked documents”"
    ),
    "keyword mismatch": (
        f"BM25 has a relevant document in its top {LEXICAL_TOP}, at a better rank than the best "
        "relevant document has in the base ranking{}"
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
        f"{UNFAMILIAR_WORD_TOKENS} or more tokens, or has no token for it"
    ),
}


UNKNOWN = (
    f"Not looked for, because a run does not say how its engine reads a text: "
    f"{', '.join(NEED_ENCODER)}."
)


def markdown(*left_out: Cause) -> str:
    """Return when each cause applies, as a list in Markdown.

    If the base is a run, it ends with the causes that are not looked for.
    """
    is_run = bool(state.current().run)
    hidden = [*left_out, *(NEED_ENCODER if is_run else ())]
    if not state.has_adapter() or state.current().scope == "corpus":
        hidden.append(FOUND_IN_CORPUS)
    modulated = " and in the modulated one" if state.has_adapter() else ""
    listed = "\n".join(
        f"- **{cause}**: {meaning.format(modulated)}"
        for cause, meaning in _MEANINGS.items()
        if cause not in hidden
    )
    return f"{listed}\n\n{UNKNOWN}" if is_run else listed
