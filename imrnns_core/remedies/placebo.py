"""Random changes of the size of a remedy: does the remedy do better than chance for one query?

A remedy moves documents up and down. Its placebo makes moves of the same size at random:

- The rank of each document with the remedy is fitted to its rank in the base ranking, both as
  −log(rank), by least squares. What the fit leaves is dealt to the documents at random; then they
  are ranked again. Documents of the base ranking exchange theirs among themselves, and so do the
  others. Source: Freedman and Lane, "A nonstochastic interpretation of reported significance
  levels", 1983.
- A remedy that only leaves out documents is compared with leaving out as many at random.

p is the share of random changes after which the best relevant document is as high as with the
remedy, corrected for the number of remedies: the same draws serve all remedies, and the smallest p
of a draw counts (Westfall and Young, "Resampling-based multiple testing", 1993).

Shapes: B documents of the base ranking, S remedies, U documents of any ranking, R relevant ones, D
draws.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.types import DoubleArray, IntArray

DRAWS = 999
"""Random changes of each remedy."""
UNRANKED = DEPTH + 1
"""The rank of a document that a ranking does not have."""


def corrected_p(
    base: IntArray, rankings: Sequence[IntArray], relevant: IntArray, seed: int = 0
) -> DoubleArray:
    """Return (S,) p of each remedy, corrected for their number.

    Args:
        base: (B,) corpus rows of the base ranking, best first.
        rankings: Corpus rows of the ranking with each of the S remedies.
        relevant: (R,) corpus rows of the relevant documents.
        seed: Seed of the draws.
    """
    placebo = _Placebo(base, rankings, relevant, seed)
    reached = np.array([placebo.ranks(rows)[placebo.is_relevant].min() for rows in rankings])
    drawn = np.stack([placebo.drawn(rows) for rows in rankings])
    raw = (1 + (drawn <= reached[:, None]).sum(axis=1)) / (1 + DRAWS)
    return _step_down(raw, _shares_as_low(drawn))


class _Placebo:
    """The random changes of one query."""

    def __init__(
        self, base: IntArray, rankings: Sequence[IntArray], relevant: IntArray, seed: int
    ) -> None:
        self._rows = np.unique(np.concatenate([base, *rankings, relevant]))
        self._base = self.ranks(base)
        self.is_relevant: NDArray[np.bool_] = np.isin(self._rows, relevant)
        self._keys = np.random.default_rng(seed).random((DRAWS, len(self._rows)), np.float32)

    def ranks(self, rows: IntArray) -> DoubleArray:
        """Return (U,) the rank of each document."""
        ranks = np.full(len(self._rows), float(UNRANKED))
        ranks[np.searchsorted(self._rows, rows)] = np.arange(1, len(rows) + 1)
        capped: DoubleArray = np.minimum(ranks, UNRANKED)
        return capped

    def drawn(self, rows: IntArray) -> DoubleArray:
        """Return (D,) the rank of the best relevant document after each random change."""
        changed = self.ranks(rows)
        kept = (self._base < UNRANKED) & (changed < UNRANKED)
        order = np.argsort(changed[kept])
        if len(rows) == kept.sum() and (np.diff(self._base[kept][order]) > 0).all():
            return self._left_out(int((self._base < UNRANKED).sum() - kept.sum()))
        return self._dealt(changed)

    def _left_out(self, number: int) -> DoubleArray:
        """Leave out some documents of the base ranking."""
        keys = self._keys[:, self._in_base]
        stays = np.ones(keys.shape, dtype=bool)
        if number:
            stays = keys > np.partition(keys, number - 1, axis=1)[:, number - 1 : number]
        order = np.argsort(self._base[self._in_base])
        relevant, stays = self.is_relevant[self._in_base][order], stays[:, order]
        ranks = np.where(stays & relevant, np.cumsum(stays, axis=1), UNRANKED)
        return np.asarray(ranks.min(axis=1, initial=UNRANKED), dtype=np.float64)

    def _dealt(self, changed: DoubleArray) -> DoubleArray:
        """Deal what the fit leaves to the documents of the base and of the changed ranking."""
        takes_part = (changed < UNRANKED) | self.is_relevant
        outside = np.flatnonzero((self._base == UNRANKED) & takes_part)
        own = np.concatenate([self._in_base, outside])
        before, after = -np.log(self._base[own]), -np.log(changed[own])
        matrix = np.stack([np.ones(len(own)), before], axis=1)
        fit = matrix @ np.linalg.lstsq(matrix, after, rcond=None)[0]
        rest, count = after - fit, len(self._in_base)
        outside_deal = count + np.argsort(self._keys[:, outside], axis=1)
        scores = fit + np.concatenate([rest[self._base_deal], rest[outside_deal]], axis=1)
        best = scores[:, self.is_relevant[own]].max(axis=1, initial=-np.inf)
        # rounding must not count a document of the same value
        above: IntArray = (scores > best[:, None] + 1e-9).sum(axis=1)
        return np.asarray(above + 1, dtype=np.float64)

    @cached_property
    def _in_base(self) -> IntArray:
        return np.flatnonzero(self._base < UNRANKED)

    @cached_property
    def _base_deal(self) -> IntArray:
        return np.argsort(self._keys[:, self._in_base], axis=1)


def _shares_as_low(drawn: DoubleArray) -> DoubleArray:
    """Return (S, D) the p of each draw among the draws of its remedy."""
    counts = [np.searchsorted(np.sort(own), own, side="right") for own in drawn]
    shares: DoubleArray = np.stack(counts) / drawn.shape[1]
    return shares


def _step_down(raw: DoubleArray, drawn: DoubleArray) -> DoubleArray:
    """Correct p (S,) with the p of the draws (S, D)."""
    order = np.argsort(raw, kind="stable")
    smallest = np.minimum.accumulate(drawn[order][::-1], axis=0)[::-1]
    as_low = (smallest <= raw[order][:, None]).sum(axis=1)
    corrected = np.empty(len(raw))
    corrected[order] = np.maximum.accumulate((1 + as_low) / (1 + drawn.shape[1]))
    return corrected
