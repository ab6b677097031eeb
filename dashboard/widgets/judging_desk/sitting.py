"""What a session has judged and skipped, and what the browser reports of it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from imrnns_core.errors import LensError
from imrnns_core.storage.judgments import GRADES

Pair = tuple[str, str]
"""Query id and document id."""


@dataclass
class Sitting:
    """The judging of one data set in one session.

    Attributes:
        seen: Number of the last action of the browser that was carried out.
        done: What was judged or skipped, oldest first, each with the number of the judgment, or
            None if it was skipped.
        again: Pairs that were taken back, which come first; the last one is the next.
        error: Why the last judgment was not stored; empty if it was.
    """

    seen: int = 0
    done: list[tuple[Pair, int | None]] = field(default_factory=list)
    again: list[Pair] = field(default_factory=list)
    error: str = ""
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def judged(self) -> int:
        """Number of judged documents."""
        return sum(number is not None for _, number in self.done)

    @property
    def skipped(self) -> frozenset[Pair]:
        """The pairs that were skipped."""
        return frozenset(pair for pair, number in self.done if number is None)

    def queue(self, pool: Sequence[Pair], judged: Container[Pair]) -> list[Pair]:
        """Return what is left of the pool, in its order; first what was taken back."""
        first = self.again[::-1]
        left = (p for p in pool if p not in judged and p not in self.skipped and p not in first)
        return [*first, *left]

    def offer_skipped(self) -> None:
        """Offer what was skipped once more."""
        self.done = [(pair, number) for pair, number in self.done if number is not None]

    def forget_unless(self, exists: Callable[[Pair], bool]) -> None:
        """Forget the pairs that no longer exist, because the data set has changed."""
        self.done = [(pair, number) for pair, number in self.done if exists(pair)]
        self.again = [pair for pair in self.again if exists(pair)]

    def carry_out(
        self,
        actions: Iterable[Mapping[str, Any]],
        store: Callable[[Pair, int], int],
        undo: Callable[[int], None],
    ) -> None:
        """Carry out the actions of the browser that are new, in their order.

        The browser sends an action again until its number was seen, so that none is lost if two of
        its messages become one. If the database refuses one, it and the later ones wait.

        Args:
            actions: As `desk.js` sends them: `number`, `kind`, and for a pair `query` and
                `document`, with its `grade`.
            store: Stores a grade and returns the number of the judgment.
            undo: Takes a judgment back.
        """
        # a new run of the page can begin while an older one still stores
        with self._lock:
            self.error = ""
            for action in sorted(actions, key=lambda a: int(a["number"])):
                if int(action["number"]) > self.seen and not self.error:
                    self._carry_out_next(action, store, undo)

    def _carry_out_next(
        self,
        action: Mapping[str, Any],
        store: Callable[[Pair, int], int],
        undo: Callable[[int], None],
    ) -> None:
        try:
            self._carry_out(action, store, undo)
        except (LookupError, TypeError, ValueError):  # of a data set that has changed since
            pass
        except LensError as error:
            self.error = str(error)
            return
        self.seen = int(action["number"])

    def _carry_out(
        self,
        action: Mapping[str, Any],
        store: Callable[[Pair, int], int],
        undo: Callable[[int], None],
    ) -> None:
        if action["kind"] == "undo":
            if self.done:
                pair, number = self.done[-1]
                if number is not None:
                    undo(number)
                self.done.pop()
                self.again.append(pair)
            return
        pair = (str(action["query"]), str(action["document"]))
        number = None if action["kind"] == "skip" else store(pair, GRADES[int(action["grade"])])
        self.done.append((pair, number))
        self.again = [other for other in self.again if other != pair]
