"""Why a query fails: causes that can be checked, each in a sentence with its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.records import Document
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.text.stop_words import content_words
from imrnns_core.types import STAGES, UNJUDGED, relevant_ids

NEAR_DUPLICATE = 0.9
"""Cosine of base embeddings from which two documents count as near-duplicates."""
UNKNOWN_WORD_PIECES = 4
"""A query word that the encoder cuts into this many pieces or more counts as unknown to it."""
LEXICAL_TOP = 3
"""BM25 "has it" when a relevant document is among its first few."""

Cause = Literal[
    "outside the pool",
    "lexical gap",
    "truncated text",
    "near-duplicate above",
    "unjudged on top",
    "unknown words",
]


@dataclass(frozen=True)
class Finding:
    """One cause, and the sentence that shows it."""

    cause: Cause
    sentence: str


@dataclass(frozen=True)
class Diagnosis:
    """One query.

    What the adapter did to it, where its best relevant document stands, and why it is not on top.

    `ranks` (4,) and `bm25_rank` count from 1; 0 where no relevant document is among the candidates.
    `findings` is empty where the best relevant document stands first; "unjudged on top", which
    judged collections show nearly everywhere, is the last of them.
    """

    query_id: str
    outcome: Outcome
    change: float
    ranks: tuple[int, ...]
    bm25_rank: int
    findings: tuple[Finding, ...]


def diagnose(ranker: Ranker, evaluation: Evaluation, bm25: SystemMetrics) -> list[Diagnosis]:
    """Look for the causes of every query whose best relevant document is not ranked first.

    Args:
        ranker: The ranker behind the evaluation.
        evaluation: The evaluation.
        bm25: The lexical baseline on the same queries.
    """
    dataset = ranker.collection.dataset
    change = evaluation.column("modulated") - evaluation.column("base")
    texts = [dataset.queries[q].text for q in evaluation.query_ids]
    result = []
    for i, (query_id, outcome) in enumerate(
        zip(evaluation.query_ids, evaluation.outcomes(), strict=True)
    ):
        judged = evaluation.qrels[query_id]
        relevant = np.array([ranker.collection.documents.row[d] for d in relevant_ids(judged)])
        ranks = tuple(int(r) for r in evaluation.best_ranks[:, i])
        bm25_rank = int(bm25.best_ranks[i])
        findings: list[Finding] = []
        if ranks[-1] != 1:
            findings = _pool(ranks, len(evaluation.batch.rows[i])) + _lexical(ranks[-1], bm25_rank)
            findings += _truncated(ranker, [dataset.documents[row] for row in relevant], texts[i])
            findings += (
                _duplicate(ranker, evaluation, i, relevant)
                + _words(ranker, texts[i])
                + _unjudged(ranker, evaluation, i, judged)
            )
        result.append(
            Diagnosis(query_id, outcome, float(change[i]), ranks, bm25_rank, tuple(findings))
        )
    return result


def _first(ranked: NDArray[np.int64], relevant: NDArray[np.int64]) -> int:
    found = np.flatnonzero(np.isin(ranked, relevant))
    return int(found[0]) + 1 if found.size else 0


def _pool(ranks: tuple[int, ...], candidates: int) -> list[Finding]:
    if ranks[0]:
        return []
    return [
        Finding(
            "outside the pool",
            f"No relevant document is among the {candidates} candidates: no re-scoring can help.",
        )
    ]


def _lexical(rank: int, bm25_rank: int) -> list[Finding]:
    if not 1 <= bm25_rank <= LEXICAL_TOP or (rank and rank <= bm25_rank):
        return []
    where = f"the modulated ranking has it at {rank}" if rank else "it is not among the candidates"
    return [
        Finding(
            "lexical gap",
            (
                f"BM25 ranks a relevant document at {bm25_rank}, {where}: the words they share "
                "count for more there than in the embedding."
            ),
        )
    ]


def _truncated(ranker: Ranker, relevant: Sequence[Document], query: str) -> list[Finding]:
    """Look for query words that occur only in what was cut off.

    Words of the query have to stand in what is cut off, and nowhere else in the document.
    """
    encoder = ranker.collection.encoder
    for document in relevant:
        read, cut = encoder.split_at_limit(document)
        if not cut:
            continue
        only_there = set(content_words(cut)) - set(content_words(read))
        missed = [word for word in content_words(query) if word in only_there]
        if missed:
            count = int(encoder.count_tokens([document])[0])
            where = f"the first {encoder.max_tokens} of {count} word pieces of {document.id}"
            sentence = (
                f"The encoder saw {where}; of the query, {_quoted(missed)} can only be found after "
                "that."
            )
            return [Finding("truncated text", sentence)]
    return []


def _ranked(evaluation: Evaluation, i: int) -> NDArray[np.int64]:
    """Return the corpus rows of the modulated ranking of query i, best first."""
    ranked: NDArray[np.int64] = evaluation.batch.rows[i][
        np.argsort(evaluation.batch.ranks[i, STAGES.index("modulated")])
    ]
    return ranked


def _duplicate(
    ranker: Ranker, evaluation: Evaluation, i: int, relevant: NDArray[np.int64]
) -> list[Finding]:
    """Look for a near-duplicate above the best relevant candidate."""
    ids, ranked = ranker.collection.dataset.document_ids, _ranked(evaluation, i)
    position = _first(ranked, relevant)
    if position <= 1:
        return []
    unit = ranker.collection.unit_documents
    above = ranked[: position - 1]
    cosines = unit[above] @ unit[ranked[position - 1]]
    best = int(cosines.argmax())
    if cosines[best] < NEAR_DUPLICATE:
        return []
    sentence = (
        f"{ids[above[best]]} stands above {ids[ranked[position - 1]]} and is nearly the same to "
        f"the encoder (cosine {cosines[best]:.2f})."
    )
    return [Finding("near-duplicate above", sentence)]


def _unjudged(
    ranker: Ranker, evaluation: Evaluation, i: int, judged: Mapping[str, int]
) -> list[Finding]:
    first = ranker.collection.dataset.document_ids[_ranked(evaluation, i)[0]]
    if judged.get(first, UNJUDGED) != UNJUDGED:
        return []
    return [
        Finding(
            "unjudged on top", f"{first} stands first and nobody has judged it: it may be right."
        )
    ]


def _words(ranker: Ranker, text: str) -> list[Finding]:
    pieces = ranker.collection.encoder.tokens_per_word(text)
    unknown = list(dict.fromkeys(word for word, count in pieces if count >= UNKNOWN_WORD_PIECES))
    if not unknown:
        return []
    return [
        Finding(
            "unknown words", f"The encoder has no word for {_quoted(unknown)}: it reads fragments."
        )
    ]


def _quoted(words: Sequence[str]) -> str:
    return ", ".join(f"“{word}”" for word in words)
