"""The corpus as a cloud of dots, in groups that have a colour and a name each."""

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
"""Larger corpora are drawn with smaller dots."""


@dataclass(frozen=True)
class Group:
    """Documents of the corpus in one colour: a trace with `rows` (R,) of the corpus."""

    name: str
    colour: str
    rows: NDArray[np.int64]


@dataclass(frozen=True)
class Cloud:
    """A corpus as a cloud.

    Attributes:
        points: (N, 2 or 3) coordinates of the corpus.
        groups: How to draw it; documents without a group are not drawn.
        labels: (N,) hover labels. Without them a dot shows the name of its group, which is far
            less to send.
    """

    points: Array
    groups: Sequence[Group]
    labels: Sequence[str] | None = None

    @property
    def three(self) -> bool:
        """Whether it has three dimensions."""
        return bool(self.points.shape[1] == 3)


def traces(cloud: Cloud) -> list[dict[str, Any]]:
    """Return one trace per group; dots of a large corpus are smaller."""
    crowded = sum(len(group.rows) for group in cloud.groups) > CROWD
    size = 2 if cloud.three or crowded else 4
    # One grey group is only a background. Colours have a meaning, so they are drawn in full.
    opacity = 1.0 if len(cloud.groups) > 1 else 0.25 if crowded else 0.45
    return [_trace(cloud, group, size, opacity) for group in cloud.groups]


def _trace(cloud: Cloud, group: Group, size: int, opacity: float) -> dict[str, Any]:
    hover: dict[str, Any] = {"hovertemplate": formatting.short(group.name, 60) + "<extra></extra>"}
    if cloud.labels is not None:
        hover = {
            "text": [cloud.labels[row] for row in group.rows],
            "hovertemplate": "%{text}<extra></extra>",
        }
    return {
        # GL, because SVG is too slow for a hundred thousand dots
        "type": "scatter3d" if cloud.three else "scattergl",
        **map_marks.coordinates(cloud.points[group.rows]),
        "mode": "markers",
        "name": formatting.short(group.name, 40),
        "marker": {"size": size, "color": group.colour, "opacity": opacity},
        "showlegend": False,
        **hover,
    }


def group_names(cloud: Cloud, marks: Array, dark: bool) -> list[dict[str, Any]]:
    """Return a label for each group, next to the document nearest to the group's middle.

    Larger groups are placed first. A label that would cover an earlier one moves aside. If it has
    no room at all on a phone, it is left out, and only the hover label names the group.

    Args:
        cloud: The corpus and its groups.
        marks: (M, 2) points that labels avoid.
        dark: Whether the page is dark.
    """
    drawn = np.concatenate([cloud.points[group.rows] for group in cloud.groups])
    # a corpus of one document has no extent: any positive number will do
    pixel = max(float(np.ptp(drawn[:, i])) for i in (0, 1)) / label_placement.NARROW or 1.0
    # the largest groups are what a reader looks for first
    named = sorted((g for g in cloud.groups if len(g.rows)), key=lambda g: -len(g.rows))
    texts = [formatting.short(group.name, 28) for group in named]
    sizes = [
        (pixel * width, pixel * height)
        for width, height in (label_placement.size(f"■ {text}") for text in texts)
    ]
    candidates = [
        _label_centres(cloud.points[group.rows], size, drawn)
        for group, size in zip(named, sizes, strict=True)
    ]
    centres = label_placement.places(candidates, sizes, np.asarray(marks, np.float64))
    return [
        map_marks.label_annotation(
            *centre, f'<span style="color:{group.colour}">■</span> {text}', dark
        )
        for centre, text, group in zip(centres, texts, named, strict=True)
        if centre
    ]


def _label_centres(points: Array, size: tuple[float, float], drawn: Array) -> NDArray[np.float64]:
    """Return the centres (9, 2) that a label may have: its group's middle, and around it."""
    width, height = size
    middle = points[np.abs(points - np.median(points, axis=0)).sum(axis=1).argmin()]
    around = middle + np.array(
        [(x * width / 2, y * height) for y in (0, 1, -1) for x in (0, 1, -1)]
    )
    # a label outside the cloud would make the cloud smaller
    edges = (drawn[:, 0].min() + width / 2, drawn[:, 0].max() - width / 2)
    return np.stack([np.clip(around[:, 0], *edges), around[:, 1]], axis=1)
