"""Types, stage names and limits that every part of the engine shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Doubles = NDArray[np.float64]
IntArray = NDArray[np.int64]

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade: 0 is judged not relevant, 1 and more are relevant."""

Stage = Literal["base", "projected", "document-modulated", "modulated"]
STAGES: tuple[Stage, ...] = get_args(Stage)
UNJUDGED = -1
"""The relevance of a document that has no judgment for the query."""

LabelledProgress = Callable[[str, int, int], None]
"""Called with (what, done, total)."""

Progress = Callable[[int, int], None]
"""Called with (done, total) after each batch."""
ROUNDING = 1e-6
"""A change of scores, or of unit vectors, that is no larger than this comes from float32 alone."""

Side = Literal["document", "query"]
"""Which of a pair's two texts."""
