"""The corpus as a cloud: groups of documents drawn alike, with their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard import formatting
from dashboard.figures import label_placement, map_marks
from dashboard.figures.map_marks import Array

CROWD = 20_000
"""More documents are drawn smaller and fainter."""


@dataclass(frozen=True)
class Group:
    """Documents of the corpus that are drawn alike.

    One trace of the background, `rows` (R,) of the corpus.
    """

    name: str
    colour: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Cloud:
    """A corpus as a cloud.

    Attributes:
        places: (N, 2 or 3) places of the corpus.
        groups: How to draw it; documents of no group are not drawn.
        labels: (N,) hover labels; without them a mark tells its group, which is far less to send.
    """

    places: Array
    groups: Sequence[Group]
    labels: Sequence[str] | None = None

    @property
    def three(self) -> bool:
        """Whether it has three dimensions."""
        return bool(self.places.shape[1] == 3)


def traces(cloud: Cloud) -> list[dict[str, Any]]:
    """Return a trace for each group. The more documents, the smaller and the fainter."""
    few = sum(len(group.rows) for group in cloud.groups) <= CROWD
    size = 2 if cloud.three else 4 if few else 2
    return [_trace(cloud, group, size, 0.45 if few else 0.25) for group in cloud.groups]


def _trace(cloud: Cloud, group: Group, size: int, opacity: float) -> dict[str, Any]:
    told: dict[str, Any] = {"hovertemplate": formatting.short(group.name, 60) + "<extra></extra>"}
    if cloud.labels is not None:
        told = {
            "text": [cloud.labels[row] for row in group.rows],
            "hovertemplate": "%{text}<extra></extra>",
        }
    return {
        "type": "scatter3d" if cloud.three else "scattergl",
        **map_marks.places(cloud.places[group.rows]),
        "mode": "markers",
        "name": formatting.short(group.name, 40),
        "marker": {"size": size, "color": group.colour, "opacity": opacity},
        "showlegend": False,
        **told,
    }


def group_names(cloud: Cloud, marks: Array, dark: bool) -> list[dict[str, Any]]:
    """Return notes with the groups' names, each beside the document nearest to its middle.

    The larger group comes first. A name steps aside for an earlier one, or is left to the hover
    label where there is no room on a narrow screen.
    """
    drawn = np.concatenate([cloud.places[group.rows] for group in cloud.groups])
    pixel = max(float(np.ptp(drawn[:, i])) for i in (0, 1)) / label_placement.NARROW or 1.0
    named = sorted((g for g in cloud.groups if len(g.rows)), key=lambda g: -len(g.rows))
    texts = [formatting.short(group.name, 28) for group in named]
    sizes = [
        (pixel * width, pixel * height)
        for width, height in (label_placement.size(f"■ {text}") for text in texts)
    ]
    candidates = [
        _candidates(cloud.places[group.rows], size, drawn)
        for group, size in zip(named, sizes, strict=True)
    ]
    found = label_placement.places(candidates, sizes, np.asarray(marks, np.float64))
    return [
        map_marks.note(*place, f'<span style="color:{group.colour}">■</span> {text}', dark)
        for place, text, group in zip(found, texts, named, strict=True)
        if place
    ]


def _candidates(places: Array, size: tuple[float, float], drawn: Array) -> NDArray[np.float64]:
    """Return the places (9, 2) of a name: its group's middle, and around it."""
    width, height = size
    middle = places[np.abs(places - np.median(places, axis=0)).sum(axis=1).argmin()]
    aside = middle + np.array([(x * width / 2, y * height) for y in (0, 1, -1) for x in (0, 1, -1)])
    # a name beyond the cloud would make it smaller
    edges = (drawn[:, 0].min() + width / 2, drawn[:, 0].max() - width / 2)
    return np.stack([np.clip(aside[:, 0], *edges), aside[:, 1]], axis=1)
