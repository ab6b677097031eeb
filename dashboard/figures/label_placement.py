"""Where labels go in a picture: never on each other, and off the marks as far as that can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

LETTER, LINE = 6.0, 19.0
"""Pixels that a letter takes in width, and a line in height, at 11 px."""
NARROW = 290.0
"""Pixels of a picture on a phone: what stands apart there stands apart on a wider screen."""


def size(text: str) -> tuple[float, float]:
    """Return width and height of a label in pixels."""
    return LETTER * len(text) + 12.0, LINE


def places(
    candidates: Sequence[NDArray[np.float64]],
    sizes: Sequence[tuple[float, float]],
    marks: NDArray[np.float64],
) -> list[tuple[float, float] | None]:
    """Return the centre of each label, the first labels first.

    None for one that would lie on an earlier one wherever it went.

    Of its free candidates a label takes the one that covers the fewest marks, the first of equals.

    Args:
        candidates: (C, 2) centres that each label may have.
        sizes: Width and height of each label, in the unit of the centres.
        marks: (M, 2) places that should stay visible.
    """
    chosen: list[tuple[float, float] | None] = []
    taken: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for centres, extent in zip(candidates, map(np.array, sizes), strict=True):
        free = np.ones(len(centres), bool)
        for other, its in taken:
            free &= (np.abs(centres - other) >= (extent + its) / 2).any(axis=1)
        covered = (
            (np.abs(centres[:, None] - marks[None]) < extent / 2).all(axis=2).sum(axis=1)
        )  # (C,)
        if not free.any():
            chosen.append(None)
            continue
        centre = centres[np.where(free, covered, len(marks) + 1).argmin()]
        taken.append((centre, extent))
        chosen.append((float(centre[0]), float(centre[1])))
    return chosen
