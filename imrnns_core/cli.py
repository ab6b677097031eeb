"""`imrnns-lens`: thin commands over the engine. Heavy imports wait until a command needs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from imrnns_core.config import EncoderSpec, SearchConfig, TrainConfig
from imrnns_core.errors import AdapterError, LensError
from imrnns_core.files import replacing
from imrnns_core.records import STAGES, Query

if TYPE_CHECKING:
    from imrnns_core.evaluation import Evaluation
    from imrnns_core.workspace import Collection, Registration, Workspace

app = typer.Typer(
    help="See what an IMRNN adapter does to a dense retriever's rankings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
adapters = typer.Typer(help="Adapters kept in the workspace.", no_args_is_help=True)
app.add_typer(adapters, name="adapters")
out = Console(width=None if sys.stdout.isatty() else 160, highlight=False)
err = Console(stderr=True, highlight=False)
INTERRUPTED = 130

Data = Annotated[str, typer.Argument(metavar="DATA", help="A folder or zip in the BEIR layout, or a registered name such as sample.")]
AdapterOption = Annotated[str, typer.Option("--adapter", help="An adapter's file, or its name in the workspace.")]
Embeddings = Annotated[
    Path | None, typer.Option(help="A folder of precomputed vectors: documents.npy, document_ids.txt, queries.npy, query_ids.txt.")
]
EncoderName = Annotated[
    str | None, typer.Option("--encoder", help="A sentence-transformers folder or hub name (default all-MiniLM-L6-v2).")
]
QueryPrefix = Annotated[str, typer.Option(help="Put before each query, as E5 and BGE want.")]
DocumentPrefix = Annotated[str, typer.Option(help="Put before each document.")]
WorkspaceFolder = Annotated[
    Path | None, typer.Option("--workspace", envvar="IMRNNS_WORKSPACE", help="Where vectors, maps and adapters are kept.")
]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the result as JSON.")]


@app.command()
def prepare(
    data: Data, embeddings: Embeddings = None, encoder: EncoderName = None,
    query_prefix: QueryPrefix = "", document_prefix: DocumentPrefix = "",
    adapter: Annotated[list[str] | None, typer.Option("--adapter", help="Also lay out the map for this adapter; may be repeated.")] = None,
    workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Encode a data set, register its name, and lay out its maps. Resumes where it was interrupted."""
    space, registration = _resolve(data, embeddings, encoder, query_prefix, document_prefix, workspace)
    collection = _open(space, registration)
    space.register(registration)
    dataset = collection.dataset
    splits = ", ".join(f"{name} ({len(qrels)})" for name, qrels in dataset.splits.items()) or "none"
    counts = f"{len(dataset.documents)} documents, {len(dataset.queries)} queries, {collection.documents.dimension} dimensions"
    out.print(f"{dataset.name}: {counts}; judged splits: {splits}")
    names = adapter or [n for n in space.adapter_paths() if space.adapter(n).card.dataset == dataset.name]
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
    space, registration = _resolve(data, embeddings, encoder, "", "", workspace)
    config = TrainConfig(recipe=recipe, seed=seed)
    collection = _open(space, registration)
    state = out_file.with_name(f".{out_file.name}.training")
    with _progress() as progress:
        training = Training(collection, config, train_split, valid_split, _encoding(progress), state)
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
        else ""
    )
    out.print(f"{out_file}: epoch {measures['best_epoch']} of {len(training.history) - 1}{compared}")
    for note in measures["notes"]:
        out.print(f"  {note}")
    out.print(f"To see it in the dashboard: imrnns-lens adapters import {out_file}")


