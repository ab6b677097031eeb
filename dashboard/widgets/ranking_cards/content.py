"""The content of the cards: plain texts and numbers only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboard.widgets.highlighting import Span, card_texts

LINES = 160
"""Characters of a text on its card, about two lines. A click shows the whole text."""

_LEGEND = [
    {"text": "Marked words: ", "weight": 0},
    {"text": "solid green", "weight": 0.7},
    {"text": ": the word raises the score change. ", "weight": 0},
    {"text": "dotted orange", "weight": -0.7},
    {
        "text": ": the word lowers it. A thicker line means a stronger effect. The effects are "
        "estimates; words such as “the” and “of” are not marked.",
        "weight": 0,
    },
]


@dataclass(frozen=True)
class CardContent:
    """What each card of a document shows. All fields are shown as plain text."""

    title: str
    text: str
    relevance: str
    colour: str


@dataclass(frozen=True)
class Card:
    """One document in one ranking. All texts are shown as plain text.

    Attributes:
        document_id: Id of the document.
        rank: Its rank in this ranking.
        score: Its score in this ranking.
        move: Its ranks in both rankings.
        further: Whether its rank is below the top k of this ranking.
        skipped: Number of documents between the card above and this one.
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

    Attributes:
        title: Its name.
        caption: One line about it.
        cards: Its cards, in the order of their ranks.
        empty: The text that replaces the cards if there are none.
        rest: Number of documents below the last card.
        divider: The line above the cards whose rank is below the top k.
    """

    title: str
    caption: str
    cards: Sequence[Card]
    empty: str = "No documents."
    rest: int = 0
    divider: str = ""


@dataclass(frozen=True)
class Slider:
    """A slider above the columns. Each of its values has columns of its own.

    Attributes:
        label: What it changes.
        help: One or two sentences under the slider.
        value: Its current value, one of the keys of the steps.
        on_move: Called with the value at which it stopped.
    """

    label: str
    help: str
    value: float
    on_move: Callable[[float], None]


def payload(
    steps: Mapping[float, Sequence[Column]],
    contents: Mapping[str, CardContent],
    picked: str,
    spans: Mapping[str, Sequence[Span]],
    slider: Slider | None = None,
) -> dict[str, Any]:
    """Return what the browser draws: plain texts and numbers only.

    The arguments are those of `component.show`.
    """

    def content(document_id: str, item: CardContent) -> dict[str, Any]:
        title, text = card_texts(item.title, item.text, spans.get(document_id, ()), LINES)
        # a card without any title would have nothing to recognise it by
        title = title if item.title else card_texts(document_id, "", (), LINES)[0]
        return {**vars(item), "title": [vars(s) for s in title], "text": [vars(s) for s in text]}

    # contents are sent once, not with each card: 21 steps of α would repeat every text
    columns = [
        [{**vars(column), "cards": [vars(card) for card in column.cards]} for column in step]
        for step in steps.values()
    ]
    bar = slider and {
        "label": slider.label,
        "help": slider.help,
        "value": slider.value,
        "values": list(steps),
    }
    return {
        "steps": columns,
        "contents": {name: content(name, item) for name, item in contents.items()},
        "picked": picked,
        "legend": _LEGEND if any(spans.values()) else None,
        "slider": bar,
    }
