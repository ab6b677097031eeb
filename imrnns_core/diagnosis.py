"""Why a query fails: causes that can be checked, each in a sentence with its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.evaluation import Bucket, Evaluation
from imrnns_core.measures import Measured
from imrnns_core.ranking import Ranker
from imrnns_core.records import STAGES, UNJUDGED

NEAR_DUPLICATE = 0.9
"""Cosine of base embeddings from which two documents count as near-duplicates."""
UNKNOWN_WORD_PIECES = 4
"""A query word that the encoder cuts into this many pieces or more counts as unknown to it."""
LEXICAL_TOP = 3
"""BM25 "has it" when a relevant document is among its first few."""

Cause = Literal["outside the pool", "lexical gap", "truncated text", "near-duplicate above", "unjudged on top", "unknown words"]


@dataclass(frozen=True)
class Finding:
    """One cause, and the sentence that shows it."""

    cause: Cause
    sentence: str


@dataclass(frozen=True)
class Diagnosis:
    """One query: what the adapter did to it, where its best relevant document stands, and why it is not on top.

    `ranks` (4,) and `bm25_rank` count from 1; 0 where no relevant document is among the candidates.
    `findings` is empty where the best relevant document stands first.
    """

    query_id: str
    bucket: Bucket
    delta: float
    ranks: tuple[int, ...]
    bm25_rank: int
    findings: tuple[Finding, ...]


def diagnose(ranker: Ranker, evaluation: Evaluation, bm25: Measured) -> list[Diagnosis]:
    """Look for the causes of every query of an evaluation whose best relevant document is not first after modulation.

    Args:
        ranker: The ranker behind the evaluation.
        evaluation: The evaluation.
        bm25: The lexical baseline on the same queries.
    """
    dataset = ranker.collection.dataset
    delta = evaluation.column("modulated") - evaluation.column("base")
    texts = [dataset.queries[q].text for q in evaluation.query_ids]
    limit = ranker.collection.encoder.max_tokens
    tokens: dict[int, int] = {}
    result = []
    for i, (query_id, bucket) in enumerate(zip(evaluation.query_ids, evaluation.buckets(), strict=True)):
        judged = evaluation.qrels[query_id]
        relevant = np.array([ranker.collection.documents.row[d] for d, g in judged.items() if g > 0])
        ranks = tuple(int(r) for r in evaluation.best_ranks[:, i])
        bm25_rank = int(bm25.best_ranks[i])
        findings: list[Finding] = []
        if ranks[-1] != 1:
            new = [row for row in relevant.tolist() if row not in tokens]
            tokens.update(zip(new, ranker.collection.encoder.count_tokens([dataset.documents[r] for r in new]).tolist(), strict=True))
            findings = _pool(ranks, len(evaluation.batch.rows[i])) + _lexical(ranks[-1], bm25_rank) + _truncated(relevant, tokens, limit)
            findings += _ranking(ranker, evaluation, i, relevant, judged) + _words(ranker, texts[i])
        result.append(Diagnosis(query_id, bucket, float(delta[i]), ranks, bm25_rank, tuple(findings)))
    return result


def _first(ranked: NDArray[np.int64], relevant: NDArray[np.int64]) -> int:
    found = np.flatnonzero(np.isin(ranked, relevant))
    return int(found[0]) + 1 if found.size else 0


def _pool(ranks: tuple[int, ...], candidates: int) -> list[Finding]:
    if ranks[0]:
        return []
    return [Finding("outside the pool", f"No relevant document is among the {candidates} candidates: no re-scoring can help.")]


def _lexical(rank: int, bm25_rank: int) -> list[Finding]:
    if not 1 <= bm25_rank <= LEXICAL_TOP or (rank and rank <= bm25_rank):
        return []
    where = f"the modulated ranking has it at {rank}" if rank else "it is not among the candidates"
    return [
        Finding(
            "lexical gap",
            f"BM25 ranks a relevant document at {bm25_rank}, {where}: the words they share count for more there than in the embedding.",
        )
    ]


def _truncated(relevant: NDArray[np.int64], tokens: dict[int, int], limit: int) -> list[Finding]:
    longest = max((tokens[int(row)] for row in relevant), default=0)
    if longest <= limit:
        return []
    return [Finding("truncated text", f"The encoder saw the first {limit} of {longest} word pieces of a relevant document.")]


def _ranking(ranker: Ranker, evaluation: Evaluation, i: int, relevant: NDArray[np.int64], judged: Mapping[str, int]) -> list[Finding]:
    """Look at what stands above the best relevant candidate in the modulated ranking."""
    ids = ranker.collection.dataset.document_ids
    ranked = evaluation.batch.rows[i][np.argsort(evaluation.batch.ranks[i, STAGES.index("modulated")])]
    findings = []
    position = _first(ranked, relevant)
    if position > 1:
        unit = ranker.collection.unit_documents
        above = ranked[: position - 1]
        cosines = unit[above] @ unit[ranked[position - 1]]
        best = int(cosines.argmax())
        if cosines[best] >= NEAR_DUPLICATE:
            sentence = f"{ids[above[best]]} stands above {ids[ranked[position - 1]]} and is nearly the same to the encoder (cosine {cosines[best]:.2f})."
            findings.append(Finding("near-duplicate above", sentence))
    if judged.get(ids[ranked[0]], UNJUDGED) == UNJUDGED:
        findings.append(Finding("unjudged on top", f"{ids[ranked[0]]} stands first and nobody has judged it: it may be right."))
    return findings


def _words(ranker: Ranker, text: str) -> list[Finding]:
    pieces = ranker.collection.encoder.word_pieces(text)
    unknown = list(dict.fromkeys(word for word, count in pieces if count >= UNKNOWN_WORD_PIECES))
    if not unknown:
        return []
    return [Finding("unknown words", f"The encoder has no word for {', '.join(unknown)}: it reads fragments.")]
