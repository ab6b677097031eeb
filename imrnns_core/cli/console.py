"""Terminal output: texts without markup, tables, progress bars."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.segment import Segment
from rich.text import Text

from imrnns_core.printable import printable

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType

    from imrnns_core.types import LabelledProgress


class Terminal(Console):
    """A console that prints texts as they are.

    It interprets no markup and no emoji codes, and removes control characters.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments, without control characters."""
        for segment in super().render(renderable, options):
            # rich's own control codes move the cursor for progress bars: they stay
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Continue without output if the reader has stopped, as after `| head`.

        The command still writes its files.
        """
        self.quiet = True
        # at exit, Python flushes the closed pipe once more, which would be an error again
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


# without a terminal rich assumes 80 columns, which is too narrow for the tables
out = Terminal(width=None if sys.stdout.isatty() else 160)
err = Terminal(stderr=True)


def encoding(progress: Progress, verb: str = "encode") -> Callable[[str, int, int], None]:
    """Return a callback (label, done, total) that shows one bar per kind of text."""
    tasks: dict[str, Any] = {}

    def report(label: str, done: int, total: int) -> None:
        if label not in tasks:
            tasks[label] = progress.add_task(f"{verb} {label}", total=total)
        progress.update(tasks[label], completed=done)

    return report


class _Rate(ProgressColumn):
    """Items per second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield progress bars with rate and remaining time; nothing is shown outside a terminal."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    # on stderr, so that the output of a command can be piped
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        yield progress


@contextmanager
def labelled_bar(label: str) -> Iterator[LabelledProgress]:
    """Yield a callback (label, done, total) that shows one bar, which has `label` at first."""
    with progress_bar() as progress:
        task = progress.add_task(label, total=None)
        yield lambda name, done, total: progress.update(
            task, description=name, completed=done, total=total
        )


def show(parts: Iterable[RenderableType]) -> None:
    """Print texts and tables."""
    for part in parts:
        out.print(part)
