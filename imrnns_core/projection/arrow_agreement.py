"""Whether the arrows of a map agree with the true movement better than chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imrnns_core.types import DoubleArray, FloatArray, IntArray

LEVEL = 0.05
"""Arrows are shown if the p values of length and direction are both at most this."""
PERMUTATIONS = 999
SEED = 0
"""A fixed seed: the same query must always get the same answer."""
ROUNDING = 1e-9
"""Agreements that differ by less are equal."""


@dataclass(frozen=True)
class ArrowAgreement:
    """How well the arrows of R documents agree with their true movement.

    Attributes:
        length: Rank correlation of the arrow lengths with the true movement.
        length_p: Its one-sided p value.
        direction: Mean rank correlation, over the documents, of how much nearer a document gets to
            each other candidate, on the map and truly.
        direction_p: Its one-sided p value.
        direction_by_chance: Mean of `direction` if each document gets the arrow of another one.
    """

    length: float
    length_p: float
    direction: float
    direction_p: float
    direction_by_chance: float

    @property
    def better_than_chance(self) -> bool:
        """Whether both length and direction agree better than chance.

        An arrow shows both. Because both must pass, the rule is wrong in at most `LEVEL` of the
        cases in which one of them is random, if the documents move independently. Near copies do
        not; `arrow_agreement` counts one of each group.
        """
        return max(self.length_p, self.direction_p) <= LEVEL


def arrow_agreement(
    arrows: tuple[FloatArray, FloatArray],
    true: FloatArray,
    targets: FloatArray,
    approach: FloatArray,
    own: IntArray,
    copies: IntArray,
) -> ArrowAgreement:
    """Compare the arrows of R documents with their true movement, by a permutation test.

    A permutation gives each document the arrow of another document. All documents of a query move
    in a similar way. The permuted arrows agree as far as this common movement goes, so only what a
    document's own arrow adds to it counts. Near copies move together, so only one of them counts:
    exchanged among themselves, their arrows would hide what chance can do.

    Args:
        arrows: Where the arrows start and end, (R, d) each.
        true: (R,) true movement.
        targets: (K, d) where the map draws the candidates.
        approach: (R, K) true increase of the similarity of each document to each candidate.
        own: (R,) column of each document among the candidates; it is left out.
        copies: (R,) group of each document; near copies are in one group.
    """
    first = np.sort(np.unique(copies, return_index=True)[1])
    start, end = arrows[0][first], arrows[1][first]
    true, approach, own = true[first], approach[first], own[first]
    count = len(start)
    permutations = np.random.default_rng(SEED).permuted(
        np.tile(np.arange(count), (PERMUTATIONS, 1)), axis=1
    )
    moves = end - start
    # (R, R): the true movement of each row's document, the arrow length of each column's document
    lengths = np.outer(
        _standard_ranks(true[None])[0], _standard_ranks(np.linalg.norm(moves, axis=1)[None])[0]
    )
    before = np.linalg.norm(start[:, None] - targets, axis=-1)  # (R, K)
    others = np.ones((count, len(targets)), dtype=bool)
    others[np.arange(count), own] = False
    rows = [
        # (R, d) where each arrow would take this document, (K − 1) candidates
        _standard_ranks((b - np.linalg.norm((s + moves)[:, None] - targets, axis=-1))[:, keep])
        @ _standard_ranks(a[None, keep])[0]
        for s, b, a, keep in zip(start, before, approach, others, strict=True)
    ]
    length, length_p, _ = _test(lengths, permutations)
    direction, direction_p, chance = _test(np.stack(rows) / count, permutations)
    return ArrowAgreement(length, length_p, direction, direction_p, chance)


def _standard_ranks(values: FloatArray) -> DoubleArray:
    """Return ranks (…, K) with mean 0 and length 1: products are rank correlations (Spearman)."""
    from scipy.stats import rankdata

    ranks: DoubleArray = rankdata(values, axis=-1)
    ranks -= ranks.mean(axis=-1, keepdims=True)
    # equal values have no order and correlate with nothing
    return np.asarray(ranks / np.maximum(np.linalg.norm(ranks, axis=-1, keepdims=True), ROUNDING))


def _test(agreement: DoubleArray, permutations: IntArray) -> tuple[float, float, float]:
    """Return the sum over the documents, its one-sided p value, and its mean by chance.

    Args:
        agreement: (R, R) part of each document (row) with the arrow of each document (column).
        permutations: (P, R) documents whose arrows the documents get.
    """
    observed = float(agreement.trace())
    permuted = agreement[np.arange(len(agreement)), permutations].sum(axis=1)
    # the observed assignment counts as one of the permutations, so p is never 0
    extreme = 1 + int((permuted >= observed - ROUNDING).sum())
    return observed, extreme / (PERMUTATIONS + 1), float(permuted.mean())
