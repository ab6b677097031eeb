"""Placement of labels in a figure: without overlaps, and away from the marks where possible."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LETTER, LINE = 6.0, 19.0
"""Width of a letter and height of a line at a font size of 11, in pixels."""
NARROW = 290.0
"""Width of a figure on a phone in pixels. Labels that fit there fit on a wider screen, too."""


def size(text: str) -> tuple[float, float]:
    """Return width and height of a label in pixels."""
    return LETTER * len(text) + 12.0, LINE


def places(
    candidates: Sequence[NDArray[np.float64]],
    sizes: Sequence[tuple[float, float]],
    marks: NDArray[np.float64],
) -> list[tuple[float, float] | None]:
    """Return the centre of each label, or None if the label has no room.

    Earlier labels have priority. A label takes the first of the free centres that cover the fewest
    marks.

    Args:
        candidates: For each label the (C, 2) centres that it may take.
        sizes: Width and height of each label, in the unit of the centres.
        marks: (M, 2) positions that should stay visible.
    """
    centres_taken: list[tuple[float, float] | None] = []
    occupied: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for centres, extent in zip(candidates, map(np.array, sizes), strict=True):
        free = np.ones(len(centres), bool)
        for other_centre, other_extent in occupied:
            # two boxes overlap only if they overlap in both directions
            free &= (np.abs(centres - other_centre) >= (extent + other_extent) / 2).any(axis=1)
        covered = (
            (np.abs(centres[:, None] - marks[None]) < extent / 2).all(axis=2).sum(axis=1)
        )  # (C,)
        if not free.any():
            centres_taken.append(None)
            continue
        # centres that are not free get a count that no free one can have
        centre = centres[np.where(free, covered, len(marks) + 1).argmin()]
        occupied.append((centre, extent))
        centres_taken.append((float(centre[0]), float(centre[1])))
    return centres_taken
