"""Rankings side by side as columns of cards; hovering or picking a card marks its twin in the other columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import streamlit as st

_HTML = '<div class="columns"></div>'

_CSS = """
.columns { display: grid; grid-template-columns: repeat(var(--count), minmax(0, 1fr)); gap: 0 .9rem; font-family: var(--st-font); color: var(--st-text-color); container-type: inline-size; }
section { min-width: 0; }
h3 { font-size: 1rem; margin: 0 0 .1rem; }
.caption { font-size: .82rem; opacity: .75; margin: 0 0 .5rem; min-height: 1.2em; }
.card { display: block; width: 100%; text-align: left; font: inherit; color: inherit; background: var(--st-secondary-background-color); border: 1px solid var(--st-border-color);
  border-left: 4px solid var(--edge); border-radius: .45rem; padding: .5rem .65rem; margin: 0 0 .45rem; cursor: pointer; }
.card:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.card.twin { border-color: var(--st-primary-color); box-shadow: 0 0 0 1px var(--st-primary-color); }
.card.picked { background: color-mix(in srgb, var(--st-primary-color) 14%, var(--st-background-color)); }
.top { display: flex; gap: .5rem; align-items: baseline; }
.rank { font-weight: 700; font-variant-numeric: tabular-nums; min-width: 1.5em; }
.title { font-weight: 600; flex: 1; min-width: 0; overflow-wrap: anywhere; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; }
.score { font-variant-numeric: tabular-nums; font-size: .85rem; opacity: .85; }
.meta { display: flex; flex-wrap: wrap; gap: .1rem .6rem; font-size: .8rem; margin: .1rem 0 .15rem 2em; }
.id { opacity: .75; overflow-wrap: anywhere; }
.badge { font-weight: 600; } .badge::before { content: "\\25CF"; color: var(--badge); margin-right: .25em; }
.text { font-size: .84rem; line-height: 1.4; opacity: .9; margin-left: 2em; display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; overflow-wrap: anywhere; }
.empty { font-size: .9rem; opacity: .75; }
@media (max-width: 700px) { .columns { grid-template-columns: minmax(0, 1fr); gap: .8rem 0; } }
"""

_JS = """
export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".columns");
  root.replaceChildren();
  root.style.setProperty("--count", data.columns.length);
  const make = (tag, name, text) => {
    const node = document.createElement(tag);
    if (name) node.className = name;
    if (text !== undefined) node.textContent = text;  // texts are never parsed as HTML
    return node;
  };
  const cards = [];
  const mark = (id) => cards.forEach((card) => card.classList.toggle("twin", id !== null && card.dataset.document === id));
  for (const column of data.columns) {
    const section = make("section");
    section.setAttribute("aria-label", column.title);
    section.append(make("h3", "", column.title), make("p", "caption", column.caption));
    if (!column.cards.length) section.append(make("p", "empty", column.empty));
    for (const item of column.cards) {
      const card = make("button", "card");
      card.type = "button";
      card.dataset.document = item.document_id;
      card.dataset.rank = item.rank;
      card.style.setProperty("--edge", item.colour);
      card.setAttribute("aria-pressed", String(item.document_id === data.picked));
      card.classList.toggle("picked", item.document_id === data.picked);
      const top = make("div", "top"), meta = make("div", "meta");
      top.append(make("span", "rank", item.rank), make("span", "title", item.title), make("span", "score", item.score));
      const badge = make("span", "badge", item.relevance);
      badge.style.setProperty("--badge", item.colour);
      meta.append(badge, make("span", "move", item.move), make("span", "id", item.document_id));
      card.append(top, meta, make("div", "text", item.text));
      card.title = item.title;
      card.onmouseenter = card.onfocus = () => mark(item.document_id);
      card.onmouseleave = card.onblur = () => mark(null);
      card.onclick = () => setTriggerValue("picked", item.document_id);
      cards.push(card);
      section.append(card);
    }
    root.append(section);
  }
}
"""
_component = st.components.v2.component("imrnns_lens.ranking_cards", html=_HTML, css=_CSS, js=_JS)


@dataclass(frozen=True)
class Card:
    """One document in one ranking; all fields are shown as they are."""

    document_id: str
    title: str
    text: str
    rank: str
    score: str
    relevance: str
    colour: str
    move: str


@dataclass(frozen=True)
class Column:
    """One ranking; `empty` is said where it has no cards."""

    title: str
    caption: str
    cards: Sequence[Card]
    empty: str = "No documents."


def show(columns: Sequence[Column], picked: str, on_pick: Callable[[str], None], key: str) -> None:
    """Draw the columns; `on_pick` gets the id of a clicked document."""

    def clicked() -> None:
        document_id = st.session_state[key].picked
        if document_id:
            on_pick(str(document_id))

    _component(key=key, data={"columns": [asdict(column) for column in columns], "picked": picked}, on_picked_change=clicked)
