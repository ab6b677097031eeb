"""Write TREC runs, and judgments in the TREC and BEIR formats."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np

from imrnns_core.data.readers.trec import to_trec_id
from imrnns_core.evaluation.evaluate import Evaluation
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.io import atomic_write
from imrnns_core.retrieval.comparison import Hit, Ranking
from imrnns_core.types import Qrels


def run_lines(query_id: str, hits: list[Hit], tag: str) -> list[str]:
    """Return the lines `query Q0 document rank score tag` of one ranking.

    Scores fall strictly, so that every evaluation tool keeps the order of the ranks. Tools sort
    equal scores in different ways: trec_eval by document id, and it reads 32-bit numbers. Blanks in
    ids become %20.
    """
    lines, previous = [], np.float32(np.inf)
    for hit in hits:
        score = min(np.float32(hit.score), np.nextafter(previous, np.float32(-np.inf)))
        # nine significant digits identify every 32-bit number
        ids = f"{to_trec_id(query_id)} Q0 {to_trec_id(hit.document_id)}"
        lines.append(f"{ids} {hit.rank} {score:.9g} {tag}")
        previous = score
    return lines


def single_run(query_id: str, ranking: Ranking, tag: str) -> str:
    """Return one query's ranking as a TREC run. Without scores, the score is −rank."""
    ids, ranks = ranking.document_ids, ranking.ranks
    scores = np.where(np.isnan(ranking.scores), -ranks, ranking.scores)
    # a run does not contain the relevance
    hits = [Hit(ids[i], int(ranks[i]), float(scores[i]), 0) for i in ranking.order.tolist()]
    return "\n".join(run_lines(query_id, hits, tag)) + "\n"


def write_runs(
    evaluation: Evaluation | RankOverlap, document_ids: tuple[str, ...], folder: Path
) -> list[Path]:
    """Write one run per stage, `STAGE.run`, with all candidates of all queries.

    Returns:
        The paths of the runs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    batch, paths = evaluation.batch, []
    for stage in batch.stages:
        lines: list[str] = []
        for query_id, ranked in zip(evaluation.query_ids, batch.ranked(stage), strict=True):
            hits = [
                # a run does not contain the relevance
                Hit(document_ids[row], n, float(score), 0)
                for n, (row, score) in enumerate(zip(ranked.rows, ranked.scores, strict=True), 1)
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

    BEIR: `query document grade` with a header, separated by tabs, because an id may contain a
    space. TREC: `query 0 document grade`; blanks in ids become %20.
    """
    if file_format == "trec":
        return "".join(
            f"{to_trec_id(query_id)} 0 {to_trec_id(document_id)} {grade}\n"
            for query_id, judged in qrels.items()
            for document_id, grade in judged.items()
        )
    return "query-id\tcorpus-id\tscore\n" + "".join(
        f"{query_id}\t{document_id}\t{grade}\n"
        for query_id, judged in qrels.items()
        for document_id, grade in judged.items()
    )
