"""Random changes of the size of a remedy: does the remedy do better than chance for one query?

A remedy moves documents up and down. Its placebo makes moves of the same size at random:

- The gain of a document is its rank with the remedy minus what a straight line through all
  documents predicts from its base rank, both as −log(rank). Documents near the top can move more,
  so a gain counts in units of the size that a second line predicts from the base rank. A random
  change deals the gains to the documents anew: documents of the base ranking exchange theirs among
  themselves, and so do the others. Source: Freedman and Lane, "A nonstochastic interpretation of
  reported significance levels", 1983.
- A remedy that only leaves out documents is compared with leaving out as many at random.

A cause has one p: the gains of its remedies are averaged for each document. p is the share of
random changes in which a relevant document gains as much (or, if documents are left out, gets as
high). It is corrected for the number of causes: the same draws serve all causes, and the smallest p
of a draw counts (Westfall and Young, "Resampling-based multiple testing", 1993).

Shapes: B documents of the base ranking, C causes, U documents of any ranking, R relevant ones, D
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
SMALLEST_SIZE = 0.3
"""The least size of a gain that is taken as usual at any base rank, as a share of the mean size."""
UNRANKED = DEPTH + 1
"""The rank of a document that a ranking does not have."""


def corrected_p(
    base: IntArray, rankings: Sequence[Sequence[IntArray]], relevant: IntArray, seed: int = 0
) -> DoubleArray:
    """Return (C,) p of each cause, corrected for their number.

    Args:
        base: (B,) corpus rows of the base ranking, best first.
        rankings: For each of the C causes, corpus rows of the ranking with each of its remedies.
        relevant: (R,) corpus rows of the relevant documents.
        seed: Seed of the draws.
    """
    placebo = _Placebo(base, rankings, relevant, seed)
    p, drawn = zip(*map(placebo.p, rankings), strict=True)
    return _step_down(np.array(p), np.stack(drawn))


class _Placebo:
    """The random changes of one query."""

    def __init__(
        self, base: IntArray, rankings: Sequence[Sequence[IntArray]], relevant: IntArray, seed: int
    ) -> None:
        every = [rows for own in rankings for rows in own]
        self._rows = np.unique(np.concatenate([base, *every, relevant]))
        self._base = self._ranks(base)
        self._is_relevant: NDArray[np.bool_] = np.isin(self._rows, relevant)
        self._keys = np.random.default_rng(seed).random((DRAWS, len(self._rows)), np.float32)

    def _ranks(self, rows: IntArray) -> DoubleArray:
        """Return (U,) the rank of each document."""
        ranks = np.full(len(self._rows), float(UNRANKED))
        ranks[np.searchsorted(self._rows, rows)] = np.arange(1, len(rows) + 1)
        capped: DoubleArray = np.minimum(ranks, UNRANKED)
        return capped

    def p(self, rankings: Sequence[IntArray]) -> tuple[float, DoubleArray]:
        """Return the p of a cause, not corrected, and the p (D,) of each random change."""
        changed = [self._ranks(rows) for rows in rankings]
        if len(changed) == 1 and self._only_leaves_out(changed[0]):
            rank = changed[0][self._is_relevant].min()
            drawn = self._left_out(int(((self._base < UNRANKED) & (changed[0] == UNRANKED)).sum()))
            as_high = np.searchsorted(np.sort(drawn), drawn, side="right") / DRAWS
            return float(1 + (drawn <= rank).sum()) / (1 + DRAWS), as_high
        return self._dealt(changed)

    def _only_leaves_out(self, changed: DoubleArray) -> bool:
        """Return whether a ranking has documents of the base alone, in their order."""
        kept = self._base[np.argsort(changed)][: int((changed < UNRANKED).sum())]
        return bool((kept < UNRANKED).all() and (np.diff(kept) > 0).all())

    def _left_out(self, number: int) -> DoubleArray:
        """Return the rank (D,) of the best relevant document if random ones are left out."""
        keys = self._keys[:, self._in_base]
        stays = np.ones(keys.shape, dtype=bool)
        if number:
            stays = keys > np.partition(keys, number - 1, axis=1)[:, number - 1 : number]
        order = np.argsort(self._base[self._in_base])
        relevant, stays = self._is_relevant[self._in_base][order], stays[:, order]
        ranks = np.where(stays & relevant, np.cumsum(stays, axis=1), UNRANKED)
        return np.asarray(ranks.min(axis=1, initial=UNRANKED), dtype=np.float64)

    def _dealt(self, changed: Sequence[DoubleArray]) -> tuple[float, DoubleArray]:
        """Deal the mean gains to the documents of the base ranking, and to those that came in."""
        gains = np.mean([self._gains(own) for own in changed], axis=0)
        came_in = np.min(changed, axis=0) < UNRANKED
        outside = np.flatnonzero((self._base == UNRANKED) & (came_in | self._is_relevant))
        best, parts = np.full(1 + DRAWS, -np.inf), []
        for rows, deal in (
            (self._in_base, self._base_deal),
            (outside, np.argsort(self._keys[:, outside], axis=1)),
        ):
            own, relevant = gains[rows], self._is_relevant[rows]
            parts.append((np.sort(own), int(relevant.sum())))
            if relevant.any():
                real, dealt = own[relevant].max(), own[deal][:, relevant].max(axis=1)
                best = np.maximum(best, np.concatenate([[real], dealt]))
        below: DoubleArray = np.prod([_chance_below(*part, best) for part in parts], axis=0)
        return float(1 - below[0]), 1 - below[1:]

    def _gains(self, changed: DoubleArray) -> DoubleArray:
        """Return the gain (U,) of each document, in units of the usual size of a gain."""
        gains = np.zeros(len(changed))
        own = np.flatnonzero((self._base < UNRANKED) | (changed < UNRANKED) | self._is_relevant)
        before, after = -np.log(self._base[own]), -np.log(changed[own])
        line = np.stack([np.ones(len(own)), before], axis=1)
        gains[own] = after - line @ np.linalg.lstsq(line, after, rcond=None)[0]
        sizes = np.abs(gains[own])
        usual = line @ np.linalg.lstsq(line, sizes, rcond=None)[0]
        gains[own] /= np.maximum(usual, SMALLEST_SIZE * sizes.mean() + 1e-9)
        # rounding must not tell equal gains apart
        return gains.round(6)

    @cached_property
    def _in_base(self) -> IntArray:
        return np.flatnonzero(self._base < UNRANKED)

    @cached_property
    def _base_deal(self) -> IntArray:
        return np.argsort(self._keys[:, self._in_base], axis=1)


def _chance_below(ordered: DoubleArray, number: int, gains: DoubleArray) -> DoubleArray:
    """Return the chance that `number` documents, drawn at random, gain less than each of (G,).

    `ordered` has the gains of all documents that can be drawn, the smallest first.
    """
    less = np.searchsorted(ordered, gains, side="left").astype(np.float64)
    chance = np.ones(len(gains))
    for k in range(number):
        chance *= np.maximum(less - k, 0) / (len(ordered) - k)
    return chance


def _step_down(raw: DoubleArray, drawn: DoubleArray) -> DoubleArray:
    """Correct p (S,) with the p of the draws (S, D)."""
    order = np.argsort(raw, kind="stable")
    smallest = np.minimum.accumulate(drawn[order][::-1], axis=0)[::-1]
    as_small = (smallest <= raw[order][:, None] + 1e-9).sum(axis=1)
    corrected = np.empty(len(raw))
    corrected[order] = np.maximum.accumulate((1 + as_small) / (1 + drawn.shape[1]))
    return corrected
