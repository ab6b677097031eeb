"""`imrnns-lens evaluate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from imrnns_core.cli.console import progress_bar, show
from imrnns_core.cli.options import (
    AdapterOption,
    Data,
    Embeddings,
    EncoderName,
    Force,
    JsonFile,
    WorkspaceFolder,
    open_collection,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs, write_record
from imrnns_core.errors import LensError
from imrnns_core.types import STAGES

if TYPE_CHECKING:
    from imrnns_core.evaluation.evaluate import Evaluation
    from imrnns_core.evaluation.rank_overlap import RankOverlap
    from imrnns_core.evaluation.system_comparison import SystemComparison
    from imrnns_core.retrieval.collection import Collection
    from imrnns_core.retrieval.ranker import Ranker
    from imrnns_core.storage.workspace import Workspace


def evaluate(
    data: Data,
    adapter: AdapterOption,
    split: Annotated[
        str, typer.Option(help="The judged split; unjudged: the queries that none judges.")
    ] = "test",
    measure: Annotated[
        list[str] | None,
        typer.Option(help="Further measures, as ir-measures writes them; may be repeated."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Another adapter (name or file), or a TREC run, to compare query by query."
        ),
    ] = None,
    qrels: Annotated[
        Path | None, typer.Option(help="Judgments (BEIR or TREC) to use in place of the split's.")
    ] = None,
    json_file: JsonFile = None,
    run_out: Annotated[
        Path | None, typer.Option(help="A folder for a TREC run of each stage.")
    ] = None,
    qrels_out: Annotated[
        Path | None, typer.Option(help="Write the judgments that were used, as TREC has them.")
    ] = None,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Measure BM25, base and modulated rankings, seen and unseen queries apart.

    Compare with another system.
    """
    from imrnns_core.config import MEASURES
    from imrnns_core.evaluation import evaluate as evaluation
    from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
    from imrnns_core.evaluation.trec import write_qrels
    from imrnns_core.reporting import terminal as tables
    from imrnns_core.retrieval.ranker import Ranker
    from imrnns_core.statistics.measures import parse_measures

    names = (*MEASURES, *(measure or ()))
    parse_measures(names)  # a mistake must not wait for the vectors
    runs = [run_out / f"{stage}.run" for stage in STAGES] if run_out else []
    check_outputs("evaluate", force, json_file, qrels_out, *runs)
    space, registration = resolve(data, embeddings, encoder, "", "", workspace)
    loaded = space.adapter(adapter)
    collection, split = _judged_by(open_collection(space, registration), split, qrels)
    ranker = Ranker(collection, loaded)
    if split == UNJUDGED_SPLIT or not collection.dataset.splits:
        if against or qrels_out:
            raise LensError(
                "nothing is judged: --against and --qrels-out need judgments; give them with "
                "--qrels FILE"
            )
        return _evaluate_unjudged(ranker, json_file, run_out)
    evaluation.judged_queries(collection.dataset, split)
    contest = _contest(space, collection, against) if against else None
    with progress_bar() as progress:
        progress.add_task("BM25 index, measures", total=None)
        result = evaluation.evaluate(
            ranker, split, names, lexical=space.lexical_index(collection.dataset), with_shares=True
        )
    versus = contest(result) if contest else None
    show(tables.evaluation(result))
    if versus:
        show(tables.against(versus, collection.dataset.queries))
    record = {**result.to_json(), **({"against": versus.to_json()} if versus else {})}
    _write_results(result, record, json_file, run_out, collection.dataset.document_ids)
    if qrels_out:
        write_qrels(collection.dataset.qrels(split), qrels_out)


def _evaluate_unjudged(ranker: Ranker, json_file: Path | None, run_out: Path | None) -> None:
    from imrnns_core.evaluation.rank_overlap import measure_overlap, unjudged_queries
    from imrnns_core.reporting import terminal as tables

    dataset = ranker.collection.dataset
    moved = measure_overlap(ranker, unjudged_queries(dataset))
    show(tables.overlap(moved, dataset.queries))
    _write_results(moved, moved.to_json(), json_file, run_out, dataset.document_ids)


def _judged_by(collection: Collection, split: str, qrels: Path | None) -> tuple[Collection, str]:
    """Return the collection, judged by a file where one is named, and the name of the split to measure."""
    from imrnns_core.data.readers.beir import load_qrels

    if qrels is None:
        return collection, split
    dataset = collection.dataset
    judged = {**dataset.splits, qrels.stem: load_qrels(qrels, dataset)}
    return replace(collection, dataset=replace(dataset, splits=judged)), qrels.stem


def _contest(
    space: Workspace, collection: Collection, other: str
) -> Callable[[Evaluation], SystemComparison]:
    """Read the other system; return what compares an evaluation with it."""
    from imrnns_core.data.readers.trec import read_run
    from imrnns_core.evaluation.system_comparison import compare_with_adapter, compare_with_run
    from imrnns_core.retrieval.ranker import Ranker

    path = Path(other).expanduser()
    if other in space.adapter_paths() or path.suffix in (".safetensors", ".pt"):
        ranker = Ranker(collection, space.adapter(other))
        return lambda ours: compare_with_adapter(ours, ranker)
    if not path.exists():
        there = ", ".join(space.adapter_paths()) or "none"
        raise LensError(
            f"{other}: neither an adapter nor a TREC run; adapters are: {there}, or name a file"
        )
    rankings = read_run(path, collection.dataset.queries, collection.dataset.document)
    return lambda ours: compare_with_run(ours, path.name, rankings)


def _write_results(
    result: Evaluation | RankOverlap,
    record: dict[str, Any],
    json_file: Path | None,
    run_out: Path | None,
    document_ids: tuple[str, ...],
) -> None:
    from imrnns_core.evaluation.trec import write_runs

    if json_file:
        write_record(json_file, "evaluate", record)
    if run_out:
        write_runs(result, document_ids, run_out)
