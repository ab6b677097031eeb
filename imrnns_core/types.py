"""Types, stage names and limits that all parts of the engine share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
DoubleArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

Qrels = Mapping[str, Mapping[str, int]]
"""Query id → document id → grade; 0 means not relevant, 1 or more means relevant."""

Stage = Literal["base", "projected", "document-modulated", "modulated"]
STAGES: tuple[Stage, ...] = get_args(Stage)
BASE_ONLY: tuple[Stage, ...] = ("base",)
"""The stages without an adapter."""
SCORE_PARTS = ("projector", "document_modulation", "query_refinement")
"""Parts that add up to the change from the base to the modulated score, in this order."""
UNJUDGED = -1
"""Relevance value of a document that has no judgment for the query."""

LabelledProgress = Callable[[str, int, int], None]
"""Called with (label, done, total)."""

Progress = Callable[[int, int], None]
"""Called with (done, total) after each batch."""
ROUNDING = 1e-6
"""Changes of scores or unit vectors up to this size are float32 rounding errors."""

Similarity = Literal["cosine", "dot"]
"""How the base ranks: by the cosine of the embeddings, or by their dot product."""

Side = Literal["document", "query"]
"""One of the two texts of a query-document pair."""
SIDES: tuple[Side, ...] = ("document", "query")

Target = Literal["score", "change"]
"""What a word affects: the score at the last stage, or its change (modulated − base)."""


def is_relevant(grade: int) -> bool:
    """Return whether this grade means that the document is relevant."""
    return grade > 0


def relevant_ids(judged: Mapping[str, int]) -> list[str]:
    """Return the ids of the relevant documents in the judgments of one query."""
    return [document_id for document_id, grade in judged.items() if is_relevant(grade)]
