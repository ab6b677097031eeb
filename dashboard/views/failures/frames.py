"""The rows of the page as tables: failures, and moves where nothing is judged."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from dashboard.formatting import SIGNS
from imrnns_core.data.dataset import Dataset
from imrnns_core.evaluation.diagnosis import Diagnosis
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.types import STAGES

NOWHERE = 10**6
TEXT = 80
"""Characters of a document without a title."""


def worst_first(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Return diagnoses, the worst losses first; of equals, the deepest."""
    return sorted(found, key=lambda d: (d.change, -(d.ranks[-1] or NOWHERE)))


def failures(
    rows: list[Diagnosis], dataset: Dataset, measured: Evaluation, split: str
) -> pd.DataFrame:
    """Return a row for each diagnosis."""
    groups = (
        {}
        if measured.groups is None
        else dict(zip(measured.query_ids, measured.groups.tolist(), strict=True))
    )
    frame = pd.DataFrame(
        {
            "query": dataset.queries[d.query_id].text,
            "outcome": f"{SIGNS[d.outcome]} {d.outcome}",
            "ΔnDCG@10": d.change,
            **{stage: d.ranks[n] or None for n, stage in enumerate(STAGES)},
            "BM25": d.bm25_rank or None,
            "group": groups.get(d.query_id),
            "why": _why(d),
            "split": split,
            "id": d.query_id,
        }
        for d in rows
    )
    return frame.astype({**dict.fromkeys(STAGES, "Int64"), "BM25": "Int64"})


def _why(found: Diagnosis) -> str:
    """Name the causes; an empty cell would look as if nothing were wrong."""
    return ", ".join(f.cause for f in found.findings) or (
        "" if found.ranks[-1] == 1 else "no known cause"
    )


def moves(moved: RankOverlap, dataset: Dataset) -> pd.DataFrame:
    """Return a row for each query without judgments, the most moved first."""

    def title(row: int) -> str:
        document = dataset.documents[row]
        return document.title or document.text[:TEXT]

    return pd.DataFrame(
        {
            "query": dataset.queries[moved.query_ids[i]].text,
            "overlap": moved.rbo[i],
            f"first {moved.top_k} kept": moved.top_k_overlap[i],
            "first in base": title(int(moved.top_documents[0, i])),
            "first in modulated": title(int(moved.top_documents[1, i])),
            "id": moved.query_ids[i],
        }
        for i in moved.rbo.argsort(kind="stable").tolist()
    )
