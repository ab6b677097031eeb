"""Figures of the page Compare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard import formatting, theme
from dashboard.figures import canvas
from imrnns_core.retrieval.comparison import Comparison


class _Name(NamedTuple):
    """The name of a document at the right edge, and its text on a wide screen."""

    annotation: dict[str, Any]
    wide: str


LABEL_LENGTH = 20
"""Characters of a name at the right edge on a phone."""
WIDE_LABEL_LENGTH = 56
_WIDE_FROM = 800
"""From this width in pixels the chart has the longer names of documents and stages."""
NAMES_BELOW = 5
"""Most names of documents beyond the lower edge."""
_LINE = 16
"""Height of a name in pixels."""
_MARGIN, _LETTER = 136, 6.2
"""Smallest right margin, and width of a letter of a name, in pixels."""


def bump(comparison: Comparison, top_k: int, titles: dict[str, str], picked: str = "") -> go.Figure:
    """Draw the ranks of documents over the stages or rankings of a comparison.

    Drawn are all documents in the top k of any of them, every relevant candidate, and the picked
    one. Ranks below 2k are drawn at the lower edge; the hover label has the true rank.
    `customdata` holds the document id. The right edge names the documents where their lines end.
    """
    shown = _drawn(comparison, top_k, picked)
    floor, deepest = lower_edge(comparison, top_k, picked)
    names = _names(comparison, shown, floor, titles)
    below = -min((name.annotation["yshift"] for name in names), default=0)
    groups: dict[tuple[int, bool], list[int]] = {}  # emphasised documents last: drawn on top
    for i in sorted(shown.tolist(), key=lambda i: _weight(comparison, i, picked)):
        group = (min(int(comparison.relevance[i]), 1), comparison.document_ids[i] == picked)
        groups.setdefault(group, []).append(i)
    return canvas.figure(
        [_lines(comparison, rows, floor, titles, pick) for (_, pick), rows in groups.items()],
        186 + 14 * floor + below,
        fixed_margins=True,
        margin={"l": 58, "r": _MARGIN, "t": 48, "b": 40 + below},
        # Plotly hides the legend of a single trace
        showlegend=True,
        annotations=[name.annotation for name in names],
        # the server does not know the width: chart.js takes these on a wide screen
        meta=_wide_screen([name.wide for name in names], list(comparison.rankings)),
        yaxis=_rank_axis(floor, deepest > floor),
        xaxis={
            "type": "category",
            "range": [-0.2, len(comparison.rankings) - 0.8],
            "showgrid": False,
            "tickvals": list(comparison.rankings),
            # a phone has no room for the whole names on one line
            "ticktext": [formatting.HEADS[system] for system in comparison.rankings],
            "tickangle": 0,
            "tickfont": {"size": 10.5},
        },
    )


def _wide_screen(names: Sequence[str], ticks: Sequence[str]) -> dict[str, Any]:
    """Return the names for a wide screen, and the right margin that they need."""
    longest = max(map(len, names), default=0)
    return {
        "from": _WIDE_FROM,
        "right": max(_MARGIN, 16 + _LETTER * longest),
        "names": names,
        "ticks": ticks,
    }


def lower_edge(comparison: Comparison, top_k: int, picked: str = "") -> tuple[int, int]:
    """Return the rank at the lower edge of the chart, and the lowest rank of its documents."""
    rows = _drawn(comparison, top_k, picked)
    deepest = int(_ranks(comparison)[:, rows].max())
    # a single document at rank 90 would squeeze the top ranks into a strip
    return min(2 * top_k, deepest), deepest


_UNRANKED = np.iinfo(np.int64).max
"""The rank of a document that a ranking does not have, so that it comes last."""


def _drawn(comparison: Comparison, top_k: int, picked: str) -> NDArray[np.int64]:
    """Return the positions of the candidates that have a line."""
    ranks = _ranks(comparison)
    is_picked = np.array([i == picked for i in comparison.document_ids])
    return np.flatnonzero((ranks <= top_k).any(axis=0) | (comparison.relevance > 0) | is_picked)


def _ranks(comparison: Comparison) -> NDArray[np.int64]:
    """Return (S, K) ranks of the candidates in every ranking; unranked ones come last."""
    ranks = np.stack([comparison.rank(system) for system in comparison.rankings])
    return np.where(ranks == 0, _UNRANKED, ranks)


def _last(comparison: Comparison) -> NDArray[np.int64]:
    """Return (K,) ranks in the last ranking, where the lines end."""
    return np.asarray(_ranks(comparison)[-1])


def _weight(comparison: Comparison, i: int, picked: str) -> tuple[bool, bool]:
    return bool(comparison.relevance[i] > 0), comparison.document_ids[i] == picked


def _label_shifts(comparison: Comparison, shown: NDArray[np.int64], floor: int) -> dict[int, int]:
    """Return which documents have a name at the right edge, in order of rank.

    A name is where the line of its document ends. Lines beyond the lower edge all end there: their
    names follow one below the other, and the value is how many pixels each one is below the edge.
    If there are too many, relevant documents are named first.
    """
    last = _last(comparison)
    inside = sorted((i for i in shown.tolist() if last[i] <= floor), key=lambda i: last[i])
    beyond = sorted(
        (i for i in shown.tolist() if last[i] > floor),
        key=lambda i: (comparison.relevance[i] <= 0, last[i]),
    )[:NAMES_BELOW]
    edge_is_named = bool(inside) and last[inside[-1]] == floor
    lines = enumerate(sorted(beyond, key=lambda i: last[i]), start=int(edge_is_named))
    return dict.fromkeys(inside, 0) | {i: _LINE * line for line, i in lines}


def _names(
    comparison: Comparison, shown: NDArray[np.int64], floor: int, titles: dict[str, str]
) -> list[_Name]:
    """Return the names at the right edge; their hover texts are whole."""
    last, shifts = _last(comparison), _label_shifts(comparison, shown, floor)
    ids = [comparison.document_ids[i] for i in shifts]
    # a label has its rank where the axis does not show it
    ranks = [
        "" if last[i] <= floor else " (—)" if last[i] == _UNRANKED else f" ({last[i]:,})"
        for i in shifts
    ]
    short, wide = (
        _labels(ids, titles, ranks, length) for length in (LABEL_LENGTH, WIDE_LABEL_LENGTH)
    )
    names = [
        _name(
            min(int(last[i]), floor),
            shift,
            (text, wide_text),
            formatting.plain(titles[document_id] or document_id),
        )
        for (i, shift), document_id, text, wide_text in zip(
            shifts.items(), ids, short, wide, strict=True
        )
    ]
    if more := len(shown) - len(shifts):
        text = f"… and {more} more"
        names.append(_name(floor, max(shifts.values()) + _LINE, (text, text), ""))
    return names


def _name(y: int, shift: int, texts: tuple[str, str], hover: str) -> _Name:
    """Return a name at the right edge, `shift` pixels below a rank; `texts` are short and wide."""
    return _Name(
        {
            "x": 1,
            "xref": "paper",
            "xanchor": "left",
            "y": y,
            "yshift": -shift,
            "showarrow": False,
            "text": texts[0],
            "font": {"size": 11},
            "hovertext": hover,
            "captureevents": bool(hover),
        },
        texts[1],
    )


def _labels(
    ids: Sequence[str], titles: dict[str, str], ranks: Sequence[str], length: int
) -> list[str]:
    """Return titles cut at the end of a word; a title that two documents share becomes the id."""
    rooms = [length - len(rank) for rank in ranks]
    texts = [formatting.cut(titles[i] or i, room) for i, room in zip(ids, rooms, strict=True)]
    shared = {text for text, number in Counter(texts).items() if number > 1}
    texts = [
        # passages of one document have ids that differ at the end
        (i if len(i) <= room else "…" + i[1 - room :]) if text in shared else text
        for i, text, room in zip(ids, texts, rooms, strict=True)
    ]
    return [
        formatting.short(text, room) + rank
        for text, room, rank in zip(texts, rooms, ranks, strict=True)
    ]


def _rank_axis(floor: int, clipped: bool) -> dict[str, Any]:
    ticks = sorted({r for r in (1, 3, 5, 10, 15, 20, 30) if r < floor} | {floor})
    return {
        **canvas.titled("rank"),
        "range": [floor + 0.7, 0.3],
        "tickvals": ticks,
        "ticktext": [f"≥ {t}" if clipped and t == floor else str(t) for t in ticks],
        "showgrid": True,
    }


def _lines(
    comparison: Comparison, rows: list[int], floor: int, titles: dict[str, str], picked: bool
) -> dict[str, object]:
    """Return the lines of documents with one relevance as a single trace, with gaps in between.

    One trace per document would take a tenth of a second each.
    """
    grade = int(comparison.relevance[rows[0]])
    name, emphasised = formatting.relevance_name(grade), grade > 0 or picked
    ranks = np.minimum(_ranks(comparison), floor)
    y, custom, hover = list[float | None](), list[list[str] | None](), list[str | None]()
    for i in rows:
        y += [*ranks[:, i].tolist(), None]
        custom += [[comparison.document_ids[i]]] * len(comparison.rankings) + [None]
        hover += [*_hover_labels(comparison, i, titles), None]
    return {
        "type": "scatter",
        "x": [*comparison.rankings, None] * len(rows),
        "y": y,
        "mode": "lines+markers",
        "name": f"{name}, selected" if picked else name,
        "line": {
            "color": theme.relevance_colour(grade),
            # straight: a curve would leave the lower edge and come back
            "width": 4 if picked else 3 if emphasised else 1.5,
        },
        "marker": {"size": 10 if emphasised else 7, "symbol": theme.SYMBOLS[name]},
        "customdata": custom,
        "text": hover,
        "hovertemplate": "%{text}<extra></extra>",
    }


def _hover_labels(comparison: Comparison, i: int, titles: dict[str, str]) -> list[str]:
    """Return one hover label of a document per stage."""
    document_id = comparison.document_ids[i]
    title = formatting.plain(titles[document_id])
    name = f"<b>{formatting.short(document_id, 40)}</b><br>{title}<br>"
    relevance = formatting.relevance_name(int(comparison.relevance[i]))
    hits = {system: comparison.hit(system, document_id) for system in comparison.rankings}
    return [
        f"{name}{system}: "
        + (f"rank {hit.rank}, score {hit.score:.4f}" if hit else "not ranked")
        + f"<br>{relevance}"
        for system, hit in hits.items()
    ]
