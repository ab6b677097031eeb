"""Write TREC runs, and judgments in the TREC and BEIR formats."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.io import atomic_write
from imrnns_core.retrieval.comparison import Comparison, Hit
from imrnns_core.retrieval.ranker import blend
from imrnns_core.types import STAGES, Qrels


def run_lines(query_id: str, hits: list[Hit], tag: str) -> list[str]:
    """Return the lines `query Q0 document rank score tag` of one ranking.

    Scores fall strictly, so that every evaluation tool keeps the order of the ranks. Tools sort
    equal scores in different ways: trec_eval by document id, and it reads 32-bit numbers.
    """
    lines, previous = [], np.float32(np.inf)
    for hit in hits:
        score = min(np.float32(hit.score), np.nextafter(previous, np.float32(-np.inf)))
        # nine significant digits identify every 32-bit number
        lines.append(f"{query_id} Q0 {hit.document_id} {hit.rank} {score:.9g} {tag}")
        previous = score
    return lines


def blended_run(comparison: Comparison, alpha: float, tag: str) -> str:
    """Return one query's ranking by (1 − α) · base + α · modulated as a TREC run.

    With α = 1, this is the modulated ranking.
    """
    scores, ranks = blend(comparison, alpha)
    ids, grades = comparison.document_ids, comparison.relevance
    hits = [Hit(ids[i], int(ranks[i]), float(scores[i]), int(grades[i])) for i in ranks.argsort()]
    # a typed question has no id, but each line of a run needs one
    return "\n".join(run_lines(comparison.query.id or "query", hits, tag)) + "\n"


def write_runs(
    evaluation: Evaluation | RankOverlap, document_ids: tuple[str, ...], folder: Path
) -> list[Path]:
    """Write one run per stage, `STAGE.run`, with all candidates of all queries.

    Returns:
        The paths of the runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    batch, paths = evaluation.batch, []
    for s, stage in enumerate(STAGES):
        lines: list[str] = []
        for i, query_id in enumerate(evaluation.query_ids):
            order = batch.ranks[i, s].argsort()
            ids = [document_ids[row] for row in batch.rows[i, order]]
            hits = [
                # a run does not contain the relevance
                Hit(d, n, float(score), 0)
                for n, (d, score) in enumerate(zip(ids, batch.scores[i, s, order], strict=True), 1)
            ]
            lines += run_lines(query_id, hits, stage)
        path = folder / f"{stage}.run"
        with atomic_write(path) as temporary:
            temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
        paths.append(path)
    return paths


def write_qrels(qrels: Qrels, path: Path) -> None:
    """Write judgments in the TREC format to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(qrels_text(qrels, "trec"), encoding="utf-8")


def qrels_text(qrels: Qrels, file_format: Literal["beir", "trec"]) -> str:
    """Return judgments as the text of a file.

    BEIR: `query document grade`, with a header. TREC: `query 0 document grade`. Columns are
    separated by tabs, because an id may contain a space.
    """
    head, middle = ("query-id\tcorpus-id\tscore\n", "") if file_format == "beir" else ("", "0\t")
    return head + "".join(
        f"{query_id}\t{middle}{document_id}\t{grade}\n"
        for query_id, judged in qrels.items()
        for document_id, grade in judged.items()
    )
