"""What the cards show: plain texts and numbers only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.widgets.highlighting import Span, card_texts

LINES = 160
"""Characters of a text on its card, about two lines; the whole text is one click away."""

_LEGEND = [
    {"text": "Marked words: ", "weight": 0},
    {"text": "underlined", "weight": 0.7},
    {"text": " carry the change: without them it falls. ", "weight": 0},
    {"text": "Dotted", "weight": -0.7},
    {"text": " ones hold it back. The thicker, the more. Estimated, not measured.", "weight": 0},
]


@dataclass(frozen=True)
class CardContent:
    """What a card shows of its document, wherever it stands; all fields are shown as they are."""

    title: str
    text: str
    relevance: str
    colour: str


@dataclass(frozen=True)
class Card:
    """One document in one ranking; all fields are shown as they are.

    `further` marks a card below the shown ranks; `skipped` documents between the card above and
    this one are counted.
    """

    document_id: str
    rank: str
    score: str
    move: str
    further: bool = False
    skipped: int = 0


@dataclass(frozen=True)
class Column:
    """One ranking.

    `rest` documents below its last card are counted, `empty` is said where it has no cards.
    """

    title: str
    caption: str
    cards: Sequence[Card]
    empty: str = "No documents."
    rest: int = 0


@dataclass(frozen=True)
class Slider:
    """A slider above the columns, with columns of its own for each of its places.

    Attributes:
        label: What it changes.
        help: Said where it is pointed at.
        at: Where it stands, one of the places.
        on_move: Called with the place where it came to rest.
    """

    label: str
    help: str
    at: float
    on_move: Callable[[float], None]


def payload(
    steps: Mapping[float, Sequence[Column]],
    faces: Mapping[str, CardContent],
    picked: str,
    spans: Mapping[str, Sequence[Span]],
    slider: Slider | None = None,
) -> dict[str, Any]:
    """Return what the browser draws: plain texts and numbers only."""

    def face(document_id: str, item: CardContent) -> dict[str, Any]:
        title, text = card_texts(item.title, item.text, spans.get(document_id, ()), LINES)
        title = title if item.title else card_texts(document_id, "", (), LINES)[0]
        return {**vars(item), "title": [vars(s) for s in title], "text": [vars(s) for s in text]}

    drawn = {document_id: face(document_id, item) for document_id, item in faces.items()}
    columns = [
        [{**vars(column), "cards": [vars(card) for card in column.cards]} for column in step]
        for step in steps.values()
    ]
    bar = slider and {
        "label": slider.label,
        "help": slider.help,
        "at": slider.at,
        "places": list(steps),
    }
    return {
        "steps": columns,
        "faces": drawn,
        "picked": picked,
        "legend": _LEGEND if any(spans.values()) else None,
        "slider": bar,
    }
