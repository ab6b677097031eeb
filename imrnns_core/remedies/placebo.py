"""The placebo of a remedy: does the remedy do better than chance for one query?

A remedy moves documents up and down. Its placebo makes moves of the same size at random:

- The gain of a document is its −log(rank) with the remedy, minus the mean of documents of about its
  base rank. Gains are larger near the top, so a gain counts in units of the mean size of those of
  about its base rank (both means have Gaussian weights over log(base rank)). A random change deals
  the gains to the documents anew: documents of the base ranking exchange theirs among themselves,
  and so do those that only remedies rank. Source: Freedman and Lane, "A nonstochastic
  interpretation of reported significance levels", 1983.
- A remedy that only leaves out documents is compared with leaving out as many at random.

A cause has one p: the gains of its remedies are averaged for each document, and divided by their
standard deviation. p is the share of random changes in which a relevant document gains as much (or,
if documents are left out, gets as high). It is corrected for the number of causes: a document keeps
its gains with all causes together when they are dealt, and its largest one counts (step-down maxT;
Westfall and Young, "Resampling-based multiple testing", 1993). The share is exact, not estimated
from draws, except where documents are left out.

Shapes: B documents of the base ranking, C causes, U documents of any ranking, R relevant ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from imrnns_core.retrieval.hybrid import DEPTH
from imrnns_core.types import DoubleArray, IntArray

DRAWS = 999
"""Random changes of a remedy that leaves out documents."""
SMALLEST_SIZE = 0.3
"""The least size of a gain that is taken as usual at any base rank, as a share of the mean size."""
NEIGHBOURHOOD = 0.3
"""Width of the Gaussian weights of documents of about the same base rank, in units of log(rank)."""
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
    leaves_out = [len(own) == 1 and placebo.only_leaves_out(own[0]) for own in rankings]
    dealt = [own for own, leaves in zip(rankings, leaves_out, strict=True) if not leaves]
    left = [own[0] for own, leaves in zip(rankings, leaves_out, strict=True) if leaves]
    p, is_left = np.ones(len(rankings)), np.array(leaves_out, dtype=bool)
    # both kinds have tests of their own: the number of tests corrects (Bonferroni)
    tests = len(left) + bool(dealt)
    p[is_left] = [placebo.left_out_p(own) for own in left]
    if dealt:
        p[~is_left] = placebo.dealt_p(dealt)
    return np.minimum(1.0, tests * p)


class _Placebo:
    """The random changes of one query."""

    def __init__(
        self, base: IntArray, rankings: Sequence[Sequence[IntArray]], relevant: IntArray, seed: int
    ) -> None:
        every = [rows for own in rankings for rows in own]
        self._rows = np.unique(np.concatenate([base, *every, relevant]))
        self._base = self._ranks(base)
        self._is_relevant: NDArray[np.bool_] = np.isin(self._rows, relevant)
        self._seed = seed

    def _ranks(self, rows: IntArray) -> DoubleArray:
        """Return (U,) the rank of each document."""
        ranks = np.full(len(self._rows), float(UNRANKED))
        ranks[np.searchsorted(self._rows, rows)] = np.arange(1, len(rows) + 1)
        capped: DoubleArray = np.minimum(ranks, UNRANKED)
        return capped

    def only_leaves_out(self, rows: IntArray) -> bool:
        """Return whether a ranking has documents of the base alone, in their order."""
        changed = self._ranks(rows)
        kept = self._base[np.argsort(changed)][: int((changed < UNRANKED).sum())]
        return bool((kept < UNRANKED).all() and (np.diff(kept) > 0).all())

    def left_out_p(self, rows: IntArray) -> float:
        """Return p, not corrected, of a remedy that only leaves out documents."""
        changed, in_base = self._ranks(rows), np.flatnonzero(self._base < UNRANKED)
        number = int((changed[in_base] == UNRANKED).sum())
        keys = np.random.default_rng(self._seed).random((DRAWS, len(in_base)), np.float32)
        stays = np.ones(keys.shape, dtype=bool)
        if number:
            stays = keys > np.partition(keys, number - 1, axis=1)[:, number - 1 : number]
        order = np.argsort(self._base[in_base])
        relevant, stays = self._is_relevant[in_base][order], stays[:, order]
        ranks = np.where(stays & relevant, np.cumsum(stays, axis=1), UNRANKED)
        drawn = ranks.min(axis=1, initial=UNRANKED)
        best = changed[self._is_relevant].min()
        return float(1 + (drawn <= best).sum()) / (1 + DRAWS)

    def dealt_p(self, causes: Sequence[Sequence[IntArray]]) -> DoubleArray:
        """Return (C,) p of causes whose gains are dealt, corrected for their number."""
        gains = np.stack([self._standardised(own) for own in causes])
        real = gains[:, self._is_relevant].max(axis=1, initial=-np.inf)
        p, order, smallest = np.ones(len(causes)), np.argsort(-real, kind="stable"), 0.0
        for number, cause in enumerate(order.tolist()):
            # the causes that are not decided yet: the largest gain of each document counts
            largest = gains[order[number:]].max(axis=0)
            below = 1.0
            for stratum in self._strata:
                own = np.sort(largest[stratum])
                below *= _chance_below(own, int(self._is_relevant[stratum].sum()), real[cause])
            # 5 of 100 must not be more than .05
            smallest = max(smallest, round(1 - below, 9))
            p[cause] = smallest
        return p

    @cached_property
    def _strata(self) -> tuple[IntArray, IntArray]:
        """The documents of the base ranking, and those that only remedies rank."""
        return np.flatnonzero(self._base < UNRANKED), np.flatnonzero(self._base == UNRANKED)

    def _standardised(self, rankings: Sequence[IntArray]) -> DoubleArray:
        """Return the mean gain (U,) of each document with the remedies of a cause."""
        gains = np.mean([self._gains(self._ranks(rows)) for rows in rankings], axis=0)
        deviation = float(gains.std())
        standardised: DoubleArray = gains / deviation if deviation > 0 else gains
        # rounding must not tell equal gains apart
        return standardised.round(6)

    def _gains(self, changed: DoubleArray) -> DoubleArray:
        """Return the gain (U,) of each document, in units of the usual size of a gain."""
        own = (self._base < UNRANKED) | (changed < UNRANKED) | self._is_relevant
        before, after = -np.log(self._base), -np.log(changed)
        distances = (before[:, None] - before[own]) / NEIGHBOURHOOD
        weights = np.exp(-(distances**2) / 2)
        weights /= weights.sum(axis=1, keepdims=True)
        gains: DoubleArray = after - weights @ after[own]
        sizes = np.abs(gains[own])
        gains /= np.maximum(weights @ sizes, SMALLEST_SIZE * sizes.mean() + 1e-9)
        return gains


def _chance_below(ordered: DoubleArray, number: int, gain: float) -> float:
    """Return the chance that `number` documents, drawn at random, all gain less.

    `ordered` has the gains of all documents that can be drawn, the smallest first.
    """
    less, chance = int(np.searchsorted(ordered, gain, side="left")), 1.0
    for k in range(number):
        chance *= max(less - k, 0) / (len(ordered) - k)
    return chance
