"""Types, stage names and limits that every part of the engine shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade: 0 is judged not relevant, 1 and more are relevant."""

Stage = Literal["base", "projected", "document-modulated", "modulated"]
STAGES: tuple[Stage, ...] = get_args(Stage)
SCORE_PARTS = ("projector", "document_modulation", "query_refinement")
"""Parts of the change from the base to the modulated score, in the order of the sum."""
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


def is_relevant(grade: int) -> bool:
    """Return whether a judgment of this grade says that the document is relevant."""
    return grade > 0


def relevant_ids(judged: Mapping[str, int]) -> list[str]:
    """Return the ids of the relevant documents among one query's judgments."""
    return [document_id for document_id, grade in judged.items() if is_relevant(grade)]
