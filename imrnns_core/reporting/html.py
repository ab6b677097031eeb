"""The explanation of one pair as HTML: marked texts, and a report that works without a network.

The templates escape every value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any, Literal

import numpy as np

from imrnns_core.config import REPORT_GENERATOR
from imrnns_core.explanation.deletion_records import DeletionSummary
from imrnns_core.explanation.explain import Explanation
from imrnns_core.explanation.nearest_tokens import NamedToken
from imrnns_core.explanation.word_drops import RANDOM_DRAWS, Verdict, VerifiedWord, WordDrops
from imrnns_core.remedies.causes import TriedRemedies
from imrnns_core.reporting.causes import NONE, WHEN_SHOWN, cause_lines, remedy_rows
from imrnns_core.reporting.change_lines import certainty_line
from imrnns_core.reporting.formatting import counted, decimal, signed
from imrnns_core.reporting.templates import ENVIRONMENT, style
from imrnns_core.types import SIDES, FloatArray, Target

NUMBERED_WORDS = 5
"""Number of strongest words that are numbered in a marked text."""
MIN_SHARE = 0.08
"""Words with a drop below this share of the largest drop are not marked."""
AXIS_REM = 16
"""Width of the accounting chart."""
VERDICT_NAMES: dict[Verdict, str] = {
    "confirmed": "confirmed",
    "not confirmed": "not confirmed",
    "opposite sign": "opposite sign",
    "not tested": "no verdict",
}
"""What reports and tables say about an estimate whose drop was measured."""
VERDICT_READING = (
    f"Random words: mean ± standard deviation of up to {RANDOM_DRAWS} draws. For a word that "
    "occurs n times, each draw deletes another word that occurs n times; when none is left, n "
    "occurrences of other words. Confirmed: the word's drop is larger in size than that of every "
    "draw, and has the sign of its estimate. Opposite sign: larger in size than every draw, with "
    "the other sign. The words are tested in the order of the sizes of their estimates, the "
    "largest first; the first one that fails and all after it are not confirmed. "
    "False alarms: if the estimates said nothing about the drops, at most 5 % of texts would "
    "have a word that is confirmed for the score, and at most 5 % for the change. No verdict: the "
    f"text has too few other words for {RANDOM_DRAWS} different draws."
)
"""How the verdicts are reached, for the terminal and the report."""
LEGEND = (
    "Solid green: the word raises the value. Dotted orange: the word lowers it. The stronger the "
    "colour, the larger the effect; the five strongest words are numbered. Struck through: not "
    "read by the encoder. Effects are estimated, not measured."
)

_MACROS: Any = ENVIRONMENT.get_template("macros.html").module


@dataclass(frozen=True)
class MarkedPiece:
    """A piece of a text.

    Attributes:
        text: The piece.
        kind: Plain, a word that raises (up) or lowers (down) the value, or text that is not read.
        share: Size of the word's drop as a share of the largest drop.
        drop: The word's drop.
        number: Rank of the word if it is numbered, else 0.
    """

    text: str
    kind: Literal["plain", "up", "down", "unread"]
    share: float = 0.0
    drop: float = 0.0
    number: int = 0


def by_effect(values: FloatArray) -> list[int]:
    """Return the positions of values (W,), those with the largest effect of either sign first."""
    return [int(i) for i in np.argsort(-np.abs(values), kind="stable")]


def marked_pieces(drops: WordDrops, values: FloatArray) -> Iterator[MarkedPiece]:
    """Yield the pieces of a text, its words marked by their drops, values (W,)."""
    largest = float(np.abs(values).max()) if len(values) else 0.0
    order = by_effect(values)
    # without any effect no word is the strongest
    numbers = {i: n for n, i in enumerate(order[:NUMBERED_WORDS], 1)} if largest else {}
    end = 0
    for left, right, i in _spans_read(drops):
        share = abs(float(values[i])) / largest if largest else 0.0
        if left < end or (share < MIN_SHARE and i not in numbers):
            continue
        yield MarkedPiece(drops.text[end:left], "plain")
        kind: Literal["up", "down"] = "up" if values[i] > 0 else "down"
        yield MarkedPiece(drops.text[left:right], kind, share, float(values[i]), numbers.get(i, 0))
        end = right
    read = max(end, drops.characters_read)
    yield MarkedPiece(drops.text[end:read], "plain")
    # blanks at the end are no text that is missed
    if drops.text[read:].strip():
        yield MarkedPiece(drops.text[read:], "unread")


def _spans_read(drops: WordDrops) -> list[tuple[int, int, int]]:
    """Return start, end and word of every occurrence that the encoder reads, in text order."""
    return sorted(
        (left, right, i)
        for i, word in enumerate(drops.words)
        for left, right in word.spans
        if right <= drops.characters_read
    )


def marked_html(drops: WordDrops, values: FloatArray) -> str:
    """Return a text as HTML, its words marked by their drops, values (W,).

    A word that raises the value has a solid underline, a word that lowers it a dotted one. Text
    that the encoder does not read is struck through. So the marks can be read without colour.
    """
    return str(_MACROS.marked(list(marked_pieces(drops, values))))


def table_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts as HTML."""
    return str(_MACROS.table(head, rows))