@app.command()
def evaluate(
    data: Data, adapter: AdapterOption, split: Annotated[str, typer.Option(help="The judged split.")] = "test",
    json_file: JsonFile = None, run_out: Annotated[Path | None, typer.Option(help="A folder for a TREC run of each stage.")] = None,
    measure: Annotated[list[str] | None, typer.Option(help="Further measures, as ir-measures writes them; may be repeated.")] = None,
    embeddings: Embeddings = None, encoder: EncoderName = None, workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Measure base and modulated rankings, seen and unseen queries apart."""
    from imrnns_core import evaluation
    from imrnns_core.config import MEASURES
    from imrnns_core.ranking import Ranker
    from imrnns_core.runs import write_runs

    space, registration = _resolve(data, embeddings, encoder, "", "", workspace)
    loaded = space.adapter(adapter)
    ranker = Ranker(_open(space, registration), loaded)
    result = evaluation.evaluate(ranker, split, (*MEASURES, *(measure or ())))
    _print_evaluation(result)
    if json_file:
        _write_json(json_file, result.to_json())
    if run_out:
        write_runs(result, ranker.collection.dataset.document_ids, run_out)


@app.command()
def search(
    data: Data, query: Annotated[str, typer.Argument(help="A question, or the id of a query of the data set.")], adapter: AdapterOption,
    top_k: Annotated[int, typer.Option("-k", min=1, help="How many documents of each ranking.")] = SearchConfig().top_k,
    json_file: JsonFile = None, embeddings: Embeddings = None, encoder: EncoderName = None,
    query_prefix: QueryPrefix = "", document_prefix: DocumentPrefix = "", workspace: WorkspaceFolder = None,
) -> None:  # fmt: skip
    """Print the base and the modulated ranking of one query."""
    from imrnns_core.ranking import Ranker

    space, registration = _resolve(data, embeddings, encoder, query_prefix, document_prefix, workspace)
    loaded = space.adapter(adapter)
    collection = _open(space, registration)
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
            _print_hits(stage, record["rankings"][stage], comparison.judgments)
    if json_file:
        _write_json(json_file, record)


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

    environment = dict(os.environ)
    space = Workspace(workspace)
    environment["IMRNNS_WORKSPACE"] = str(space.root)
    if data is not None:
        space, registration = _resolve(data, embeddings, encoder, "", "", workspace)
        _open(space, registration)
        space.register(registration)
        environment["IMRNNS_DATA"] = registration.name
    if adapter is not None:
        environment["IMRNNS_ADAPTER"] = adapter if adapter in space.adapter_paths() else space.import_adapter(Path(adapter)).stem
    spec = importlib.util.find_spec("dashboard")
    if spec is None or not spec.submodule_search_locations:
        raise LensError("the dashboard is not installed; run this from a clone of the repository after: make install")
    page = Path(next(iter(spec.submodule_search_locations))) / "app.py"
    raise typer.Exit(
        subprocess.call(
            [sys.executable, "-m", "streamlit", "run", str(page), "--server.port", str(port)], env=environment, cwd=page.parent.parent
        )
    )


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
    for name in space.adapter_paths():
        card = space.adapter(name).card
        table.add_row(
            *(
                Text(x)
                for x in (
                    name,
                    f"{card.input_dim}→{card.output_dim}",
                    card.encoder or "—",
                    card.recipe or card.source or "—",
                    card.dataset or "—",
                )
            )
        )
    out.print(table)


@adapters.command("show")
def adapters_show(name: Annotated[str, typer.Argument(help="A name or a file.")], workspace: WorkspaceFolder = None) -> None:
    """Print an adapter's card as JSON."""
    from imrnns_core.workspace import Workspace

    typer.echo(json.dumps(asdict(Workspace(workspace).adapter(name).card), indent=1, ensure_ascii=False))


def find_query(collection: Collection, text: str) -> Query:
    """Return the data set's query with this id or this text, else a new one without an id."""
    queries = collection.dataset.queries
    if text in queries:
        return queries[text]
    wanted = text.strip()
    if not wanted:
        raise LensError("the question is empty; type one, or the id of a query")
    return next((query for query in queries.values() if query.text.strip() == wanted), Query("", wanted))


def _resolve(
    data: str, embeddings: Path | None, encoder: str | None, query_prefix: str, document_prefix: str, workspace: Path | None
) -> tuple[Workspace, Registration]:
    from imrnns_core.workspace import Workspace

    space = Workspace(workspace)
    given = encoder or query_prefix or document_prefix
    spec = EncoderSpec(encoder or EncoderSpec().name, query_prefix=query_prefix, document_prefix=document_prefix) if given else None
    return space, space.resolve(data, embeddings.expanduser().resolve() if embeddings else None, spec)


def _open(space: Workspace, registration: Registration) -> Collection:
    with _progress() as progress:
        return space.open(registration, _encoding(progress))


def _encoding(progress: Progress) -> Callable[[str, int, int], None]:
    """Return what shows (what, done, total) texts as a line of its own."""
    tasks: dict[str, Any] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(f"encode {what}", total=total)
        progress.update(tasks[what], completed=done)

    return report


def _prepare_map(space: Workspace, collection: Collection, name: str) -> None:
    from imrnns_core.mapping import fit_map, map_key, save_map
    from imrnns_core.ranking import Ranker

    adapter = space.adapter(name)
    ranker = Ranker(collection, adapter)
    path = space.map_path(map_key(adapter, collection.documents.vectors))
    if not path.is_file():
        with out.status(
            f"map of {len(collection.documents)} documents for {adapter.card.name} (UMAP, about {5 + len(collection.documents) // 60} s)"
        ):
            save_map(fit_map(ranker.transform.projected.numpy()), path)
    out.print(f"map for {adapter.card.name}: {path}")


class _Rate(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield progress


def _print_hits(stage: str, hits: list[dict[str, Any]], judgments: Any) -> None:
    table = Table("rank", "base rank", "score", "relevance", "document", "title", title=stage, title_justify="left", box=None)
    for hit in hits:
        relevance = "unjudged" if hit["relevance"] < 0 else str(hit["relevance"])
        table.add_row(
            str(hit["rank"]),
            str(hit["base_rank"]),
            f"{hit['score']:.4f}",
            relevance if judgments else "—",
            Text(hit["document_id"]),
            Text(hit["title"]),
        )
    out.print(table)


def _print_evaluation(result: Evaluation) -> None:
    table = Table(
        "queries",
        "n",
        "stage",
        *result.measures,
        title=f"{result.dataset} {result.split}, adapter {result.adapter}",
        title_justify="left",
        box=None,
    )
    for stage in STAGES:
        table.add_row("all", str(len(result.query_ids)), stage, *(f"{v:.5f}" for v in result.mean(stage).values()))
    for group, mask in result.group_masks().items():
        for stage in ("base", "modulated") if mask.any() else ():
            table.add_row(group, str(int(mask.sum())), stage, *(f"{v:.5f}" for v in result.mean(stage, mask).values()))
    out.print(table)
    for measure in result.measures:
        s = result.significance(measure)
        out.print(f"{measure}: modulated − base {s.delta:+.5f}, 95 % interval [{s.ci95[0]:+.5f}, {s.ci95[1]:+.5f}], p = {s.p:.4f}")
    if result.groups is None:
        out.print("Seen and unseen queries cannot be told apart: the adapter's card names no training positives.")
    counts: dict[str, int] = {}
    for bucket in result.buckets():
        counts[bucket] = counts.get(bucket, 0) + 1
    out.print(", ".join(f"{n} {name}" for name, n in sorted(counts.items(), key=lambda x: -x[1])))


def _write_json(path: Path, record: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    """Run the command line; an error that a user can mend is one line and exit code 2."""
    try:
        app()
    except SystemExit as ended:
        if ended.code == INTERRUPTED:  # typer has swallowed a Ctrl-C
            err.print("imrnns-lens: stopped; run the same command again to go on")
        raise
    except LensError as error:
        err.print(Text(f"imrnns-lens: {error}"), soft_wrap=True)
        raise SystemExit(2) from None
    except OSError as error:
        err.print(
            Text(f"imrnns-lens: {error.filename or ''}: {error.strerror or error}; check the path, the rights and the free space"),
            soft_wrap=True,
        )
        raise SystemExit(2) from None


if __name__ == "__main__":
    main()
