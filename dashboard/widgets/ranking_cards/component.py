"""Rankings side by side as columns of cards.

Pointing at a card, or picking it, marks its twins on the whole page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from dashboard.widgets.highlighting import Span, card_texts

LINES = 160
"""Characters of a text on its card, about two lines; the whole text is one click away."""

CARD_HEIGHT = 84
"""Pixels of a card with a title of one line."""

SLIDER_HEIGHT = 46
"""Pixels of the slider above the columns."""

_HTML = (
    '<div class="slider" hidden><label for="place"></label><output></output><input id="place" '
    'type="range" min="0"></div><div class="columns"></div>'
)

_CSS = """
.columns { display: grid; grid-template-columns: repeat(var(--count), minmax(0, 1fr)); gap: 0 .9rem; font-family: var(--st-font); color: var(--st-text-color); }
.slider { display: grid; grid-template-columns: 1fr auto; font-family: var(--st-font); font-size: .9rem; color: var(--st-text-color); margin: 0 0 .7rem; }
.slider[hidden] { display: none; }
.slider output { font-variant-numeric: tabular-nums; color: var(--st-primary-color); }
.slider input { grid-column: 1 / -1; width: 100%; margin: .3rem 0 0; accent-color: var(--st-primary-color); cursor: pointer; }
section { min-width: 0; }
h2 { font-size: 1rem; margin: 0 0 .1rem; }
.caption { font-size: .82rem; margin: 0 0 .5rem; min-height: 1.2em; }
.caption, .id, .skipped, .divider, .empty, .legend { color: color-mix(in srgb, var(--st-text-color) 76%, var(--st-background-color)); }
.card { display: block; box-sizing: border-box; width: 100%; text-align: left; font: inherit; color: inherit; background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color);
  border-left: 4px solid var(--edge); border-radius: .45rem; padding: .5rem .65rem; margin: 0 0 .45rem; cursor: pointer; }
