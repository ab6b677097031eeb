"""TREC files: runs in and out, judgments out (`dataset.load_qrels` reads them)."""

from __future__ import annotations

import math
from collections.abc import Container
from pathlib import Path

from imrnns_core.dataset import Qrels, text_lines
from imrnns_core.errors import DataError
from imrnns_core.evaluation import Evaluation
from imrnns_core.files import replacing
from imrnns_core.overlap import Overlap
from imrnns_core.ranking import blend
from imrnns_core.records import STAGES, Comparison, Hit, Stage


def run_lines(query_id: str, hits: list[Hit], tag: str) -> list[str]:
    """Return the lines `query Q0 document rank score tag` of one ranking."""
    return [f"{query_id} Q0 {hit.document_id} {hit.rank} {hit.score:.7f} {tag}" for hit in hits]


def comparison_run(comparison: Comparison, stage: Stage) -> str:
    """Return one query's ranking at a stage as a TREC run."""
    return "\n".join(run_lines(comparison.query.id or "query", comparison.hits(stage), stage)) + "\n"


def blended_run(comparison: Comparison, alpha: float, tag: str) -> str:
    """Return one query's ranking by (1 − α) · base + α · modulated as a TREC run; α = 1 is the modulated ranking itself."""
    scores, ranks = blend(comparison, alpha)
    ids, grades = comparison.document_ids, comparison.relevance
    hits = [Hit(ids[i], int(ranks[i]), float(scores[i]), int(grades[i])) for i in ranks.argsort()]
    return "\n".join(run_lines(comparison.query.id or "query", hits, tag)) + "\n"


def write_runs(evaluation: Evaluation | Overlap, document_ids: tuple[str, ...], folder: Path) -> list[Path]:
    """Write one run a stage, `STAGE.run`, with all candidates of all queries; return the paths."""
    folder.mkdir(parents=True, exist_ok=True)
    batch, paths = evaluation.batch, []
    for s, stage in enumerate(STAGES):
        lines: list[str] = []
        for i, query_id in enumerate(evaluation.query_ids):
            order = batch.ranks[i, s].argsort()
            ids = [document_ids[row] for row in batch.rows[i, order]]
            hits = [Hit(d, n, float(score), 0) for n, (d, score) in enumerate(zip(ids, batch.scores[i, s, order], strict=True), 1)]
            lines += run_lines(query_id, hits, stage)
        path = folder / f"{stage}.run"
        with replacing(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def read_run(path: Path, queries: Container[str], documents: Container[str]) -> dict[str, list[str]]:
    """Read a TREC run, `query Q0 document rank score tag` a line; return the document ids of each query, best first.

    The higher score stands first, and of equal scores the lower rank. Lines of queries that are not in `queries` are
    left out: a run may be made for more of them.

    Raises DataError, with the line, for anything that is no run, a document ranked twice and one not in `documents`.
    """
    scored: dict[str, dict[str, tuple[float, int]]] = {}
    for line, text in text_lines(path):
        fields = text.split("\t") if "\t" in text else text.split()
        if not text.strip():
            continue
        if len(fields) != 6:
            raise DataError(path, f"{len(fields)} columns", "a TREC run has six: query Q0 document rank score tag", line)
        query_id, _, document_id, rank, score, _ = fields
        try:
            key = (-float(score), int(rank))
        except ValueError:
            raise DataError(
                path, f"rank {rank!r} or score {score!r} is not a number", "write query Q0 document rank score tag", line
            ) from None
        if math.isnan(key[0]):
            raise DataError(path, "the score is NaN", "mend or remove this line", line)
        if query_id not in queries:
            continue
        if document_id not in documents:
            raise DataError(path, f"ranks the unknown document {document_id!r}", "take the run of this corpus", line)
        if document_id in scored.setdefault(query_id, {}):
            raise DataError(path, f"ranks {document_id!r} for {query_id!r} twice", "keep one of the lines", line)
        scored[query_id][document_id] = key
    return {q: sorted(ranked, key=ranked.__getitem__) for q, ranked in scored.items()}


def write_qrels(qrels: Qrels, path: Path) -> None:
    """Write judgments as TREC has them, `query 0 document grade`, between tabs, so that an id may hold a blank."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{query_id}\t0\t{document_id}\t{grade}\n" for query_id, judged in qrels.items() for document_id, grade in judged.items()]
    with replacing(path) as temporary:
        temporary.write_text("".join(lines), encoding="utf-8")
