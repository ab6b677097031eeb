"""The explanation of one pair as a page: marked texts, and a report that opens without a network.

The templates escape every value by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from imrnns_core.config import REPORT_GENERATOR
from imrnns_core.explanation.deletion_records import DeletionSummary
from imrnns_core.explanation.explain import Explanation
from imrnns_core.explanation.nearest_tokens import NamedToken
from imrnns_core.explanation.word_drops import VerifiedWord, WordDrops
from imrnns_core.types import STAGES, FloatArray

_FOLDER = Path(__file__).parent
MARK_CSS = (_FOLDER / "marks.css").read_text(encoding="utf-8")
NUMBERED = 5
"""Words that are numbered in a marked text, besides their colour."""
FAINTEST = 0.08
"""Words of a smaller share of the largest drop are not marked."""
AXIS_REM = 16


def signed(value: float) -> str:
    """Return a number with its sign and four decimals."""
    return f"{value:+.4f}".replace("-", "−")


_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_ENVIRONMENT.filters["signed"] = signed
_MACROS: Any = _ENVIRONMENT.get_template("macros.html").module


@dataclass(frozen=True)
class MarkedPiece:
    """A piece of a text: plain, a word that raises the value or lowers it, or what is not read.

    `share` is the size of its drop as a share of the largest; `number` is 0 where it has none.
    """

    text: str
    kind: Literal["plain", "up", "down", "unread"]
    share: float = 0.0
    drop: float = 0.0
    number: int = 0


def marked_pieces(drops: WordDrops, values: FloatArray) -> Iterator[MarkedPiece]:
    """Cut a text into pieces, its words marked by values (W,); the strongest five are numbered."""
    strength = float(np.abs(values).max()) if len(values) else 0.0
    strongest = np.argsort(-np.abs(values), kind="stable")[:NUMBERED].tolist() if strength else []
    number = {i: n for n, i in enumerate(strongest, 1)}
    spans = sorted(
        (left, right, i)
        for i, word in enumerate(drops.words)
        for left, right in word.spans
        if right <= drops.read
    )
    end = 0
    for left, right, i in spans:
        share = abs(float(values[i])) / strength if strength else 0.0
        if left < end or (share < FAINTEST and i not in number):
            continue
        yield MarkedPiece(drops.text[end:left], "plain")
        kind: Literal["up", "down"] = "up" if values[i] > 0 else "down"
        yield MarkedPiece(drops.text[left:right], kind, share, float(values[i]), number.get(i, 0))
        end = right
    yield MarkedPiece(drops.text[end : max(end, drops.read)], "plain")
    rest = drops.text[max(end, drops.read) :]
    if rest.strip():
        yield MarkedPiece(rest, "unread")


def marked_html(drops: WordDrops, values: FloatArray) -> str:
    """Return a text as HTML, its words marked by values (W,).

    A word that raises the value is underlined, one that lowers it dotted; what the encoder does
    not read is struck out. Colour only repeats this.
    """
    return str(_MACROS.marked(list(marked_pieces(drops, values))))


def table_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts as HTML."""
    return str(_MACROS.table(head, rows))


def to_html(explanation: Explanation, test: DeletionSummary | None = None) -> str:
    """Return the explanation as one HTML file without scripts or links.

    `test` is this adapter's deletion test.
    """
    e = explanation
    return _ENVIRONMENT.get_template("template.html").render(
        e=e,
        generator=REPORT_GENERATOR,
        css=_style(),
        stages=[(stage, e.ranks[stage], f"{e.scores[stage]:.4f}") for stage in STAGES],
        accounting=list(_bars(e.accounting)),
        texts=[
            {
                "side": side,
                "change": list(marked_pieces(drops, drops.change)),
                "score": list(marked_pieces(drops, drops.score)),
                "verified": _verified(e.verified.get(side, [])),
            }
            for side, drops in e.words.items()
        ],
        vocabulary={side: [_token(t) for t in tokens] for side, tokens in e.vocabulary.items()},
        legend=LEGEND,
        trust=trust_sentence(test),
    )


def _style() -> Any:
    from markupsafe import Markup

    return Markup((_FOLDER / "style.css").read_text(encoding="utf-8") + MARK_CSS)


def _verified(words: Sequence[VerifiedWord]) -> list[tuple[str, ...]]:
    return [
        (
            v.word.text,
            *(signed(v.drop[1]), signed(v.random[1]), v.verdict("change")),
            *(signed(v.drop[0]), signed(v.random[0]), v.verdict("score")),
        )
        for v in sorted(words, key=lambda v: -v.drop[1])
    ]


def _token(token: NamedToken) -> tuple[str, ...]:
    values = (f"{token.cosine:.3f}", f"{token.p_untrained:.2f}", f"{token.p_shuffled:.2f}")
    return (token.token, *values, verdict(token))


def _bars(accounting: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Yield what the chart of the accounting draws: lengths in rem, from a common zero line."""
    low, high = min(0.0, *accounting.values()), max(0.0, *accounting.values())
    scale = AXIS_REM / (high - low or 1.0)
    for name, value in accounting.items():
        total = name in ("base", "modulated")
        yield {
            "name": name.replace("_", " "),
            "shown": f"{value:.4f}" if total else signed(value),
            "kind": "total" if total else "plus" if value >= 0 else "minus",
            "zero": scale * -low,
            "left": scale * (min(value, 0.0) - low),
            "width": scale * abs(value),
        }


LEGEND = (
    "Underlined: without the word the value falls. Dotted: without it the value rises. The "
    "strongest five are numbered. "
    "Struck out: beyond what the encoder reads. Estimated, not measured."
)


def verdict(token: NamedToken) -> str:
    """Say whether a token beats its nulls."""
    return "no more than chance" if token.spurious else "beats chance"


def trust_sentence(test: DeletionSummary | None) -> str:
    """Say in words what the deletion test found for this adapter."""
    if test is None:
        return (
            "This adapter's explanations were not tested by deletion here. To test them: "
            "imrnns-lens faithfulness."
        )
    return (
        f"Tested by deletion on {test.pairs} pairs of {test.dataset} {test.split}. On the "
        "change, where 0 is a random word and 1 the best "
        "word there is: the first word named in a document reaches "
        f"{test.named['document']:.2f}, in a query {test.named['query']:.2f}; after "
        "verification "
        f"{test.verified['document']:.2f} and {test.verified['query']:.2f}. Rank correlation "
        "of all estimated with "
        f"all measured drops: {test.rho['document']:.2f} and {test.rho['query']:.2f}."
    )
