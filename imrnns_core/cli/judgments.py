"""The commands `imrnns-lens judgments export`, `import`, `list` and `remove-question`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table

from imrnns_core.cli.console import out, show
from imrnns_core.cli.options import Data, WorkspaceFolder
from imrnns_core.errors import LensError

if TYPE_CHECKING:
    from imrnns_core.data.dataset import Dataset
    from imrnns_core.storage.judgments import JudgmentStore

CHANGED = "text changed since"
NOT_FOUND = "not in the data set now"
QrelsFormat = Annotated[
    Literal["beir", "trec"], typer.Option("--format", help="Format of the file.")
]
Who = Annotated[str | None, typer.Option(help="Your name (default: the system's user).")]
OutFile = Annotated[Path, typer.Option("--out", help="File to write.")]
Overwrite = Annotated[bool, typer.Option("--force", help="Overwrite the file if it exists.")]


def judgments_export(
    data: Data,
    out_file: OutFile,
    file_format: QrelsFormat = "beir",
    force: Overwrite = False,
    workspace: WorkspaceFolder = None,
) -> None:
    """Write the judgments that people made here to a file."""
    from imrnns_core.evaluation.trec import qrels_text
    from imrnns_core.io import write_text

    if out_file.exists() and not force:
        raise LensError(f"{out_file}: this file exists; name another one, or use --force")
    _, dataset = _open(data, workspace)
    if not dataset.people:
        raise LensError(f"{dataset.name}: nobody judged its documents yet; use the page Judging")
    write_text(out_file, qrels_text(dataset.people, file_format))
    out.print(f"{out_file}: {sum(map(len, dataset.people.values())):,} judgments")


def judgments_import(
    data: Data,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Judgments: BEIR, TREC, a table.")],
    who: Who = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Store the judgments of a file; grades above 3 are stored as 3.

    If a query has fractions, all its grades are multiplied to whole numbers first,
    so 0.5 and 1 become 1 and 2, and 0.3 and 1 both become 3.

    For the same pair of query and document, they replace those of the data set's
    files.
    """
    from imrnns_core.reporting.import_lines import irregularities
    from imrnns_core.storage.judged import import_qrels
    from imrnns_core.storage.judgments import user_name

    store, dataset = _open(data, workspace)
    new, report = import_qrels(store, dataset, file, who or user_name())
    show(irregularities(report))
    out.print(
        f"{dataset.name}: {len(new):,} new judgments of {report.records:,} in the file",
        soft_wrap=True,
    )


def judgments_list(data: Data, workspace: WorkspaceFolder = None) -> None:
    """List the judgments that people made here."""
    from imrnns_core.storage.judged import placed_judgments

    store, dataset = _open(data, workspace)
    table = Table("query", "document", "grade", "who", "when (UTC)", "", box=None)
    placed = placed_judgments(store, dataset)
    for item in placed:
        given = item.judgment
        missing = item.query_id is None or item.document_id is None
        table.add_row(
            item.query_id or given.query_id,
            item.document_id or given.document_id,
            str(given.grade),
            given.who,
            f"{given.at:%Y-%m-%d %H:%M}",
            NOT_FOUND if missing else CHANGED if item.changed else "",
        )
    if placed:
        out.print(table)
    out.print(f"{len(placed):,} judgments of {dataset.name}", soft_wrap=True)
    for question in store.questions(dataset.name):
        out.print(f"{question.id}: {question.text}", soft_wrap=True)
    for removed in store.removed_questions(dataset.name):
        query = removed.query
        out.print(f"{query.id} (removed by {removed.who}): {query.text}", soft_wrap=True)


def judgments_remove_question(
    data: Data,
    question: Annotated[str, typer.Argument(metavar="ID", help="Id of the question: see list.")],
    undo: Annotated[bool, typer.Option("--undo", help="Bring a removed question back.")] = False,
    who: Who = None,
    workspace: WorkspaceFolder = None,
) -> None:
    """Remove a question that was kept as a query of the data set.

    Its judgments stay in the database. They count again after --undo.
    """
    from imrnns_core.storage.judgments import user_name

    store, dataset = _open(data, workspace)
    change = store.restore_question if undo else store.remove_question
    if not change(dataset.name, question, who or user_name()):
        kind = "removed" if undo else "kept"
        raise LensError(
            f"{dataset.name} has no {kind} question {question!r}; its questions are listed by: "
            f"imrnns-lens judgments list {data}"
        )
    out.print(f"{dataset.name}: {question} {'is back' if undo else 'was removed'}", soft_wrap=True)


def _open(data: str, workspace: Path | None) -> tuple[JudgmentStore, Dataset]:
    """Return the database, and the data set with what people judged and asked."""
    from dataclasses import replace

    from imrnns_core.data.readers.load import load_dataset
    from imrnns_core.storage.judged import judged_dataset
    from imrnns_core.storage.judgments import JudgmentStore
    from imrnns_core.storage.workspace import Workspace

    space = Workspace(workspace)
    registration = space.resolve(data)
    store = JudgmentStore(space.root)
    dataset = replace(load_dataset(registration.source), name=registration.name)
    return store, judged_dataset(store, dataset)