.card:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.card.twin { border-color: var(--st-primary-color); border-left-color: var(--edge); box-shadow: 0 0 0 2px var(--st-primary-color); }
.card.picked { background: color-mix(in srgb, var(--st-primary-color) 14%, var(--st-background-color)); }
.top { display: flex; gap: .5rem; align-items: baseline; }
.rank { font-weight: 700; font-variant-numeric: tabular-nums; min-width: 1.5em; }
.title { font-weight: 600; flex: 1; min-width: 0; overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.score { font-variant-numeric: tabular-nums; font-size: .85rem; }
.meta { display: flex; flex-wrap: wrap; gap: .1rem .6rem; font-size: .8rem; margin: .1rem 0 .15rem 2em; }
.id { overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 1; overflow: hidden; }
.badge { font-weight: 600; } .badge::before { content: "\\25CF"; color: var(--badge); margin-right: .25em; }
.text { font-size: .84rem; line-height: 1.4; margin-left: 2em; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; overflow-wrap: anywhere; }
.skipped, .empty, .legend { font-size: .85rem; margin: 0 0 .45rem; }
.skipped { text-align: center; }
mark { color: inherit; border-radius: .15em; padding: 0 .08em; background: color-mix(in srgb, var(--ink) calc(12% + 26% * var(--strength)), transparent);
  text-decoration: underline; text-decoration-color: var(--ink); text-decoration-thickness: calc(1px + 2px * var(--strength)); text-underline-offset: .18em; }
mark.raises { --ink: #009e73; } mark.lowers { --ink: #d55e00; text-decoration-style: dotted; }
.divider { display: flex; gap: .6rem; align-items: center; font-size: .82rem; margin: .3rem 0 .6rem; }
.divider::before, .divider::after { content: ""; flex: 1; border-top: 1px solid var(--st-border-color); }
@media (max-width: 700px) { .columns { grid-template-columns: minmax(0, 1fr); gap: .8rem 0; } }
"""

_JS = """
const TWIN = "imrnns-lens-twin", REST_MS = 250;
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".columns"), shadow = root.getRootNode(), bar = parentElement.querySelector(".slider");
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;  // texts are never parsed as HTML
    return node;
  };
  const write = (node, segments) => {
    for (const { text, weight } of segments) {
      if (!weight) { node.append(text); continue; }
      const mark = make("mark", weight > 0 ? "raises" : "lowers", text);
      mark.style.setProperty("--strength", Math.abs(weight));
      mark.title = weight > 0 ? "carries the change" : "holds the change back";
      node.append(mark);
    }
    return node;
  };
  let cards = [];
  // All instances on the page listen: the ideal order stands in another column of the page
  const tell = (id) => document.dispatchEvent(new CustomEvent(TWIN, { detail: id }));
  const mark = ({ detail }) => cards.forEach((card) => card.classList.toggle("twin", detail !== null && card.dataset.document === detail));
  document.addEventListener(TWIN, mark);
  const make_card = (item) => {
    const face = data.faces[item.document_id];
    const card = make("button", item.further ? "card further" : "card");
    card.type = "button";
    card.dataset.document = item.document_id;
    card.dataset.rank = item.rank;
    card.style.setProperty("--edge", face.colour);
    card.setAttribute("aria-pressed", String(item.document_id === data.picked));
    card.classList.toggle("picked", item.document_id === data.picked);
    const top = make("div", "top"), meta = make("div", "meta"), title = write(make("span", "title"), face.title);
    top.append(make("span", "rank", item.rank), title, make("span", "score", item.score));
    const badge = make("span", "badge", face.relevance);
    badge.style.setProperty("--badge", face.colour);
    meta.append(badge, make("span", "move", item.move), make("span", "id", item.document_id));
    card.append(top, meta, write(make("div", "text"), face.text));
    card.onmouseenter = card.onfocus = () => tell(item.document_id);
    card.onmouseleave = card.onblur = () => tell(null);
    card.onclick = () => setTriggerValue("picked", item.document_id);
    cards.push(card);
    return card;
  };
  const draw = (columns) => {
    const focused = shadow.activeElement && shadow.activeElement.dataset ? { ...shadow.activeElement.dataset } : null;
    cards = [];
    root.replaceChildren();
    root.style.setProperty("--count", columns.length);
    for (const column of columns) {
      const section = make("section");
      section.setAttribute("aria-label", column.title);
      section.append(make("h2", "", column.title), make("p", "caption", column.caption));
      if (!column.cards.length) section.append(make("p", "empty", column.empty));
      for (const item of column.cards) {
        if (item.further && !section.querySelector(".divider")) section.append(make("p", "divider", "further down: relevant or picked"));
        if (item.skipped) section.append(make("p", "skipped", `⋮ ${item.skipped} skipped`));
        section.append(make_card(item));
      }
      if (column.rest) section.append(make("p", "skipped", `⋮ ${column.rest} more`));
      root.append(section);
    }
    if (data.legend) {
      const legend = make("p", "legend");
      legend.style.gridColumn = "1 / -1";
      write(legend, data.legend);
      root.append(legend);
    }
    if (focused && focused.document) {
      const again = cards.filter((card) => card.dataset.document === focused.document);
      (again.find((card) => card.dataset.rank === focused.rank) || again[0])?.focus();
    }
  };
  bar.hidden = !data.slider;
  if (!data.slider) draw(data.steps[0]);
  else {
    // The columns of every place are here: the slider draws them at once, and tells the server where it came to rest.
    // Until the server has answered, what it sends is of an earlier place, and does not move the slider
    const [name, shown, input] = bar.children, places = data.slider.places;
    if (bar.waiting === data.slider.at || !places.includes(bar.waiting)) bar.waiting = undefined;
    const go = (n) => {
      input.value = n;
      shown.textContent = places[n].toFixed(2);
      input.setAttribute("aria-valuetext", shown.textContent);
      draw(data.steps[n]);
    };
    name.textContent = data.slider.label;
    bar.title = data.slider.help;
    input.max = places.length - 1;
    input.oninput = () => {
      bar.waiting = places[Number(input.value)];
      go(Number(input.value));
      clearTimeout(bar.timer);
      bar.timer = setTimeout(() => input.isConnected && setTriggerValue("moved", bar.waiting), REST_MS);
    };
    go(places.indexOf(bar.waiting ?? data.slider.at));
  }
  return () => document.removeEventListener(TWIN, mark);
}
"""
_component = st.components.v2.component("imrnns_lens.ranking_cards", html=_HTML, css=_CSS, js=_JS)

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
