"""What the commands share: options, the terminal, progress, and opening a data set."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeRemainingColumn
from rich.segment import Segment
from rich.text import Text

from imrnns_core.config import EncoderSpec

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType

    from imrnns_core.workspace import Collection, Registration, Workspace

_CONTROLS = dict.fromkeys(i for i in (*range(0x20), *range(0x7F, 0xA0)) if chr(i) not in "\n\t")


def printable(text: str) -> str:
    """Return a text without control characters: to a terminal they are commands."""
    return text.translate(_CONTROLS)


class Terminal(Console):
    """A console that shows every text letter by letter: no markup, no emoji codes, no control characters."""

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Go on in silence where nobody reads any more, as behind `| head`: files that were asked for are still written."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


out = Terminal(width=None if sys.stdout.isatty() else 160)
err = Terminal(stderr=True)

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA", help="A registered name such as sample, or a folder or zip in the BEIR layout; ./NAME is always a path."
    ),
]
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


def resolve(
    data: str, embeddings: Path | None, encoder: str | None, query_prefix: str, document_prefix: str, workspace: Path | None
) -> tuple[Workspace, Registration]:
    """Return the workspace, and what the options say of the data set."""
    from imrnns_core.encoder import BUNDLED_NAME
    from imrnns_core.workspace import Workspace

    space = Workspace(workspace)
    given = encoder or query_prefix or document_prefix
    if encoder and encoder != BUNDLED_NAME and Path(encoder).expanduser().is_dir():
        encoder = str(Path(encoder).expanduser().resolve())  # it is used again from other folders
    spec = EncoderSpec(encoder or BUNDLED_NAME, query_prefix=query_prefix, document_prefix=document_prefix) if given else None
    return space, space.resolve(data, embeddings.expanduser().resolve() if embeddings else None, spec)


def open_collection(space: Workspace, registration: Registration) -> Collection:
    """Open a data set, with progress where texts have to be encoded."""
    with progress_bar() as progress:
        return space.open(registration, encoding(progress))


def encoding(progress: Progress) -> Callable[[str, int, int], None]:
    """Return what shows (what, done, total) texts as a line of its own."""
    tasks: dict[str, Any] = {}

    def report(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = progress.add_task(f"encode {what}", total=total)
        progress.update(tasks[what], completed=done)

    return report


class _Rate(ProgressColumn):
    """Items a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield bars with a rate and the time left, on a terminal only."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield progress


def show(parts: Iterable[RenderableType]) -> None:
    """Print texts and tables."""
    for part in parts:
        out.print(part)
