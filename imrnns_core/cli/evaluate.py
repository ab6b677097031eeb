"""The command `imrnns-lens evaluate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from imrnns_core.cli.console import labelled_bar, out, progress_bar, show
from imrnns_core.cli.options import (
    Against,
    Base,
    Data,
    Embeddings,
    EncoderName,
    Force,
    HtmlFile,
    JsonFile,
    Measures,
    OptionalAdapter,
    QrelsFile,
    QrelsOut,
    RunFolder,
    ScopeChoice,
    Split,
    WorkspaceFolder,
    open_ranker,
    resolve,
)
from imrnns_core.cli.outputs import check_outputs, write_record
from imrnns_core.errors import LensError
from imrnns_core.types import STAGES

if TYPE_CHECKING:
    from imrnns_core.data.dataset import Dataset
    from imrnns_core.evaluation.baselines import Baselines
    from imrnns_core.evaluation.evaluate import Evaluation
    from imrnns_core.evaluation.rank_overlap import RankOverlap
    from imrnns_core.evaluation.system_comparison import SystemComparison
    from imrnns_core.retrieval.collection import Collection
    from imrnns_core.retrieval.ranker import Ranker
    from imrnns_core.storage.registry import Registration
    from imrnns_core.storage.workspace import Workspace

JUDGED_HERE = "{:,} of {:,} judgments of this split come from people who judged here"
RUN_IS_RANKED = "--ray: a run is ranked already; leave --ray out"
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help=(
            "Rank the queries on the machines of a Ray cluster, such as 10.0.0.1:6379. All need "
            "the workspace under the same path."
        ),
    ),
]
NOT_RANKED = "The run {} ranks no document for {:,} of the {:,} queries; they count as 0"


@dataclass(frozen=True)
class _Outputs:
    """The output files that the user named."""

    record: Path | None
    page: Path | None
    runs: Path | None
    qrels: Path | None

    def check(self, force: bool) -> None:
        runs = [self.runs / f"{stage}.run" for stage in STAGES] if self.runs else []
        check_outputs("evaluate", force, self.record, self.page, self.qrels, *runs)

    def write(
        self, result: Evaluation | RankOverlap, record: dict[str, object], dataset: Dataset
    ) -> None:
        from imrnns_core.evaluation.trec import write_runs

        if self.record:
            write_record(self.record, "evaluate", record)
        if self.runs:
            write_runs(result, dataset.document_ids, self.runs)


def evaluate(
    data: Data,
    adapter: OptionalAdapter = None,
    base: Base = None,
    scope: ScopeChoice = "candidates",
    split: Split = None,
    measure: Measures = None,
    against: Against = None,
    qrels: QrelsFile = None,
    json_file: JsonFile = None,
    html_file: HtmlFile = None,
    run_out: RunFolder = None,
    qrels_out: QrelsOut = None,
    ray: RayAddress = None,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Measure the rankings of BM25, of the base retriever, of an adapter, and of baselines.

    The table has the means over all queries and over each query group. With
    --against, another system is compared, too. Without an adapter, the baselines
    are compared with the base. For queries without judgments, the command
    measures how much the adapter changes each ranking (or, if there is no
    adapter, how much BM25 differs from the base ranking).
    """
    from imrnns_core.config import MEASURES
    from imrnns_core.evaluation.rank_overlap import UNJUDGED_SPLIT
    from imrnns_core.statistics.measures import parse_measures

    names, outputs = (
        (*MEASURES, *(measure or ())),
        _Outputs(json_file, html_file, run_out, qrels_out),
    )
    parse_measures(names)  # before the slow work: this rejects unknown measures
    outputs.check(force)
    space, registration = resolve(data, embeddings, encoder, None, None, workspace)
    ranker = open_ranker(space, registration, adapter, base).with_scope(scope)
    if ray:
        ranker = _spread(ray, space, registration, ranker, adapter)
    split = split or ranker.collection.dataset.first_split("test")
    collection, split = _with_qrels(ranker.collection, split, qrels)
    ranker = ranker.with_collection(collection)
    if split != UNJUDGED_SPLIT and collection.dataset.splits:
        return _evaluate_judged(space, ranker, split, names, against, outputs)
    if against or qrels_out or html_file:
        raise LensError(
            "there are no judgments, which --against, --html and --qrels-out need; name a file of "
            "judgments with --qrels"
        )
    return _evaluate_unjudged(space, ranker, outputs)


