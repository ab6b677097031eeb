"""Rankings side by side as columns of cards.

Pointing at a card, or picking it, marks its twins on the whole page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import theme
from dashboard.widgets.highlighting import Span, card_texts

LINES = 160
"""Characters of a text on its card, about two lines; the whole text is one click away."""

CARD_HEIGHT = 84
"""Pixels of a card with a title of one line."""

SLIDER_HEIGHT = 46
"""Pixels of the slider above the columns."""


_FILES = Path(__file__).parent
_component = st.components.v2.component(
    "imrnns_lens.ranking_cards",
    html=(_FILES / "cards.html").read_text("utf-8"),
    css=theme.css_variables(":host") + (_FILES / "cards.css").read_text("utf-8"),
    js=(_FILES / "cards.js").read_text("utf-8"),
)

_LEGEND = [
    {"text": "Marked words: ", "weight": 0},
    {"text": "underlined", "weight": 0.7},
    {"text": " carry the change: without them it falls. ", "weight": 0},
    {"text": "Dotted", "weight": -0.7},
    {"text": " ones hold it back. The thicker, the more. Estimated, not measured.", "weight": 0},
]


@dataclass(frozen=True)
class Face:
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


def show(
    steps: Mapping[float, Sequence[Column]],
    faces: Mapping[str, Face],
    picked: str,
    on_pick: Callable[[str], None],
    key: str,
    spans: Mapping[str, Sequence[Span]] | None = None,
    slider: Slider | None = None,
) -> None:
    """Draw rankings side by side; `on_pick` gets the id of a clicked document.

    Args:
        steps: place of the slider → the rankings there; without a slider the only ones.
        faces: document id → what its cards show.
        picked: Id of the picked document.
        on_pick: Called with the id of a clicked one.
        key: Key of the component.
        spans: document id → (start, end, weight) of words to mark, over the document's encoded
            text, title + newline + text (the text alone where there is no title). Positive weights
            raise.
        slider: Chooses among the steps.
    """

    def clicked() -> None:
        document_id = st.session_state[key].picked
        if document_id:
            on_pick(str(document_id))

    def moved() -> None:
        place = st.session_state[key].moved
        if slider and place is not None:
            slider.on_move(float(place))

    tallest = max(
        (len(column.cards) for columns in steps.values() for column in columns), default=0
    )
    # Cards are drawn by the browser after the rest: without their room kept, the page would jump
    room = 60 + CARD_HEIGHT * tallest + (SLIDER_HEIGHT if slider else 0)
    st.html(
        f"<style>@media (min-width: 701px) {{ .st-key-{key} {{ min-height: {room}px; }} }}</style>"
    )
    _component(
        key=key,
        data=payload(steps, faces, picked, spans or {}, slider),
        on_picked_change=clicked,
        on_moved_change=moved,
    )


def payload(
    steps: Mapping[float, Sequence[Column]],
    faces: Mapping[str, Face],
    picked: str,
    spans: Mapping[str, Sequence[Span]],
    slider: Slider | None = None,
) -> dict[str, Any]:
    """Return what the browser draws: plain texts and numbers only."""

    def face(document_id: str, item: Face) -> dict[str, Any]:
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
