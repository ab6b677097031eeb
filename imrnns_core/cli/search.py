"""The command `imrnns-lens search`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from imrnns_core.cli.console import out
from imrnns_core.cli.options import (
    Base,
    Data,
    DocumentPrefix,
    Embeddings,
    EncoderName,
    Force,
    JsonFile,
    OptionalAdapter,
    QueryPrefix,
    RunFolder,
    ScopeChoice,
    WorkspaceFolder,
    open_ranker,
    resolve,
)
from imrnns_core.cli.outputs import SEARCH_TAG, check_outputs, write_record
from imrnns_core.config import ENCODER_BASE, NO_ADAPTER, SearchConfig
from imrnns_core.io import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from imrnns_core.data.records import Document
    from imrnns_core.retrieval.comparison import Comparison
    from imrnns_core.retrieval.ranker import Ranker
    from imrnns_core.storage.workspace import Workspace

_DEFAULTS = SearchConfig()
Question = Annotated[
    str, typer.Argument(metavar="QUERY", help="A question, or the id of a query in the data set.")
]
TopK = Annotated[int, typer.Option("-k", min=1, help="Number of documents per ranking.")]


def search(
    data: Data,
    query: Question,
    adapter: OptionalAdapter = None,
    base: Base = None,
    scope: ScopeChoice = _DEFAULTS.scope,
    top_k: TopK = _DEFAULTS.top_k,
    json_file: JsonFile = None,
    run_out: RunFolder = None,
    force: Force = False,
    embeddings: Embeddings = None,
    encoder: EncoderName = None,
    query_prefix: QueryPrefix = None,
    document_prefix: DocumentPrefix = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Print two rankings of one query: base and modulated.

    Without an adapter, they are base and the reciprocal rank fusion of base and
    BM25. If the base is a run, the ranking by the vectors follows.
    """
    check_outputs("search", force, json_file)
    options = (embeddings, encoder, query_prefix, document_prefix, workspace)
    space, registration = resolve(data, *options)
    ranker = open_ranker(space, registration, adapter, base).with_scope(scope, top_k)
    collection, comparison = ranker.collection, _compared(space, ranker, query)
    outputs = _run_files(comparison, run_out)
    check_outputs("search", force, *outputs.values())
    rankings = {
        system: _hits(comparison, system, top_k, collection.dataset.document)
        for system in comparison.rankings
    }
    _print(comparison, rankings, ranker.run_name)
    _write_runs(comparison, outputs)
    if json_file:
        query_fields = {"query_id": comparison.query.id or None, "query": comparison.query.text}
        record = {
            "schema": 1,
            **query_fields,
            "adapter": ranker.adapter_name,
            "run": ranker.run_name,
            "scope": scope,
            "certainty": comparison.certainty and comparison.certainty.to_json(),
            "rankings": rankings,
        }
        write_record(json_file, "search", record)


def _print(
    comparison: Comparison, rankings: Mapping[str, list[dict[str, Any]]], run: str | None
) -> None:
    """Print the top documents of the rankings; `run` is the name of the base if it is a run."""
    from imrnns_core.reporting import terminal as tables
    from imrnns_core.reporting.change_lines import certainty_line
    from imrnns_core.retrieval.hybrid import RANK_FUSION

    out.print(Text(comparison.query.text, style="bold"))
    second = comparison.final if len(comparison.stages) > 1 else RANK_FUSION
    shown = [("base", second), (second, "base")]
    shown += [(ENCODER_BASE, "base")] if ENCODER_BASE in rankings else []
    for system, other in shown:
        ranks = _ranks(comparison, other)
        out.print(tables.hits(system, _named(rankings[system]), other, ranks))
    if comparison.certainty is not None:
        out.print(certainty_line(comparison.certainty))
    if run and not rankings["base"]:
        out.print(f"The run {run} ranks no document for this query.")


def _compared(space: Workspace, ranker: Ranker, query: str) -> Comparison:
    """Return the rankings of a query; without an adapter, with those that need none."""
    from imrnns_core.retrieval.hybrid import Hybrid
    from imrnns_core.retrieval.run_ranker import with_encoder

    collection, comparison = ranker.collection, ranker.compare(query)
    if ranker.card is not None:
        return comparison
    index = space.lexical_index(collection.dataset)
    comparison = Hybrid.of(collection, comparison, index).add_to(comparison)
    if ranker.run_name is None or not collection.has_vectors:
        return comparison
    return with_encoder(comparison, space.ranker(collection, NO_ADAPTER), None)


def _run_files(comparison: Comparison, folder: Path | None) -> dict[str, Path]:
    """Return ranking → the file of its run."""
    if folder is None:
        return {}
    return {system: folder / f"{system.replace(' ', '-')}.run" for system in comparison.rankings}


def _write_runs(comparison: Comparison, files: Mapping[str, Path]) -> None:
    from imrnns_core.evaluation.trec import single_run

    for system, path in files.items():
        text = single_run(comparison.query.id or "query", comparison.rankings[system], SEARCH_TAG)
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def _ranks(comparison: Comparison, system: str) -> dict[str, int]:
    """Return the rank of each document that a system ranks."""
    ranking = comparison.rankings[system]
    return dict(zip(ranking.document_ids, ranking.ranks.tolist(), strict=True))


def _hits(
    comparison: Comparison, system: str, top_k: int, documents: Mapping[str, Document]
) -> list[dict[str, Any]]:
    """Return the top documents of a ranking, each with its title and base rank."""
    base_rank = _ranks(comparison, "base")
    return [
        {
            **asdict(hit),
            "title": documents[hit.document_id].title,
            # BM25 also ranks documents that the base does not return
            "base_rank": base_rank.get(hit.document_id),
            **({"passage": best.to_json()} if best else {}),
        }
        for hit in comparison.ranking(system, top_k)
        for best in [comparison.passages.get(hit.document_id)]
    ]


def _named(hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the hits with the best passage behind the title."""
    return [
        {**hit, "title": f"{hit['title']} (passage {best['number']} of {best['count']})".strip()}
        if (best := hit.get("passage"))
        else hit
        for hit in hits
    ]