def _spread(
    address: str,
    space: Workspace,
    registration: Registration,
    ranker: Ranker,
    adapter: str | None,
) -> Ranker:
    """Return a ranker whose queries a Ray cluster ranks.

    Raises:
        LensError: If the base is a run, or no cluster answers.
    """
    from imrnns_core.config import NO_ADAPTER
    from imrnns_core.scale.ranking import RankQueries, SpreadRanker
    from imrnns_core.scale.ray_cluster import RayCluster

    if ranker.run_name is not None:
        raise LensError(RUN_IS_RANKED)
    # a process of the cluster works in another folder
    name = adapter or NO_ADAPTER
    name = str(Path(name).resolve()) if Path(name).is_file() else name
    task = RankQueries(space.root.resolve(), registration, name, ranker.config.scope)
    return SpreadRanker(ranker, RayCluster(address), task)


def _evaluate_judged(
    space: Workspace,
    ranker: Ranker,
    split: str,
    names: tuple[str, ...],
    against: str | None,
    outputs: _Outputs,
) -> None:
    from imrnns_core.evaluation.baseline_rankings import measure_baselines
    from imrnns_core.evaluation.evaluate import evaluate
    from imrnns_core.evaluation.trec import write_qrels
    from imrnns_core.reporting import baselines as baseline_tables
    from imrnns_core.reporting import terminal as tables
    from imrnns_core.storage.sentences import stored_sentences

    dataset = ranker.collection.dataset
    # before the slow work: this rejects a split that cannot be measured
    dataset.judged_queries(split)
    # before the slow work: this rejects an unknown adapter and a faulty run
    compare = _read_other_system(space, ranker, against) if against else None
    with progress_bar() as progress:
        progress.add_task("BM25 index, measures", total=None)
        lexical = space.lexical_index(dataset)
        result = evaluate(ranker, split, names, lexical=lexical, with_parts=ranker.card is not None)
        # encoding sentences takes minutes, so only `prepare` does it
        sentences = stored_sentences(space.root, ranker.collection)
        baselines = measure_baselines(result, ranker.collection, lexical, sentences)
    comparison = compare(result) if compare else None
    show(tables.evaluation(result))
    by_people = _print_notes(result, ranker.collection)
    name = dataset.name if dataset.name in space.registrations() else str(dataset.path)
    show(baseline_tables.baselines(baselines, name))
    if comparison:
        show(tables.system_comparison(comparison, dataset.queries))
    own = [query_id for query_id in result.query_ids if query_id in dataset.left_out]
    added = {
        "baselines": baselines.to_json(),
        "judged_by_people": by_people,
        "own_document_left_out": own,
    }
    if comparison:
        added["against"] = comparison.to_json()
    outputs.write(result, {**result.to_json(), **added}, dataset)
    if outputs.page:
        _write_page(outputs.page, space, ranker, result, baselines)
    if outputs.qrels:
        write_qrels(result.qrels, outputs.qrels)  # of the measured queries


def _write_page(
    file: Path, space: Workspace, ranker: Ranker, result: Evaluation, baselines: Baselines
) -> None:
    from imrnns_core.io import write_text
    from imrnns_core.remedies.causes import causes_of, diagnose
    from imrnns_core.reporting.evaluation_html import evaluation_to_html
    from imrnns_core.storage.alternatives import alternatives_of

    assert result.bm25 is not None  # the command always measures it
    with labelled_bar("Causes") as progress:
        lexical = space.lexical_index(ranker.collection.dataset)
        others = alternatives_of(space, ranker.collection)
        causes = causes_of(ranker, result, lexical, progress, others)
    diagnoses = diagnose(result, result.bm25, causes)
    queries = ranker.collection.dataset.queries
    write_text(file, evaluation_to_html(result, baselines, diagnoses, queries))


