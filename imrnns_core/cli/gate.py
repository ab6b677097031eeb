"""The command `imrnns-lens gate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import typer

from imrnns_core.cli.console import out, show
from imrnns_core.cli.options import (
    Data,
    Embeddings,
    OptionalAdapter,
    WorkspaceFolder,
    open_ranker,
    resolve,
)
from imrnns_core.config import SCOPES
from imrnns_core.errors import LensError
from imrnns_core.io import none_if_damaged

if TYPE_CHECKING:
    from imrnns_core.evaluation.gate import NewFailure
    from imrnns_core.retrieval.ranker import Ranker

Baseline = Annotated[
    Path,
    typer.Option("--baseline", help="The record of an earlier `imrnns-lens evaluate --json`."),
]
DashboardAddress = Annotated[
    str, typer.Option("--dashboard", help="Address of the dashboard in the links.")
]
READING = (
    "A query is listed if it had a relevant document in the top {0} before, and if now the best of "
    "them is below the document at rank {0} by more than {1} in score (so that rounding raises no "
    "alarm), or none is ranked."
)
ADAPTER = "{}: this evaluation has the adapter {}; name it, or a new one, with --adapter"
NEEDED = {"dataset", "split", "adapter", "scope", "top_k", "queries"}
"""Keys of a record that is compared."""


def gate(
    data: Data,
    baseline: Baseline,
    adapter: OptionalAdapter = None,
    address: DashboardAddress = "http://127.0.0.1:8501",
    embeddings: Embeddings = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Compare with an earlier evaluation; exit with 1 if queries fail that did not fail before.

    The table has each of these queries, whether its relevant documents were lost by
    the base or only by the modulated ranking, their best rank before and now, and a
    link to Compare. Use it before a change of encoder, corpus or adapter goes live.
    """
    from imrnns_core.evaluation.evaluate import evaluate
    from imrnns_core.evaluation.gate import MARGIN, lost_queries, new_failures
    from imrnns_core.reporting.formatting import counted

    earlier = read_baseline(baseline)
    if earlier["adapter"] and adapter is None:
        raise LensError(ADAPTER.format(baseline, earlier["adapter"]))
    space, registration = resolve(data, embeddings, None, None, None, workspace)
    ranker = open_ranker(space, registration, adapter, None).with_scope(earlier["scope"])
    measured = evaluate(ranker, str(earlier["split"]))
    failures = new_failures(measured, earlier, ranker.collection.documents.row)
    if lost := lost_queries(measured, earlier):
        number = counted(len(lost), "query", "queries")
        out.print(
            "not in the data set, or without a relevant document now, so not compared: "
            f"{number}, such as {lost[0]}"
        )
    out.print(READING.format(earlier["top_k"], MARGIN), soft_wrap=True)
    if not failures:
        out.print(f"passed: none of {counted(len(measured.query_ids), 'query', 'queries')} fails "
                  "that did not fail before")  # fmt: skip
        return
    show([_table(failures, ranker, adapter, address)])
    out.print(
        f"failed: {counted(len(failures), 'query fails', 'queries fail')} now, and not before"
    )
    raise typer.Exit(1)


def read_baseline(path: Path) -> dict[str, Any]:
    """Return the record of an earlier evaluation.

    Raises:
        LensError: If the file is no such record.
    """
    record = none_if_damaged(lambda: json.loads(path.read_text(encoding="utf-8")))
    if (
        not isinstance(record, dict)
        or record.get("run")
        or not record.keys() >= NEEDED
        or record["scope"] not in SCOPES
        or not isinstance(record["adapter"], str | None)
    ):
        raise LensError(
            f"{path}: this is no record of an evaluation of judged queries by vectors; write one "
            "with: imrnns-lens evaluate DATA --split SPLIT --json FILE"
        )
    return record


def _table(failures: list[NewFailure], ranker: Ranker, adapter: str | None, address: str) -> Any:
    from imrnns_core.reporting.terminal import table_of

    dataset = ranker.collection.dataset
    table = table_of("Queries that fail now", "query", "id", "stage", "before", "now", "link")
    for own in failures:
        names = {"data": dataset.name, "adapter": adapter or "none", "query": own.query_id}
        table.add_row(
            *(dataset.queries[own.query_id].text, own.query_id, own.stage, str(own.before)),
            *(str(own.now or "—"), f"{address}/compare?{urlencode(names)}"),
        )
    return table
