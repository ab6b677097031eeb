"""Rankings side by side as columns of cards; pointing at a card, or picking it, marks its twins on the whole page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from dashboard.components.marks import Span, card_texts

LINES = 160
"""Characters of a text on its card, about two lines; the whole text is one click away."""

CARD_HEIGHT = 84
"""Pixels of a card with a title of one line."""

_HTML = '<div class="columns"></div>'

_CSS = """
.columns { display: grid; grid-template-columns: repeat(var(--count), minmax(0, 1fr)); gap: 0 .9rem; font-family: var(--st-font); color: var(--st-text-color); }
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
const TWIN = "imrnns-lens-twin";
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".columns"), shadow = root.getRootNode();
  const focused = shadow.activeElement && shadow.activeElement.dataset ? { ...shadow.activeElement.dataset } : null;
  root.replaceChildren();
  root.style.setProperty("--count", data.columns.length);
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
  const cards = [];
  // All instances on the page listen: the ideal order stands in another column of the page
  const tell = (id) => document.dispatchEvent(new CustomEvent(TWIN, { detail: id }));
  const mark = ({ detail }) => cards.forEach((card) => card.classList.toggle("twin", detail !== null && card.dataset.document === detail));
  document.addEventListener(TWIN, mark);
  const draw = (item) => {
    const card = make("button", item.further ? "card further" : "card");
    card.type = "button";
    card.dataset.document = item.document_id;
    card.dataset.rank = item.rank;
    card.style.setProperty("--edge", item.colour);
    card.setAttribute("aria-pressed", String(item.document_id === data.picked));
    card.classList.toggle("picked", item.document_id === data.picked);
    const top = make("div", "top"), meta = make("div", "meta"), title = write(make("span", "title"), item.title);
    top.append(make("span", "rank", item.rank), title, make("span", "score", item.score));
    const badge = make("span", "badge", item.relevance);
    badge.style.setProperty("--badge", item.colour);
    meta.append(badge, make("span", "move", item.move), make("span", "id", item.document_id));
    card.append(top, meta, write(make("div", "text"), item.text));
    card.onmouseenter = card.onfocus = () => tell(item.document_id);
    card.onmouseleave = card.onblur = () => tell(null);
    card.onclick = () => setTriggerValue("picked", item.document_id);
    cards.push(card);
    return card;
  };
  for (const column of data.columns) {
    const section = make("section");
    section.setAttribute("aria-label", column.title);
    section.append(make("h2", "", column.title), make("p", "caption", column.caption));
    if (!column.cards.length) section.append(make("p", "empty", column.empty));
    for (const item of column.cards) {
      if (item.further && !section.querySelector(".divider")) section.append(make("p", "divider", "further down: relevant or picked"));
      if (item.skipped) section.append(make("p", "skipped", `⋮ ${item.skipped} skipped`));
      section.append(draw(item));
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
class Card:
    """One document in one ranking; all fields are shown as they are.

    `further` marks a card below the shown ranks; `skipped` documents between the card above and this one are counted.
    """

    document_id: str
    title: str
    text: str
    rank: str
    score: str
    relevance: str
    colour: str
    move: str
    further: bool = False
    skipped: int = 0


@dataclass(frozen=True)
class Column:
    """One ranking; `rest` documents below its last card are counted, `empty` is said where it has no cards."""

    title: str
    caption: str
    cards: Sequence[Card]
    empty: str = "No documents."
    rest: int = 0


def show(
    columns: Sequence[Column],
    picked: str,
    on_pick: Callable[[str], None],
    key: str,
    spans: Mapping[str, Sequence[Span]] | None = None,
) -> None:
    """Draw the columns; `on_pick` gets the id of a clicked document.

    Args:
        columns: The rankings.
        picked: Id of the picked document.
        on_pick: Called with the id of a clicked one.
        key: Key of the component.
        spans: document id → (start, end, weight) of words to mark, over the document's encoded text,
            title + newline + text (the text alone where there is no title). Positive weights raise.
    """

    def clicked() -> None:
        document_id = st.session_state[key].picked
        if document_id:
            on_pick(str(document_id))

    tallest = max((len(column.cards) for column in columns), default=0)
    # Cards are drawn by the browser after the rest: without their room kept, the page would jump
    st.html(f"<style>@media (min-width: 701px) {{ .st-key-{key} {{ min-height: {60 + CARD_HEIGHT * tallest}px; }} }}</style>")
    _component(key=key, data=payload(columns, picked, spans or {}), on_picked_change=clicked)


def payload(columns: Sequence[Column], picked: str, spans: Mapping[str, Sequence[Span]]) -> dict[str, Any]:
    """Return what the browser draws: plain texts and numbers only."""

    def card(item: Card) -> dict[str, Any]:
        shown_title, shown_text = card_texts(item.title, item.text, spans.get(item.document_id, ()), LINES)
        title = shown_title if item.title else card_texts(item.document_id, "", (), LINES)[0]
        return {**asdict(item), "title": [asdict(s) for s in title], "text": [asdict(s) for s in shown_text]}

    drawn = [{**asdict(column), "cards": [card(item) for item in column.cards]} for column in columns]
    return {"columns": drawn, "picked": picked, "legend": _LEGEND if any(spans.values()) else None}
