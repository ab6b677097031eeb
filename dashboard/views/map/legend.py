"""The legend of a map: what each sign and each colour means."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence

import streamlit as st

from dashboard import formatting, state, theme
from dashboard.views.map.drawn_documents import Colours

SIGNS = {"relevant": "★", "not relevant": "✕", "unjudged": "●"}
NAMES = {"not relevant": "judged not relevant"}
EXPLANATIONS = {
    "cluster": (
        "Clusters of the projected embeddings (k-means), named by the words that distinguish them "
        "(class-based TF-IDF). In brackets: how many of the drawn documents are in the cluster."
    ),
    "subject": (
        "The most frequent subjects among the drawn documents have a colour each; all others are "
        "grey. In brackets: how many of the drawn documents have the subject."
    ),
}


def show(colours: Colours) -> None:
    """Draw the legend of the signs and colours in the picture."""
    by = state.current().colour
    st.html(f'<div class="groups">{" ".join(_signs(by == "relevance"))}</div>')
    if by in EXPLANATIONS:
        st.caption(EXPLANATIONS[by])
    if by == "movement":
        st.html(f'<div class="groups">{_movement_scale(colours.values)}</div>')
    # the most frequent group first, as in the picture it is the largest; there are no names where
    # the colours show values, so the lengths can differ
    drawn = Counter(zip(colours.names, colours.colours, strict=False)).most_common()
    entries = [
        f'<span><span style="color:{c}">■</span> {html.escape(n)} ({count})</span>'
        for (n, c), count in drawn
    ]
    if entries:
        st.html(f'<div class="groups" data-legend="names">{" ".join(entries)}</div>')


def _signs(coloured: bool) -> list[str]:
    """Return the legend of the signs, in their colours if these mean relevance."""
    grades = {"relevant": 1, "not relevant": 0, "unjudged": -1}
    signs = [
        (sign, NAMES.get(name, name), theme.relevance_colour(grades[name]) if coloured else "")
        for name, sign in SIGNS.items()
    ]
    if state.current().view == "effective":
        signs += [("◇", "query q", theme.QUERY), ("◆", "effective query", theme.QUERY)]
        signs.append(("•", "other documents of the corpus", theme.BASE))
        return _marked(signs)
    # only the target view draws base positions, and has the query in its centre
    is_target = state.current().view == "target"
    is_moved = state.has_adapter() and not is_target
    signs.append(("◆", "modulated query" if is_moved else "query", theme.QUERY))
    if state.has_adapter() and is_target:
        signs.append(("○", "base position of a document", theme.BASE))
    elif state.has_adapter():
        signs.append(("◇", "projected query", theme.QUERY))
    if not is_target:
        signs.append(("•", "corpus", theme.BASE))
    return _marked(signs)


def _marked(signs: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return each sign in its colour, with its name."""
    return [
        f"<span><span{f' style=color:{colour}' if colour else ''}>{sign}</span> {name}</span>"
        for sign, name, colour in signs
    ]


def _movement_scale(values: Sequence[float]) -> str:
    """Return the colour scale of the movement, with its ends."""
    colours = theme.page_colours(state.dark())
    gradient = f"linear-gradient(90deg,{colours.moved_least},{colours.moved_most})"
    bar = (
        f'<span style="display:inline-block;width:9rem;height:.7rem;background:{gradient}"></span>'
    )
    low, high = formatting.decimal(min(values)), formatting.decimal(max(values))
    return f"<span>true movement (cosine distance) {low} {bar} {high}</span>"
