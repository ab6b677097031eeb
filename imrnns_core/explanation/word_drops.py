"""How much a score drops when a word of a text is deleted: estimated and measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from imrnns_core.text.words import Span, Word
from imrnns_core.types import FloatArray, Side, Target

Verdict = Literal["confirmed", "not confirmed", "opposite sign", "not tested"]
"""What the measured drop says about the estimate.

It is larger than that of random words, with the same sign; it is not; it is larger, with the
opposite sign; or the text has too few other words to know.
"""
RANDOM_DRAWS = 22
"""Random deletions that a word is compared with; 19 would allow a p value of 5 %."""
FIRST_DRAWS = 10
"""Draws that are measured for every word; the others only for words that still can pass."""
SIGNIFICANT = 0.05
"""Level of the test of each word."""
SHORTLIST: dict[Side, int] = {"document": 10, "query": 5}
"""Number of words that are deleted and measured by default. Each needs one encoder pass."""
SHORTLIST_ERROR = 0.1
"""Standard error of an estimate for a word that occurs once, as a share of the largest estimate.

The error grows with the square root of the number of occurrences. Measured on 6,000 words of 60
documents (SciFact train): 0.08 for one occurrence, 0.13 for two, 0.19 for three to five, 0.34 for
more.
"""


@dataclass(frozen=True)
class WordDrops:
    """How much the modulated score and its change drop without each of W words.

    Without an adapter, the score is the base score, and nothing changes it.

    Attributes:
        side: The text: document or query.
        text: The text as it is formatted for the encoder.
        words: The W words, each with all its occurrences.
        score: (W,) drop of the modulated score. Negative: the score rises without the word.
        change: (W,) drop of the change, modulated − base.
        characters_read: Number of characters that the encoder reads. Words after them have drop 0.
    """

    side: Side
    text: str
    words: list[Word]
    score: FloatArray
    change: FloatArray
    characters_read: int

    def values(self, target: Target) -> FloatArray:
        """Return (W,) drops of the score or of the change."""
        return self.score if target == "score" else self.change

    def spans_read(self, word: int) -> list[Span]:
        """Return the occurrences of a word that the encoder reads."""
        return [span for span in self.words[word].spans if span[1] <= self.characters_read]

    def top(self, target: Target, count: int) -> list[int]:
        """Return the positions of the `count` words with the largest drops, largest first."""
        return [int(i) for i in np.argsort(-self.values(target), kind="stable")[:count]]

    def shortlist(self, target: Target, count: int, negative: bool = False) -> list[int]:
        """Return the positions of the words that may have the largest drops.

        Words are ordered by the estimate plus one standard error.

        Args:
            target: Score or change.
            count: Number of words.
            negative: Whether to look for the most negative drops.
        """
        values = -self.values(target) if negative else self.values(target)
        occurrences = np.array([len(self.spans_read(i)) for i in range(len(self.words))])
        error = SHORTLIST_ERROR * np.abs(values).max(initial=0.0) * np.sqrt(occurrences)
        return [int(i) for i in np.argsort(-(values + error), kind="stable")[:count]]


@dataclass(frozen=True)
class VerifiedWord:
    """A word that was deleted, with its measured drop.

    Every value is a pair: of the score, of the change.

    Attributes:
        word: The word.
        drop: The measured drop.
        random: Mean drop of random deletions of the same number of other words; NaN without any.
        random_std: Standard deviation of the random drops.
        estimate: The estimated drop.
        p: p value of the drop among the random ones, corrected for the words that were measured;
            None if the text has too few other words.
    """

    word: Word
    drop: tuple[float, float]
    random: tuple[float, float]
    random_std: tuple[float, float]
    estimate: tuple[float, float]
    p: tuple[float | None, float | None]

    def verdict(self, target: Target) -> Verdict:
        """Return what the measured drop says about the estimate."""
        column = 0 if target == "score" else 1
        p = self.p[column]
        if p is None:
            return "not tested"
        if p > SIGNIFICANT:
            return "not confirmed"
        return "confirmed" if self.drop[column] * self.estimate[column] > 0 else "opposite sign"

    def to_json(self) -> dict[str, Any]:
        """Return the record of one measured word; JSON has no NaN, so an unknown value is null."""
        values = {
            "drop": self.drop,
            "random": self.random,
            "random_std": self.random_std,
            "p_corrected": self.p,
            "verdict": (self.verdict("score"), self.verdict("change")),
        }
        return {
            "word": self.word.text,
            **{
                name: {"score": _known(score), "change": _known(change)}
                for name, (score, change) in values.items()
            },
        }


def _known(value: Any) -> Any:
    return None if value != value else value  # only NaN differs from itself


Draw = Mapping[int, Sequence[Span]]
"""A random deletion: word → the occurrences that are deleted."""


def random_draws(drops: WordDrops, count: int, words: Sequence[int]) -> list[Draw]:
    """Return deletions of `count` occurrences of random words that the encoder reads.

    A draw deletes a word that occurs `count` times, as often as there is one left. Else it deletes
    several words that occur less often, the most frequent first; else a part of the occurrences of
    a more frequent word. So a word is compared with its like: the occurrences of one word have a
    larger joint effect than as many different words. No two draws delete the same words. For each
    of `words`, `RANDOM_DRAWS` draws leave that word out, unless the text is too short.
    """
    # the same draws for every choice of words
    generator, draws = np.random.default_rng(0), dict[frozenset[int], Draw]()
    read = {i: spans for i in range(len(drops.words)) if (spans := drops.spans_read(i))}
    for _ in range(4 * RANDOM_DRAWS):
        order = [int(i) for i in generator.permutation(list(read))]
        # words that occur as often, then rarer ones, then more frequent ones; the nearest first
        order.sort(key=lambda i: (len(read[i]) > count, abs(len(read[i]) - count)))
        while (draw := _take(order, read, count, generator)) is not None:
            if all(len(_leaving_out(i, draws.values())) >= RANDOM_DRAWS for i in words):
                return list(draws.values())
            draws.setdefault(frozenset(draw), draw)
    return list(draws.values())


def _take(
    order: list[int], read: Mapping[int, list[Span]], count: int, generator: np.random.Generator
) -> Draw | None:
    """Remove words from `order` that have `count` occurrences; None if too few are left."""
    draw, missing = dict[int, Sequence[Span]](), count
    for i in order:
        if missing and len(read[i]) <= missing:
            draw[i], missing = read[i], missing - len(read[i])
    for i in order:
        if missing and i not in draw:
            part = min(missing, len(read[i]))
            selected = generator.choice(len(read[i]), part, replace=False)
            draw[i], missing = [read[i][n] for n in selected], missing - part
    order[:] = [i for i in order if i not in draw]
    return None if missing else draw


def _leaving_out(word: int, draws: Iterable[Draw]) -> list[int]:
    """Return the positions of the draws that a word is compared with."""
    return [n for n, draw in enumerate(draws) if word not in draw][:RANDOM_DRAWS]


def verified_words(
    drops: WordDrops,
    measured: Mapping[int, FloatArray],
    random: Mapping[int, tuple[Sequence[Draw], FloatArray]],
) -> list[VerifiedWord]:
    """Compare the measured drops of words with random ones, in the order of `measured`.

    p = (1 + number of draws with at least the word's absolute drop) / (1 + number of draws). The
    words are tested in the order of their estimates, largest first, and a corrected p value is the
    largest one so far (fixed sequence; Westfall and Krishen, 2001). If the estimates name random
    words, and each has 22 others that occur as often, any of a text's words gets a verdict in at
    most 5 % of cases. Holm's method would need 20 other words for each word that is measured, more
    than most have.

    Args:
        drops: The text, with its W words and their estimates.
        measured: Word → (2,) measured drop of the score and of the change.
        random: Number of occurrences → D draws, and the (E, 2) measured drops of the first E.
            If E < D, a word of `undecided_counts` must have all.
    """
    estimates = np.stack([drops.score, drops.change], axis=1)  # (W, 2)
    controls = {i: _controls(drops, i, random) for i in measured}
    p = {i: dict[int, float]() for i in measured}
    for column in (0, 1):
        largest = 0.0
        for i in _tested(drops, measured, random, column):
            size = abs(measured[i][column])
            as_large = int((np.abs(controls[i][:, column]) >= size).sum())
            largest = p[i][column] = max(largest, (1 + as_large) / (1 + len(controls[i])))
    return [
        VerifiedWord(
            drops.words[i],
            _pair(measured[i]),
            _pair(controls[i].mean(0) if len(controls[i]) else _UNKNOWN),
            _pair(controls[i].std(0) if len(controls[i]) else _UNKNOWN),
            _pair(estimates[i]),
            (p[i].get(0), p[i].get(1)),
        )
        for i in measured
    ]


def undecided_counts(
    drops: WordDrops,
    measured: Mapping[int, FloatArray],
    random: Mapping[int, tuple[Sequence[Draw], FloatArray]],
) -> set[int]:
    """Return the numbers of occurrences whose other draws decide a verdict.

    The arguments are those of `verified_words`, with the drops of the first draws only.
    """
    counts = set[int]()
    for column in (0, 1):
        for i in _tested(drops, measured, random, column):
            sizes = np.abs(_controls(drops, i, random)[:, column])
            if (sizes >= abs(measured[i][column])).any():
                break  # this word fails, and so do all later ones
            counts.add(len(drops.spans_read(i)))
    return counts


def _controls(
    drops: WordDrops, word: int, random: Mapping[int, tuple[Sequence[Draw], FloatArray]]
) -> FloatArray:
    """Return (D, 2) measured drops of the draws that a word is compared with."""
    draws, values = random.get(len(drops.spans_read(word)), ((), np.zeros((0, 2), np.float32)))
    return values[[n for n in _leaving_out(word, draws) if n < len(values)]]


def _tested(
    drops: WordDrops,
    words: Iterable[int],
    random: Mapping[int, tuple[Sequence[Draw], FloatArray]],
    column: int,
) -> list[int]:
    """Return the words with enough draws, in the order of their estimates."""
    estimates = np.abs(drops.score if column == 0 else drops.change)
    draws = {i: random.get(len(drops.spans_read(i)), ((),))[0] for i in words}
    tested = [i for i in draws if len(_leaving_out(i, draws[i])) == RANDOM_DRAWS]
    return sorted(tested, key=lambda i: -estimates[i])


_UNKNOWN = np.full(2, np.nan, np.float32)


def _pair(row: FloatArray) -> tuple[float, float]:
    return float(row[0]), float(row[1])
