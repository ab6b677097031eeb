"""The rows of the page as data frames: judged queries, and queries without judgments."""

from __future__ import annotations

import pandas as pd

from dashboard.formatting import SIGNS
from imrnns_core.data.dataset import Dataset
from imrnns_core.evaluation.evaluate import NDCG, Evaluation
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.remedies.causes import Diagnosis
from imrnns_core.reporting.causes import remedy_line

CHANGE = f"{NDCG} change"
TITLE_LENGTH = 80
"""Characters of a document without a title."""


def judged_queries(
    diagnoses: list[Diagnosis], dataset: Dataset, measured: Evaluation, split: str
) -> pd.DataFrame:
    """Return one row per diagnosis; causes and remedies are there once they are tried."""
    # the card of an imported adapter may not list its training documents
    groups = (
        {}
        if measured.groups is None
        else dict(zip(measured.query_ids, measured.groups.tolist(), strict=True))
    )
    frame = pd.DataFrame(
        {
            "query": dataset.queries[d.query_id].text,
            "outcome": f"{SIGNS[d.outcome]} {d.outcome}",
            **({CHANGE: d.change} if measured.has_adapter else {}),
            **{stage: d.ranks[n] or None for n, stage in enumerate(measured.stages)},
            "BM25": d.bm25_rank or None,
            **({"group": groups.get(d.query_id, "unknown")} if measured.has_adapter else {}),
            **({"cause": d.causes, "remedy": remedy_line(d)} if d.tried else {}),
            "split": split,
            "id": d.query_id,
        }
        for d in diagnoses
    )
    # ranks with gaps would become 3.0 instead of 3
    return frame.astype({**dict.fromkeys(measured.stages, "Int64"), "BM25": "Int64"})


def unjudged_queries(overlap: RankOverlap, dataset: Dataset) -> pd.DataFrame:
    """Return one row per query without judgments, the smallest overlap first."""

    def title(row: int) -> str:
        if row < 0:  # no document shares a word with the query
            return ""
        document = dataset.documents[row]
        return document.title or document.text[:TITLE_LENGTH]

    return pd.DataFrame(
        {
            "query": dataset.queries[overlap.query_ids[i]].text,
            "overlap": overlap.rbo[i],
            f"shared in top {overlap.top_k}": overlap.top_k_overlap[i],
            "base top document": title(int(overlap.top_documents[0, i])),
            f"{overlap.other} top document": title(int(overlap.top_documents[1, i])),
            "id": overlap.query_ids[i],
        }
        for i in overlap.rbo.argsort(kind="stable").tolist()
    )
