"""`imrnns-lens`: thin commands over the engine. Heavy imports wait until a command needs them."""

from __future__ import annotations

import json
import os
import runpy
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from imrnns_core.config import SearchConfig, TrainConfig
from imrnns_core.errors import AdapterError, DataError, LensError
from imrnns_core.files import first_readable, write_json, write_text
from imrnns_core.records import STAGES, Query
from imrnns_core.terminal import (
    AdapterOption,
    Data,
    DocumentPrefix,
    Embeddings,
    EncoderName,
    JsonFile,
    QueryPrefix,
    WorkspaceFolder,
    encoding,
    err,
    open_collection,
    out,
    progress_bar,
    resolve,
    show,
)  # fmt: skip

if TYPE_CHECKING:
    from imrnns_core.against import Against
    from imrnns_core.evaluation import Evaluation
    from imrnns_core.overlap import Overlap
    from imrnns_core.ranking import Ranker
    from imrnns_core.workspace import Collection, Workspace

app = typer.Typer(
    help="See what an IMRNN adapter does to a dense retriever's rankings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
adapters = typer.Typer(help="Adapters kept in the workspace.", no_args_is_help=True)
app.add_typer(adapters, name="adapters")
INTERRUPTED = 130


@app.command()
def prepare(
    data: Data, embeddings: Embeddings = None, encoder: EncoderName = None,
    query_prefix: QueryPrefix = "", document_prefix: DocumentPrefix = "",
    adapter: Annotated[list[str] | None, typer.Option("--adapter", help="Also lay out the map for this adapter; may be repeated.")] = None,
    workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Encode a data set, register its name, and lay out its maps. Resumes where it was interrupted."""
    space, registration = resolve(data, embeddings, encoder, query_prefix, document_prefix, workspace)
    collection = open_collection(space, registration)
    space.register(registration)
    dataset = collection.dataset
    splits = ", ".join(f"{name} ({len(qrels)})" for name, qrels in dataset.splits.items()) or "none"
    counts = f"{len(dataset.documents)} documents, {len(dataset.queries)} queries, {collection.documents.dimension} dimensions"
    out.print(f"{dataset.name}: {counts}; judged splits: {splits}")
    names = adapter or [name for name, loaded in space.adapters()[0].items() if loaded.card.dataset == dataset.name]
    for name in names:
        _prepare_map(space, collection, name)


@app.command()
def train(
    data: Data, out_file: Annotated[Path, typer.Option("--out", help="Where to write the adapter, NAME.safetensors.")],
    recipe: Annotated[str, typer.Option(help="How to train.")] = TrainConfig().recipe,
    train_split: Annotated[str, typer.Option(help="The split with the training judgments.")] = "train",
    valid_split: Annotated[str | None, typer.Option(help="Chooses the epoch; by default a part of the training split.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same adapter.")] = TrainConfig().seed,
    embeddings: Embeddings = None, encoder: EncoderName = None, workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Train an adapter. Ctrl-C stops and keeps the best epoch so far."""
    from imrnns_core.checkpoint import save_adapter
    from imrnns_core.training import Training

    if out_file.suffix != ".safetensors":
        raise AdapterError(f"{out_file}: adapters are written as .safetensors; use --out {out_file.with_suffix('.safetensors')}")
    config = TrainConfig(recipe=recipe, seed=seed)
    supervised = config.resolved().supervised  # a mistake shall not wait for the vectors
    space, registration = resolve(data, embeddings, encoder, "", "", workspace)
    collection = open_collection(space, registration)
    there = collection.dataset.splits
    if supervised and train_split not in there:
        remedy = f"name one of {', '.join(there)} with --train-split" if there else "judge some queries"
        raise DataError(collection.dataset.path / "qrels" / f"{train_split}.tsv", "no such split", f"{remedy}, or take --recipe unlabeled")
    state = out_file.with_name(f".{out_file.name}.training")
    with progress_bar() as progress:
        training = Training(collection, config, train_split, valid_split, encoding(progress), state)
        if training.parts.train:
            out.print(f"{len(training.parts.train)} training and {len(training.parts.valid)} validation queries")
        task = progress.add_task("train", total=training.most_epochs)
        try:
            for epoch in training.epochs():
                progress.update(
                    task,
                    completed=epoch.number,
                    description=f"epoch {epoch.number}, loss {epoch.loss or 0:.4f}, validation {epoch.validation:.4f}",
                )
        except KeyboardInterrupt:
            err.print("stopped; keeping the best epoch so far")
    if not training.history:
        raise LensError("stopped before the first epoch; nothing was written")
    adapter = training.adapter(out_file.stem)
    save_adapter(adapter, out_file)
    training.close()
    measures = adapter.card.measures
    compared = (
        f", validation {measures['validation']:.4f} (base {measures['base_validation']:.4f})"
        if {"validation", "base_validation"} <= set(measures)
        else ", nothing to validate on"
    )
    out.print(f"{out_file}: epoch {measures['best_epoch']} of {len(training.history) - 1}{compared}")
    for note in measures["notes"]:
        out.print(f"  {note}")
    out.print(f"To see it in the dashboard: imrnns-lens adapters import {out_file}")


@app.command()
def evaluate(
    data: Data, adapter: AdapterOption, split: Annotated[str, typer.Option(help="The judged split; unjudged: the queries that none judges.")] = "test",
    measure: Annotated[list[str] | None, typer.Option(help="Further measures, as ir-measures writes them; may be repeated.")] = None,
    against: Annotated[str | None, typer.Option(help="Another adapter (name or file), or a TREC run, to compare query by query.")] = None,
    qrels: Annotated[Path | None, typer.Option(help="Judgments (BEIR or TREC) to use in place of the split's.")] = None,
    json_file: JsonFile = None, run_out: Annotated[Path | None, typer.Option(help="A folder for a TREC run of each stage.")] = None,
    qrels_out: Annotated[Path | None, typer.Option(help="Write the judgments that were used, as TREC has them.")] = None,
    embeddings: Embeddings = None, encoder: EncoderName = None, workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Measure BM25, base and modulated rankings, seen and unseen queries apart; compare with another system."""
    from imrnns_core import evaluation, tables
    from imrnns_core.config import MEASURES
    from imrnns_core.measures import parse_measures
    from imrnns_core.overlap import UNJUDGED_SPLIT
    from imrnns_core.ranking import Ranker
    from imrnns_core.runs import write_qrels

    names = (*MEASURES, *(measure or ()))
    parse_measures(names)  # a mistake shall not wait for the vectors
    space, registration = resolve(data, embeddings, encoder, "", "", workspace)
    loaded = space.adapter(adapter)
    collection, split = _judged_by(open_collection(space, registration), split, qrels)
    ranker = Ranker(collection, loaded)
    if split == UNJUDGED_SPLIT or not collection.dataset.splits:
        if against or qrels_out:
            raise LensError("nothing is judged: --against and --qrels-out need judgments; give them with --qrels FILE")
        return _evaluate_unjudged(ranker, json_file, run_out)
    evaluation.judged_queries(collection.dataset, split)
    contest = _contest(space, collection, against) if against else None
    with progress_bar() as progress:
        progress.add_task("BM25 index, measures", total=None)
        result = evaluation.evaluate(ranker, split, names, lexical=space.lexical_index(collection.dataset), with_shares=True)
    versus = contest(result) if contest else None
    show(tables.evaluation(result))
    if versus:
        show(tables.against(versus, collection.dataset.queries))
    record = {**result.to_json(), **({"against": versus.to_json()} if versus else {})}
    _write_results(result, record, json_file, run_out, collection.dataset.document_ids)
    if qrels_out:
        write_qrels(collection.dataset.qrels(split), qrels_out)


@app.command()
def search(
    data: Data, query: Annotated[str, typer.Argument(help="A question, or the id of a query of the data set.")], adapter: AdapterOption,
    top_k: Annotated[int, typer.Option("-k", min=1, help="How many documents of each ranking.")] = SearchConfig().top_k,
    json_file: JsonFile = None, embeddings: Embeddings = None, encoder: EncoderName = None,
    query_prefix: QueryPrefix = "", document_prefix: DocumentPrefix = "", workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Print the base and the modulated ranking of one query."""
    from imrnns_core import tables
    from imrnns_core.ranking import Ranker

    space, registration = resolve(data, embeddings, encoder, query_prefix, document_prefix, workspace)
    loaded = space.adapter(adapter)
    collection = open_collection(space, registration)
    ranker = Ranker(collection, loaded)
    asked = find_query(collection, query)
    comparison = ranker.compare(asked, collection.vector(asked.id) if asked.id else collection.encode(asked.text))
    record: dict[str, Any] = {"schema": 1, "query_id": asked.id or None, "query": asked.text, "adapter": loaded.card.name, "rankings": {}}
    out.print(Text(asked.text, style="bold"))
    for stage in STAGES:
        hits = comparison.hits(stage, top_k)
        record["rankings"][stage] = [
            {
                **asdict(hit),
                "title": collection.dataset.document[hit.document_id].title,
                "base_rank": int(comparison.ranks[0, comparison.position[hit.document_id]]),
            }
            for hit in hits
        ]
        if stage in ("base", "modulated"):
            out.print(tables.hits(stage, record["rankings"][stage], bool(comparison.judgments)))
    if json_file:
        write_json(json_file, record)


@app.command()
def explain(
    data: Data, query: Annotated[str, typer.Option("--query", help="A question, or the id of a query of the data set.")],
    document: Annotated[str, typer.Option("--document", help="The id of a candidate.")], adapter: AdapterOption,
    verify: Annotated[bool, typer.Option("--verify", help="Delete the named words, encode again, and show what it really costs.")] = False,
    json_file: JsonFile = None, html_file: Annotated[Path | None, typer.Option("--html", help="Write a report that opens without a network.")] = None,
    embeddings: Embeddings = None, encoder: EncoderName = None,
    query_prefix: QueryPrefix = "", document_prefix: DocumentPrefix = "", workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Say why a document is where it is: score accounting, words of both texts, the paper's vocabulary view."""
    from imrnns_core import tables
    from imrnns_core.explain.explanation import explain_pair
    from imrnns_core.explain.faithfulness import DeletionSummary, record_key
    from imrnns_core.explain.report import to_html
    from imrnns_core.ranking import Ranker

    space, registration = resolve(data, embeddings, encoder, query_prefix, document_prefix, workspace)
    collection = open_collection(space, registration)
    asked = find_query(collection, query)
    ranker = Ranker(collection, space.adapter(adapter))
    comparison = ranker.compare(asked, collection.vector(asked.id) if asked.id else collection.encode(asked.text))
    with out.status("explaining"):
        explanation = explain_pair(ranker, comparison, document, verify)
    show(tables.explanation(explanation))
    if json_file:
        write_json(json_file, explanation.to_json())
    if html_file:
        write_text(html_file, to_html(explanation, first_readable(space.faithfulness_paths(record_key(ranker)), DeletionSummary.read)))


@app.command()
def faithfulness(
    data: Data, adapter: AdapterOption, split: Annotated[str, typer.Option(help="The split whose queries are explained.")] = "dev",
    pairs: Annotated[int, typer.Option(min=2, help="Pairs of a query and a document, risers and fallers in turn.")] = 60,
    json_file: JsonFile = None, embeddings: Embeddings = None, encoder: EncoderName = None,
    query_prefix: QueryPrefix = "", document_prefix: DocumentPrefix = "", workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Test the explanations by deletion: do the named words carry the score, and its change? Some twenty seconds a pair."""
    from imrnns_core import tables
    from imrnns_core.explain.faithfulness import Faithfulness, record_key, run_pairs, sample_pairs
    from imrnns_core.explain.words import WordExplainer
    from imrnns_core.ranking import Ranker

    space, registration = resolve(data, embeddings, encoder, query_prefix, document_prefix, workspace)
    collection = open_collection(space, registration)
    ranker = Ranker(collection, space.adapter(adapter))
    if split not in collection.dataset.splits:
        known = ", ".join(collection.dataset.splits) or "none"
        raise LensError(f"{collection.dataset.name} has no split {split!r}; its splits are: {known}")
    sampled, explainer = sample_pairs(ranker, split, pairs), WordExplainer(ranker)
    result = Faithfulness(collection.dataset.name, split, ranker.adapter.card.name)
    with progress_bar() as progress:
        task = progress.add_task("delete and encode again", total=len(sampled))
        try:
            for tested in run_pairs(explainer, sampled):
                result.pairs.append(tested)
                progress.advance(task)
        except KeyboardInterrupt:
            err.print(f"stopped; the figures are those of {len(result.pairs)} pairs")
    if not result.pairs:
        raise LensError("stopped before the first pair; nothing was measured")
    show(tables.faithfulness(result))
    write_json(space.faithfulness_path(record_key(ranker)), result.to_json())
    if json_file:
        write_json(json_file, result.to_json())


@app.command()
def dashboard(
    data: Annotated[str | None, typer.Argument(metavar="[DATA]", help="The data set to open (default: the sample).")] = None,
    adapter: Annotated[str | None, typer.Option("--adapter", help="A name in the workspace, or a file, which is imported.")] = None,
    embeddings: Embeddings = None, encoder: EncoderName = None,
    port: Annotated[int, typer.Option(help="Serve on 127.0.0.1 at this port.")] = 8501, workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Open the dashboard in a browser."""
    import importlib.util

    from imrnns_core.workspace import Workspace

    space = Workspace(workspace)
    os.environ["IMRNNS_WORKSPACE"] = str(space.root)
    if data is not None:
        space, registration = resolve(data, embeddings, encoder, "", "", workspace)
        open_collection(space, registration)
        space.register(registration)
        os.environ["IMRNNS_DATA"] = registration.name
    if adapter is not None:
        os.environ["IMRNNS_ADAPTER"] = adapter if adapter in space.adapter_paths() else space.import_adapter(Path(adapter)).stem
    spec = importlib.util.find_spec("dashboard")
    if spec is None or not spec.submodule_search_locations:
        raise LensError("the dashboard is not installed; run this from a clone of the repository after: make install")
    page = Path(next(iter(spec.submodule_search_locations))) / "app.py"
    # In this process: a signal that ends the command ends the server
    sys.argv = ["streamlit", "run", str(page), "--server.address", "127.0.0.1", "--server.port", str(port)]
    runpy.run_module("streamlit", run_name="__main__")


@adapters.command("import")
def adapters_import(
    file: Annotated[Path, typer.Argument(help="A .safetensors adapter, or a .pt of the reference package.")],
    workspace: WorkspaceFolder = None,
) -> None:
    """Copy an adapter into the workspace, so that the dashboard offers it."""
    from imrnns_core.workspace import Workspace

    target = Workspace(workspace).import_adapter(file)
    out.print(f"{target.stem}: imported to {target}")


@adapters.command("list")
def adapters_list(workspace: WorkspaceFolder = None) -> None:
    """List the adapters that can be named."""
    from imrnns_core.workspace import Workspace

    space = Workspace(workspace)
    table = Table("name", "dimensions", "encoder", "recipe", "trained on", box=None)
    readable, errors = space.adapters()
    for name, adapter in readable.items():
        card = adapter.card
        table.add_row(
            name, f"{card.input_dim}→{card.output_dim}", card.encoder or "—", card.recipe or card.source or "—", card.dataset or "—"
        )
    out.print(table)
    for error in errors.values():
        err.print(f"cannot be read: {error}", soft_wrap=True)


@adapters.command("show")
def adapters_show(name: Annotated[str, typer.Argument(help="A name or a file.")], workspace: WorkspaceFolder = None) -> None:
    """Print an adapter's card as JSON."""
    from imrnns_core.workspace import Workspace

    out.print(json.dumps(asdict(Workspace(workspace).adapter(name).card), indent=1, ensure_ascii=False), soft_wrap=True)


def find_query(collection: Collection, text: str) -> Query:
    """Return the data set's query with this id or this text, else a new one without an id."""
    queries = collection.dataset.queries
    if text in queries:
        return queries[text]
    wanted = text.strip()
    if not wanted:
        raise LensError("the question is empty; type one, or the id of a query")
    return next((query for query in queries.values() if query.text.strip() == wanted), Query("", wanted))


def _evaluate_unjudged(ranker: Ranker, json_file: Path | None, run_out: Path | None) -> None:
    from imrnns_core import tables
    from imrnns_core.overlap import measure_overlap, unjudged_queries

    dataset = ranker.collection.dataset
    moved = measure_overlap(ranker, unjudged_queries(dataset))
    show(tables.overlap(moved, dataset.queries))
    _write_results(moved, moved.to_json(), json_file, run_out, dataset.document_ids)


def _judged_by(collection: Collection, split: str, qrels: Path | None) -> tuple[Collection, str]:
    """Return the collection, judged by a file where one is named, and the name of the split to measure."""
    from imrnns_core.dataset import load_qrels

    if qrels is None:
        return collection, split
    dataset = collection.dataset
    judged = {**dataset.splits, qrels.stem: load_qrels(qrels, dataset)}
    return replace(collection, dataset=replace(dataset, splits=judged)), qrels.stem


def _contest(space: Workspace, collection: Collection, other: str) -> Callable[[Evaluation], Against]:
    """Read the other system; return what compares an evaluation with it."""
    from imrnns_core.against import against_adapter, against_run
    from imrnns_core.ranking import Ranker
    from imrnns_core.runs import read_run

    path = Path(other).expanduser()
    if other in space.adapter_paths() or path.suffix in (".safetensors", ".pt"):
        ranker = Ranker(collection, space.adapter(other))
        return lambda ours: against_adapter(ours, ranker)
    if not path.exists():
        there = ", ".join(space.adapter_paths()) or "none"
        raise LensError(f"{other}: neither an adapter nor a TREC run; adapters are: {there}, or name a file")
    rankings = read_run(path, collection.dataset.queries, collection.dataset.document)
    return lambda ours: against_run(ours, path.name, rankings)


def _prepare_map(space: Workspace, collection: Collection, name: str) -> None:
    from imrnns_core.mapping import fit_map, load_map, map_key, save_map
    from imrnns_core.ranking import Ranker

    adapter = space.adapter(name)
    ranker = Ranker(collection, adapter)
    key = map_key(adapter, collection.fingerprint)
    if first_readable(space.map_paths(key), load_map) is None:
        seconds = 5 + len(collection.documents) // 60
        # Text: rich reads the markup of a status itself
        with out.status(Text(f"map of {len(collection.documents)} documents for {adapter.card.name} (UMAP, about {seconds} s)")):
            save_map(fit_map(ranker.transform.projected.numpy(), collection.dataset.documents), space.map_path(key))
    out.print(f"map for {adapter.card.name}: ready")


def _write_results(
    result: Evaluation | Overlap, record: dict[str, Any], json_file: Path | None, run_out: Path | None, document_ids: tuple[str, ...]
) -> None:
    from imrnns_core.runs import write_runs

    if json_file:
        write_json(json_file, record)
    if run_out:
        write_runs(result, document_ids, run_out)


def main() -> None:
    """Run the command line; an error that a user can mend is one line and exit code 2."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer has swallowed a Ctrl-C
            err.print("imrnns-lens: stopped; run the same command again to go on")
        raise
    except LensError as error:
        err.print(f"imrnns-lens: {error}", soft_wrap=True)
        raise SystemExit(2) from None
    except OSError as error:
        err.print(
            f"imrnns-lens: {error.filename or ''}: {error.strerror or error}; check the path, the rights and the free space",
            soft_wrap=True,
        )
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
