"""The terminal: texts letter by letter, tables, progress."""

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

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType


_CONTROLS = dict.fromkeys(i for i in (*range(0x20), *range(0x7F, 0xA0)) if chr(i) not in "\n\t")


def printable(text: str) -> str:
    """Return a text without control characters: to a terminal they are commands."""
    return text.translate(_CONTROLS)


class Terminal(Console):
    """A console that shows every text letter by letter.

    No markup, no emoji codes, no control characters.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, **options)

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Yield the segments, without control characters."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(printable(segment.text), segment.style)

    def on_broken_pipe(self) -> None:
        """Go on in silence where nobody reads any more, as behind `| head`.

        Files that were asked for are still written.
        """
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


out = Terminal(width=None if sys.stdout.isatty() else 160)
err = Terminal(stderr=True)


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