def _print_notes(result: Evaluation, collection: Collection) -> int:
    """Print what a reader must know about the figures; return how many judgments people made."""
    from imrnns_core.reporting.import_lines import length_line, own_document_lines

    dataset = collection.dataset
    if unranked := result.batch.unranked:
        out.print(NOT_RANKED.format(result.run, unranked, len(result.query_ids)))
    if collection.passages is not None:
        out.print(length_line(collection), soft_wrap=True)
    for line in own_document_lines(dataset, result.query_ids):
        out.print(line, soft_wrap=True)
    by_people = dataset.judged_by_people(result.split)
    if by_people:
        judgments = sum(map(len, dataset.splits[result.split].values()))
        out.print(JUDGED_HERE.format(by_people, judgments))
    return by_people


def _evaluate_unjudged(space: Workspace, ranker: Ranker, outputs: _Outputs) -> None:
    from imrnns_core.evaluation.rank_overlap import measure_overlap, unjudged_queries
    from imrnns_core.reporting import terminal as tables
    from imrnns_core.reporting.import_lines import own_document_lines

    dataset = ranker.collection.dataset
    queries = unjudged_queries(dataset)
    lexical = None if ranker.card else space.lexical_index(dataset)
    overlap = measure_overlap(ranker, queries, lexical=lexical)
    show(tables.overlap(overlap, dataset.queries))
    for line in own_document_lines(dataset, queries):
        out.print(line, soft_wrap=True)
    outputs.write(overlap, overlap.to_json(), dataset)


def _with_qrels(collection: Collection, split: str, qrels: Path | None) -> tuple[Collection, str]:
    """Return the collection and the split to measure, with the judgments of a file if named."""
    from imrnns_core.data.readers.load import load_qrels
    from imrnns_core.reporting.import_lines import irregularities

    if qrels is None:
        return collection, split
    dataset = collection.dataset
    judgments, report = load_qrels(qrels, dataset)
    show(irregularities(report))
    judged = {**dataset.splits, qrels.stem: judgments}
    return replace(collection, dataset=replace(dataset, splits=judged)), qrels.stem


def _read_other_system(
    space: Workspace, ranker: Ranker, other: str
) -> Callable[[Evaluation], SystemComparison]:
    """Read another system, and return a function that compares an evaluation with it.

    Raises:
        LensError: There is no such adapter or file.
    """
    from imrnns_core.data.readers.runs import load_run
    from imrnns_core.evaluation.system_comparison import compare_with_adapter, compare_with_run
    from imrnns_core.reporting.import_lines import irregularities

    collection, path = ranker.collection, Path(other).expanduser()
    dataset = collection.dataset
    if other in space.runs.files(dataset.name):
        run = space.runs.load(other, dataset)
        return lambda evaluation: compare_with_run(evaluation, other, run.ranked_ids)
    if other in space.adapter_paths() or path.suffix in (".safetensors", ".pt"):
        with_other = space.ranker(collection, other).with_scope(ranker.config.scope)
        return lambda evaluation: compare_with_adapter(evaluation, with_other)
    if not path.exists():
        known = ", ".join(space.adapter_paths()) or "none"
        raise LensError(
            f"{other}: no such adapter, run or file; name a TREC run, or an adapter: {known}"
        )
    run = load_run(path, path.name, dataset)

    def compare(evaluation: Evaluation) -> SystemComparison:
        compared = compare_with_run(evaluation, path.name, run.ranked_ids)
        show(irregularities(run.report))
        return compared

    return compare
