"""How similar two rankings of each query are. No judgments are needed.

They are the base and the modulated ranking or, without an adapter, base and BM25.

This shows how much the ranking changes, not whether it is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from imrnns_core.config import SearchConfig
from imrnns_core.data.dataset import Dataset
from imrnns_core.errors import DataError
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition, decompose_change
from imrnns_core.evaluation.evaluate import SCHEMA
from imrnns_core.retrieval.batch import NO_ROW, RankedBatch
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.hybrid import LEXICAL
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import DoubleArray, IntArray, Stage

UNJUDGED_SPLIT = "unjudged"
PERSISTENCE = 0.9
"""With this p of RBO, the first ten ranks have 86 % of the weight (Webber et al.)."""
UNRANKED = 10**9
"""The rank of a document that a ranking lacks, below all others."""


@dataclass(frozen=True)
class RankOverlap:
    """The base and another ranking of Q queries, compared without judgments.

    Attributes:
        dataset: Name of the data set.
        adapter: Name of the adapter; None without one.
        other: Name of the ranking that is compared with base: "modulated", or "BM25".
        query_ids: (Q,) in the order of the data set.
        rbo: (Q,) rank-biased overlap of both rankings, 1 if identical.
        top_k_overlap: (Q,) number of documents that the top `top_k` of both rankings have.
        top_documents: (2, Q) corpus row of the document at rank 1, −1 if a ranking is empty.
        top_k: Depth of `top_k_overlap`.
        batch: The rankings.
        document_ids: (N,) document ids of the corpus.
        lowest_rbo: The lowest rank-biased overlap that the two rankings can have.
        shares: The shares of the score change, None for a single query or without an adapter.
        run: Name of the run that is the base, None if the embeddings are ranked.
        left_out: Number of queries that the run does not rank. They are not among the Q queries.
    """

    dataset: str
    adapter: str | None
    other: str
    query_ids: tuple[str, ...]
    rbo: DoubleArray
    top_k_overlap: IntArray
    top_documents: IntArray
    top_k: int
    batch: RankedBatch
    document_ids: tuple[str, ...]
    lowest_rbo: float
    shares: ChangeDecomposition | None
    run: str | None = None
    left_out: int = 0

    @property
    def depth(self) -> int:
        """The number of candidates of each query; of a run, the largest one."""
        return int(self.batch.rows.shape[1])

    @property
    def top_document_changed(self) -> float:
        """Share of the queries with another document at rank 1."""
        return float((self.top_documents[0] != self.top_documents[1]).mean())

    def top_document(self, ranking: int, query: int) -> str | None:
        """Return the document at rank 1 of base (0) or the other ranking (1); None if empty."""
        row = int(self.top_documents[ranking, query])
        return None if row < 0 else self.document_ids[row]

    def to_json(self) -> dict[str, Any]:
        """Return the record that `imrnns-lens evaluate --json` writes without judgments."""
        queries = [
            {
                "query_id": query_id,
                "rbo": float(self.rbo[i]),
                "top_k_overlap": int(self.top_k_overlap[i]),
                "top_documents": {
                    name: self.top_document(s, i) for s, name in enumerate(("base", self.other))
                },
            }
            for i, query_id in enumerate(self.query_ids)
        ]
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "split": UNJUDGED_SPLIT,
            "adapter": self.adapter,
            "run": self.run,
            "n_queries": len(self.query_ids),
            "top_k": self.top_k,
            # the same keys as in a record with judgments
            "measures": None,
            "groups": None,
            "significance": None,
            "shares": None if self.shares is None else asdict(self.shares),
            "overlap": {
                "rbo": float(self.rbo.mean()),
                "lowest_rbo": self.lowest_rbo,
                "depth": self.depth,
                "top_k_overlap": float(self.top_k_overlap.mean()),
                "top_document_changed": self.top_document_changed,
            },
            "queries": queries,
        }


def rank_biased_overlap(
    ranks: IntArray, other_ranks: IntArray, p: float = PERSISTENCE
) -> DoubleArray:
    """Return the extrapolated rank-biased overlap (…,) of two rankings of K documents each.

    RBO_EXT of Webber, Moffat and Zobel, "A similarity measure for indefinite rankings", ACM TOIS
    28(4), 2010, for lists of equal depth: (1 − p)/p · Σ_d p^d · X_d/d + p^K · X_K/K. X_d is the
    number of documents in the top d of both rankings. A document counts from the larger of its two
    ranks on; one that the other ranking lacks has a rank above K there.

    Args:
        ranks: (…, K) ranks of the documents, from 1.
        other_ranks: (…, K) their ranks in the other ranking.
        p: Persistence: the smaller, the more the top ranks count.
    """
    depth = ranks.shape[-1]
    in_both = np.maximum(ranks, other_ranks)[..., None] <= np.arange(1, depth + 1)  # (…, K, K)
    agreement = in_both.sum(axis=-2) / np.arange(1, depth + 1)
    weights = p ** np.arange(1, depth + 1)
    overlap: DoubleArray = (1 - p) / p * (agreement * weights).sum(axis=-1) + (
        p**depth * agreement[..., -1]
    )
    return overlap


def lowest_rank_biased_overlap(depth: int, p: float = PERSISTENCE) -> float:
    """Return the lowest value of `rank_biased_overlap` for two rankings of the same documents.

    The lowest value is above 0: two rankings of K documents share at least 2d − K of their top d.
    A ranking and its reverse share no more than that at any depth.

    Args:
        depth: The number of documents K.
        p: Persistence.
    """
    ranks = np.arange(1, depth + 1)
    return float(rank_biased_overlap(ranks, ranks[::-1], p))


def unjudged_queries(dataset: Dataset) -> tuple[str, ...]:
    """Return the ids of the queries without judgments.

    Raises:
        DataError: Every query has judgments, or there is no query.
    """
    ids = tuple(query_id for query_id in dataset.queries if query_id not in dataset.split_of)
    if not ids:
        splits = ", ".join(dataset.splits)
        raise DataError(
            dataset.path / "queries.jsonl",
            "every query has judgments" if dataset.queries else "there are no queries",
            f"name a judged split with --split: {splits}" if dataset.queries else "add queries",
        )
    return ids


def measure_overlap(
    ranker: Ranker,
    query_ids: Sequence[str],
    top_k: int | None = None,
    lexical: BM25Index | None = None,
) -> RankOverlap:
    """Rank Q queries of the collection, and compare base and modulated rankings.

    Without an adapter, the base rankings are compared with BM25, whose index is `lexical`.

    Raises:
        ValueError: If there is neither an adapter nor an index.
        DataError: If the base is a run that ranks none of the queries.
    """
    collection, top = ranker.collection, top_k or SearchConfig().top_k
    asked, query_ids = len(query_ids), _ranked_queries(ranker, query_ids)
    batch = ranker.rank_queries(query_ids)
    base = batch.rank("base")
    if ranker.adapter_name is not None:
        other, first = batch.rank("modulated"), _top_rows(batch, "modulated")
        vectors = collection.query_vectors(query_ids)
        shares = decompose_change(ranker, batch, torch.from_numpy(vectors))
        lowest = lowest_rank_biased_overlap(base.shape[1])
    elif lexical is not None:
        other, first = _lexical_ranks(lexical, collection.dataset, query_ids, batch.rows)
        # two rankings of a corpus can have no document in common
        shares, lowest = None, 0.0
    else:
        raise ValueError("without an adapter, the BM25 index is needed")
    return RankOverlap(
        dataset=collection.dataset.name,
        adapter=ranker.adapter_name,
        other=LEXICAL if ranker.adapter_name is None else "modulated",
        query_ids=tuple(query_ids),
        rbo=_overlaps(base, other, batch.rows),
        top_k_overlap=((base <= top) & (other <= top)).sum(axis=1),
        top_documents=np.stack([_top_rows(batch, "base"), first]),
        top_k=top,
        batch=batch,
        document_ids=collection.dataset.document_ids,
        lowest_rbo=lowest,
        shares=shares,
        run=ranker.run_name,
        left_out=asked - len(query_ids),
    )


def _overlaps(base: IntArray, other: IntArray, rows: IntArray) -> DoubleArray:
    """Return the rank-biased overlap (Q,) of ranks (Q, K) of the candidates, rows (Q, K)."""
    per_query = zip(base, other, rows != NO_ROW, strict=True)
    return np.array(
        [rank_biased_overlap(ranks[own], others[own]) for ranks, others, own in per_query]
    )


def _ranked_queries(ranker: Ranker, query_ids: Sequence[str]) -> Sequence[str]:
    """Return the queries that have candidates: without any, there is nothing to compare."""
    if ranker.run_name is None:
        return query_ids
    rows = ranker.rank_queries(query_ids).rows
    ranked = [q for q, own in zip(query_ids, rows, strict=True) if (own != NO_ROW).any()]
    if not ranked:
        raise DataError(
            ranker.collection.dataset.path,
            f"the run {ranker.run_name} ranks none of the queries without judgments",
            "choose another base, or a judged split",
        )
    return ranked


def _top_rows(batch: RankedBatch, stage: Stage) -> IntArray:
    """Return the corpus row (Q,) at rank 1 of each query."""
    return np.array([rows[0] for rows in batch.ranked_rows(stage)], dtype=np.int64)


def _lexical_ranks(
    lexical: BM25Index, dataset: Dataset, query_ids: Sequence[str], rows: IntArray
) -> tuple[IntArray, IntArray]:
    """Return the BM25 ranks (Q, K) of candidates, rows (Q, K), and the rows (Q,) at rank 1.

    A candidate that is not in the top K of BM25 has the rank `UNRANKED`. Of a query with fewer than
    K candidates, as many documents by BM25 count.
    """
    ranks, first = np.full(rows.shape, UNRANKED), np.full(len(rows), -1)
    texts = [dataset.queries[query_id].text for query_id in query_ids]
    own = dataset.left_out_rows(query_ids)
    for i, matches in enumerate(lexical.matches(texts, rows.shape[1], own)):
        depth = int((rows[i] != NO_ROW).sum())
        rank_of = {row: n for n, row in enumerate(matches[:depth].tolist(), 1)}
        ranks[i] = [rank_of.get(row, UNRANKED) for row in rows[i].tolist()]
        if len(matches):
            first[i] = matches[0]
    return ranks, first
