"""Likely causes of a query's failure, each with a sentence that shows the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from imrnns_core.data.records import Document
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.outcomes import Outcome
from imrnns_core.retrieval.batch import NO_ROW
from imrnns_core.retrieval.corpus_ranks import ranks_of
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.statistics.measures import SystemMetrics
from imrnns_core.text.stop_words import content_words
from imrnns_core.types import UNJUDGED, Stage, relevant_ids

NEAR_DUPLICATE = 0.9
"""Cosine of base embeddings from which two documents count as near-duplicates."""
UNFAMILIAR_WORD_TOKENS = 4
"""A query word counts as unfamiliar if the encoder splits it into this many tokens or more."""
LEXICAL_TOP = 3
"""BM25 finds a relevant document if one is among its top documents, up to this rank."""
_RANK_IF_NOT_RETRIEVED = 10**6

Cause = Literal[
    "not among the candidates",
    "found only in the whole corpus",
    "keyword mismatch",
    "truncated text",
    "near-duplicate ranked higher",
    "top document unjudged",
    "unfamiliar words",
]

NEED_ENCODER: tuple[Cause, ...] = (
    "truncated text",
    "near-duplicate ranked higher",
    "unfamiliar words",
)
"""Causes that lie in the encoder. With a run as the base they are unknown: it names no encoder."""


@dataclass(frozen=True)
class Finding:
    """A likely cause, and a sentence with its evidence."""

    cause: Cause
    sentence: str


@dataclass(frozen=True)
class Diagnosis:
    """The outcome of one query, and why its best relevant document is not at rank 1.

    Attributes:
        query_id: The query.
        outcome: What the adapter did to it, or how the base alone ranks it.
        change: Modulated − base nDCG@10; 0 without an adapter.
        ranks: (S,) rank of the best relevant candidate at each stage, 0 if no candidate is
            relevant.
        bm25_rank: Rank of the best relevant document by BM25, 0 if it is not retrieved.
        findings: The likely causes, empty if the best relevant document is at rank 1. "top document
            unjudged" comes last, because it applies to nearly every query.
    """

    query_id: str
    outcome: Outcome
    change: float
    ranks: tuple[int, ...]
    bm25_rank: int
    findings: tuple[Finding, ...]

    @property
    def causes(self) -> str:
        """The names of the likely causes; empty only if nothing is wrong."""
        names = ", ".join(finding.cause for finding in self.findings)
        return names or ("" if self.ranks[-1] == 1 else "no known cause")


def largest_losses_first(diagnoses: Iterable[Diagnosis]) -> list[Diagnosis]:
    """Return diagnoses by their change; of equal ones, the one with the lowest rank first."""
    # rank 0 means not retrieved, which is worse than any rank
    return sorted(diagnoses, key=lambda d: (d.change, -(d.ranks[-1] or _RANK_IF_NOT_RETRIEVED)))


def diagnose(ranker: Ranker, evaluation: Evaluation, bm25: SystemMetrics) -> list[Diagnosis]:
    """Look for the causes of every query whose best relevant document is not at rank 1.

    If the base is a run, the causes `NEED_ENCODER` are not looked for.

    Args:
        ranker: The ranker of the evaluation.
        evaluation: The evaluation of Q queries.
        bm25: Measures (Q, M) and best ranks (Q,) of BM25 on the same queries.
    """
    change = evaluation.change
    diagnoses = []
    for i, (query_id, outcome) in enumerate(
        zip(evaluation.query_ids, evaluation.outcomes(), strict=True)
    ):
        ranks = tuple(int(rank) for rank in evaluation.best_ranks[:, i])
        bm25_rank = int(bm25.best_ranks[i])
        findings = [] if ranks[-1] == 1 else _findings(ranker, evaluation, i, ranks, bm25_rank)
        diagnoses.append(
            Diagnosis(query_id, outcome, float(change[i]), ranks, bm25_rank, tuple(findings))
        )
    return diagnoses


def _findings(
    ranker: Ranker, evaluation: Evaluation, i: int, ranks: tuple[int, ...], bm25_rank: int
) -> list[Finding]:
    """Return the likely causes for query i of the evaluation."""
    dataset = ranker.collection.dataset
    query_id = evaluation.query_ids[i]
    judged = dataset.in_corpus({query_id: evaluation.qrels[query_id]})[query_id]
    text = dataset.queries[query_id].text
    relevant = np.array(
        [ranker.collection.documents.row[d] for d in relevant_ids(judged)], dtype=np.int64
    )
    ranked = _ranked(evaluation, i)
    if not len(ranked):  # nothing is known of the engine of a run that does not rank the query
        return _not_retrieved(ranker, evaluation, i, 0, relevant)
    in_encoder = (
        [
            *_truncated(ranker, [dataset.documents[row] for row in relevant], text),
            *_near_duplicate(ranker, ranked, relevant),
            *_unfamiliar_words(ranker, text),
        ]
        if evaluation.run is None
        else []
    )
    return [
        *_not_retrieved(ranker, evaluation, i, len(ranked), relevant),
        *_keyword_mismatch(ranks, bm25_rank, evaluation.final, evaluation.run),
        *in_encoder,
        *_unjudged(ranker, ranked, judged),
    ]


def _not_retrieved(
    ranker: Ranker, evaluation: Evaluation, i: int, candidates: int, relevant: NDArray[np.int64]
) -> list[Finding]:
    """Say that no relevant document was retrieved, and whether the adapter would find one."""
    if evaluation.best_ranks[0, i] or evaluation.best_ranks[-1, i]:
        return []
    cause: Cause = "not among the candidates"
    if not len(relevant):
        sentence = "The corpus contains none of the relevant documents: add them."
    elif not candidates:
        sentence = f"The run {evaluation.run} ranks no document for this query."
    elif evaluation.batch.candidates is not None:
        sentence = (
            f"No relevant document is in the top {candidates} of the base ranking, and none in "
            "that of the modulated ranking of the whole corpus."
        )
    else:
        sentence = (
            f"No relevant document was retrieved in the top {candidates}, so re-ranking them "
            "cannot help."
        )
        if ranker.model is not None:
            rank = _corpus_rank(ranker, evaluation.query_ids[i], relevant)
            sentence += f" In the whole corpus, the adapter ranks the best one at {rank:,}."
            if rank <= candidates:
                cause = "found only in the whole corpus"
    return [Finding(cause, sentence)]


def _corpus_rank(ranker: Ranker, query_id: str, relevant: NDArray[np.int64]) -> int:
    """Return the best modulated rank of relevant rows (R,) if all documents are ranked."""
    scores = ranker.corpus_scores(ranker.compare(query_id)).stages["modulated"]
    return int(ranks_of(relevant, scores, ranker.collection.tie_ranks).min())


def _keyword_mismatch(
    ranks: tuple[int, ...], bm25_rank: int, stage: Stage, run: str | None
) -> list[Finding]:
    """Compare the best relevant rank of BM25 with those of the first and the last stage."""
    rank = ranks[-1]
    # if the base is as good as BM25, the embedding is not to blame for what an adapter did
    if not 1 <= bm25_rank <= LEXICAL_TOP or any(r and r <= bm25_rank for r in (ranks[0], rank)):
        return []
    other = (
        f"the best one of the {stage} ranking is at rank {rank}"
        if rank
        else "the base ranking has none"
    )
    reason = (
        "keyword search weights the shared words more heavily than the embedding does"
        if run is None
        else "the words that it shares with the query count less in the run than in BM25"
    )
    sentence = f"BM25 has a relevant document at rank {bm25_rank}, but {other}: {reason}."
    return [Finding("keyword mismatch", sentence)]


def _truncated(ranker: Ranker, relevant: Sequence[Document], query: str) -> list[Finding]:
    """Look for query words that occur only in the part of a document that is not read."""
    encoder = ranker.collection.encoder
    if ranker.collection.passages is not None:  # long documents are read in passages
        return []
    for document in relevant:
        read, cut = encoder.split_at_limit(document)
        if not cut:
            continue
        # a word that the encoder also reads in the first part is not lost
        only_in_cut = set(content_words(cut)) - set(content_words(read))
        missed = [word for word in content_words(query) if word in only_in_cut]
        if missed:
            count = int(encoder.count_tokens([document])[0])
            verb = "occurs" if len(missed) == 1 else "occur"
            sentence = (
                f"The encoder read only the first {encoder.max_tokens} of the {count} tokens of "
                f"document {document.id}. {_quoted(missed)} {verb} only in the part it did not "
                "read."
            )
            return [Finding("truncated text", sentence)]
    return []


def _ranked(evaluation: Evaluation, i: int) -> NDArray[np.int64]:
    """Return the corpus rows (K,) of the last stage's ranking of query i, best first."""
    order = np.argsort(evaluation.batch.rank(evaluation.final)[i])
    rows = evaluation.batch.rows[i][order]
    return np.asarray(rows[rows != NO_ROW][: evaluation.batch.candidates])