def to_html(
    explanation: Explanation,
    test: DeletionSummary | None = None,
    tried: TriedRemedies | None = None,
) -> str:
    """Return the explanation as one HTML file without scripts or links.

    Args:
        explanation: The explanation.
        test: The deletion test of this adapter, None if it was not run.
        tried: The remedies of the query, None if no document is known to be relevant.
    """
    return ENVIRONMENT.get_template("template.html").render(
        explanation=explanation,
        certainty=certainty_line(explanation.certainty) if explanation.certainty else "",
        generator=REPORT_GENERATOR,
        css=style(),
        causes=cause_lines(tried) if tried else [],
        remedies=remedy_rows(tried) if tried else [],
        base_rank=tried.base_rank if tried else 0,
        when_shown=WHEN_SHOWN,
        no_cause=NONE,
        stages=[
            (stage, explanation.ranks[stage], decimal(explanation.scores[stage]))
            for stage in explanation.ranks
        ],
        accounting=list(_bars(explanation.accounting)),
        texts=[
            {
                "side": side,
                "marked": [
                    (target, list(marked_pieces(drops, drops.values(target))))
                    for target in explanation.targets
                ],
                # empty unless words were deleted and measured (--verify)
                "verified": measured_rows(explanation.verified.get(side, []), explanation.targets),
            }
            for side, drops in explanation.words.items()
        ],
        vocabulary={
            side: [_token(token) for token in tokens]
            for side, tokens in explanation.vocabulary.items()
        },
        legend=LEGEND,
        verdict_reading=VERDICT_READING,
        verified_head=("word", *_verified_heads(explanation.targets)),
        trust=trust_sentence(test),
        trust_head=TRUST_HEAD,
        trust_rows=trust_rows(test) if test else [],
    )


def _verified_heads(targets: Sequence[Target]) -> Iterator[str]:
    for target in targets:
        yield from (f"drop of {target}", "random words", "verdict")


def measured_rows(
    words: Sequence[VerifiedWord], targets: Sequence[Target]
) -> list[tuple[str, ...]]:
    """Return word, drop, random drop and verdict for each target, the largest drops first."""
    columns = {target: 0 if target == "score" else 1 for target in targets}

    def cells(word: VerifiedWord) -> Iterator[str]:
        for target, column in columns.items():
            yield from (signed(word.drop[column]), random_drop(word, column))
            yield VERDICT_NAMES[word.verdict(target)]

    # for a demoted document, words with a negative drop explain the change
    first = columns[targets[0]]
    ordered = sorted(words, key=lambda word: -abs(word.drop[first]))
    return [(word.word.text, *cells(word)) for word in ordered]


def random_drop(word: VerifiedWord, column: int) -> str:
    """Return the drop of random words as mean ± SD, of the score (0) or of the change (1)."""
    mean, deviation = word.random[column], word.random_std[column]
    return "no other words" if isnan(mean) else f"{signed(mean)} ± {decimal(deviation)}"


def _token(token: NamedToken) -> tuple[str, ...]:
    values = (decimal(token.cosine, 3), f"{token.p_untrained:.2f}", f"{token.p_shuffled:.2f}")
    return (token.token, *values, verdict(token))


def _bars(accounting: Mapping[str, float]) -> Iterator[dict[str, Any]]:
    """Yield the bars of the accounting chart: lengths in rem, from a common zero line."""
    low, high = min(0.0, *accounting.values()), max(0.0, *accounting.values())
    scale = AXIS_REM / (high - low or 1.0)
    for name, value in accounting.items():
        total = name in ("base", "modulated")
        yield {
            "name": name.replace("_", " "),
            "shown": decimal(value) if total else signed(value),
            "kind": "total" if total else "plus" if value >= 0 else "minus",
            "zero": scale * -low,
            "left": scale * (min(value, 0.0) - low),
            "width": scale * abs(value),
        }


def verdict(token: NamedToken) -> str:
    """Return whether a token is closer than chance."""
    return "not closer than chance" if token.spurious else "closer than chance"


def trust_sentence(test: DeletionSummary | None) -> str:
    """Return which deletion test there is, and how to read `trust_rows`."""
    if test is None:
        return (
            "The explanations of this adapter have not been tested by deletion on this data set. "
            "To test them, run imrnns-lens faithfulness."
        )
    return (
        f"Tested by deletion on {counted(test.pairs, 'pair')} of queries and documents of "
        f"{test.dataset}, split {test.split}. For each pair, the explanation chose one word, and "
        "the test measured how much of the score change this word carries: 0 means no more than "
        "a random word, 1 means as much as the best word. Estimated: chosen by its estimate. "
        "Measured: the explanation measured about ten words of a document, or five of a query, and "
        "chose the one with the largest drop."
    )


TRUST_HEAD = ("text", "estimated", "measured", "rank correlation of estimated and measured drops")


def trust_rows(test: DeletionSummary) -> list[tuple[str, ...]]:
    """Return the figures of the deletion test, one row per text, with the columns `TRUST_HEAD`."""
    return [
        (
            side,
            *(decimal(values[side], 2) for values in (test.estimated, test.verified, test.rho)),
        )
        for side in SIDES
    ]