def _near_duplicate(
    ranker: Ranker, ranked: NDArray[np.int64], relevant: NDArray[np.int64]
) -> list[Finding]:
    """Look for a near-duplicate above the best relevant candidate.

    `ranked` (K,) and `relevant` (R,) are corpus rows.
    """
    ids = ranker.collection.dataset.document_ids
    positions = np.flatnonzero(np.isin(ranked, relevant))
    if not positions.size or positions[0] == 0:
        return []
    unit, best_relevant = ranker.collection.unit_documents, ranked[positions[0]]
    above = ranked[: positions[0]]
    cosines = unit[above] @ unit[best_relevant]
    nearest = int(cosines.argmax())
    if cosines[nearest] < NEAR_DUPLICATE:
        return []
    sentence = (
        f"{ids[above[nearest]]} is ranked above the relevant document {ids[best_relevant]}. Both "
        f"are nearly the same to the encoder (cosine {cosines[nearest]:.2f})."
    )
    return [Finding("near-duplicate ranked higher", sentence)]


def _unfamiliar_words(ranker: Ranker, text: str) -> list[Finding]:
    counts = ranker.collection.encoder.tokens_per_word(text)
    split = list(dict.fromkeys(word for word, count in counts if count >= UNFAMILIAR_WORD_TOKENS))
    unread = list(dict.fromkeys(word for word, count in counts if not count))
    sentences = []
    if split:
        whole = "a whole word and splits it" if len(split) == 1 else "whole words and splits them"
        sentences.append(f"The encoder does not know {_quoted(split)} as {whole} into fragments.")
    if unread:
        sentences.append(
            f"The encoder cannot read {_quoted(unread)}: it has no token for it."
            if len(unread) == 1
            else f"The encoder cannot read {_quoted(unread)}: it has no tokens for them."
        )
    return [Finding("unfamiliar words", " ".join(sentences))] if sentences else []


def _unjudged(
    ranker: Ranker, ranked: NDArray[np.int64], judged: Mapping[str, int]
) -> list[Finding]:
    top = ranker.collection.dataset.document_ids[ranked[0]]
    if judged.get(top, UNJUDGED) != UNJUDGED:
        return []
    sentence = f"The top document, {top}, has not been judged and may be a correct answer."
    return [Finding("top document unjudged", sentence)]


def _quoted(words: Sequence[str]) -> str:
    """Return words in quotation marks: `“a”`, `“a” and “b”`, `“a”, “b” and “c”`."""
    *first, last = (f"“{word}”" for word in words)
    return f"{', '.join(first)} and {last}" if first else last
