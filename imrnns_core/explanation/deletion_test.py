"""The deletion test: does the score drop when the named words are deleted?

Words are deleted from a text. The text is encoded again and scored among the same candidates. The
test compares three deletions of the same size: the words that an explanation names (`drop`), the
mean of random occurrences (`random`), and the words with the largest single drops (`best`). Summed
over pairs, F = Σ (drop − random) / Σ (best − random). F is 0 for random words, and 1 for an
explanation as good as trying every word. `stepwise` is a stricter bound for several words: a search
adds one word at a time, always the one with the largest joint drop (docs/method.md, "Explanations
that hold up").
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence

import numpy as np

from imrnns_core.errors import ExplanationError
from imrnns_core.explanation.deletion_records import (
    DELETED,
    METHODS,
    TARGETS,
    DeletionDrops,
    PairResult,
)
from imrnns_core.explanation.nearest_tokens import untrained_models
from imrnns_core.explanation.pair import Pair, reference_scores, rescore
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.explanation.word_drops import SHORTLIST, WordDrops
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.words import Word, without
from imrnns_core.types import SIDES, FloatArray, Progress, Side, Target

PAIRS = 60
RANDOM_DRAWS = 5
STEP_WIDTH = 10
"""Number of words that each step of the stepwise search tries, by their single drops."""
TOP_RANKS = 10
"""A promoted document enters these ranks; a demoted one leaves them."""
TOP_WORDS = 10
"""Number of words whose overlap with an untrained adapter is measured."""
KEY_VERSION = 2
"""Part of every record's name. Raise it only to ignore all existing records."""


def record_key(ranker: Ranker) -> str:
    """Return a name for the deletion test of this adapter on this collection."""
    collection = ranker.collection
    identity = f"{KEY_VERSION} {collection.fingerprint} {collection.dataset.digest}"
    # the candidates depend on it
    identity += " own left out" if collection.dataset.left_out else ""
    if collection.passages is not None:
        identity += collection.passages.digest
    sha = hashlib.sha256(identity.encode())
    # kept questions are the last queries; they do not make a test stale
    own = len(collection.queries) - len(collection.dataset.kept)
    sha.update(np.ascontiguousarray(collection.queries.vectors[:own]).data)
    for parameter in ranker.adapter.model.parameters():
        sha.update(parameter.detach().numpy().tobytes())
    return sha.hexdigest()[:16]


def sample_pairs(ranker: Ranker, split: str, count: int) -> list[Pair]:
    """Return pairs of a split with promoted and demoted documents in turn, one pair per query.

    A promoted document is the one that rises most into the modulated top ten. A demoted document
    is the one that falls most out of the base top ten.

    Raises:
        ExplanationError: No document changes its rank.
    """
    dataset = ranker.collection.dataset
    queries = sorted(dataset.splits.get(split) or dataset.queries)
    pairs: list[Pair] = []
    for query_id in np.random.default_rng(0).permutation(queries):
        comparison = ranker.compare(dataset.queries[str(query_id)])
        base, modulated = comparison.rank("base"), comparison.rank("modulated")
        rise, promoted = base - modulated, len(pairs) % 2 == 0
        in_top = (modulated if promoted else base) <= TOP_RANKS
        rank_change = np.where(in_top, rise if promoted else -rise, 0)
        if rank_change.max() > 0:
            pairs.append(Pair(comparison, ranker.adapter.model, int(rank_change.argmax())))
        if len(pairs) == count:
            break
    if not pairs:
        raise ExplanationError(
            f"{ranker.adapter.card.name} changes no rank in split {split!r}, so there is nothing "
            "to test; name another split or another adapter"
        )
    return pairs


def run_pairs(
    explainer: WordExplainer, pairs: Sequence[Pair], progress: Progress | None = None
) -> Iterator[PairResult]:
    """Run the deletion test, one pair at a time.

    `progress` counts the texts of each step within a pair. It can stop the test by raising.
    """
    untrained = untrained_models(explainer.ranker, 1)[0]
    # The first pass of a process is slow and would spoil the measured times
    explainer.estimate(pairs[0], "query")
    for pair in pairs:
        yield _test_pair(explainer, pair, untrained, progress)


def _test_pair(
    explainer: WordExplainer, pair: Pair, untrained: IMRNN, progress: Progress | None
) -> PairResult:
    drops: DeletionDrops = {}
    rho, milliseconds = dict[Side, float](), dict[Side, float]()
    encode_milliseconds, top_words = 0.0, list[set[int]]()
    for side in SIDES:
        start = time.perf_counter()
        estimated = explainer.estimate(pair, side)
        milliseconds[side] = 1000 * (time.perf_counter() - start)
        test = _Deletions(explainer, pair, estimated, progress)
        drops.update(test.results())
        rho[side] = _rank_correlation(estimated.change, test.single[:, 1])
        if side == "document":
            start = time.perf_counter()
            explainer.encoder.encode_formatted([estimated.text])
            encode_milliseconds = 1000 * (time.perf_counter() - start)
            control = Pair(rescore(pair.comparison, untrained), untrained, pair.position)
            estimate = explainer.estimate(control, side)
            # This encodes nothing: the explainer keeps the vectors of the edited texts
            measured = _Deletions(explainer, control, estimate, progress).single[:, 1]
            compared = (estimated.change, estimate.change, test.single[:, 1], measured)
            top_words = [_largest(values) for values in compared]
    base, modulated = (pair.comparison.rank(stage) for stage in ("base", "modulated"))
    return PairResult(
        pair.comparison.query.id,
        pair.document_id,
        bool(base[pair.position] > modulated[pair.position]),
        drops,
        rho,
        milliseconds,
        encode_milliseconds,
        _jaccard(*top_words[:2]),
        _jaccard(*top_words[2:]),
    )


def _rank_correlation(estimated: FloatArray, measured: FloatArray) -> float:
    from scipy.stats import spearmanr  # slow to import

    return float(spearmanr(estimated, measured).statistic) if len(estimated) > 2 else np.nan


def _largest(drops: FloatArray) -> set[int]:
    return set(_order(drops)[:TOP_WORDS])


def _order(values: FloatArray) -> list[int]:
    """Return the positions of values (W,), largest value first."""
    return [int(i) for i in np.argsort(-values, kind="stable")]


def _jaccard(a: set[int], b: set[int]) -> float:
    return len(a & b) / max(1, len(a | b))


def _shortened(drops: WordDrops, count: int, generator: np.random.Generator) -> str:
    """Return the text without `count` random occurrences of words that the encoder reads."""
    spans = [span for i in range(len(drops.words)) for span in drops.spans_read(i)]
    selected = generator.permutation(len(spans))[:count]
    return without(drops.text, [Word("", (spans[i],)) for i in selected])


class _Deletions:
    """Measured drops of one text of one pair. Each set of words is deleted at most once."""

    def __init__(
        self, explainer: WordExplainer, pair: Pair, estimated: WordDrops, progress: Progress | None
    ) -> None:
        self.explainer, self.pair, self.progress = explainer, pair, progress
        self.estimated = estimated
        self.measured: dict[frozenset[int], FloatArray] = {}
        self.random_drops: dict[int, FloatArray] = {}
        words = range(len(estimated.words))
        self.single = self.measure([frozenset({i}) for i in words])  # (W, 2)

    def results(self) -> DeletionDrops:
        side, blind = self.estimated.side, self._adapter_blind_baseline()
        results: DeletionDrops = {}
        for column, target in enumerate(TARGETS):
            methods = (self.estimated.values(target), self._verified(column, target), blind)
            for count in DELETED[side]:
                best, stepwise = self._bounds(column, count)
                for method, values in zip(METHODS, methods, strict=True):
                    named = frozenset(_order(values)[:count])
                    drop = float(self.measure([named])[0, column])
                    random = float(self._random(named)[column])
                    results[side, target, count, method] = (drop, random, best, stepwise)
        return results

    def measure(self, sets: Sequence[frozenset[int]]) -> FloatArray:
        """Return (S, 2) drops of the score and of its change without each of S sets of words."""
        words, text = self.estimated.words, self.estimated.text
        missing = [s for s in dict.fromkeys(sets) if s not in self.measured]
        if missing:
            drops = self._measure_texts([without(text, [words[i] for i in s]) for s in missing])
            self.measured.update(zip(missing, drops, strict=True))
        return np.array([self.measured[s] for s in sets]).reshape(len(sets), 2)

    def _verified(self, column: int, target: Target) -> FloatArray:
        """Return (W,) measured drops of the shortlist, −∞ for all other words."""
        shortlist = self.estimated.shortlist(target, SHORTLIST[self.estimated.side])
        verified = np.full(len(self.estimated.words), -np.inf, np.float32)
        verified[shortlist] = self.single[shortlist, column]
        return verified

    def _bounds(self, column: int, count: int) -> tuple[float, float]:
        """Return the drop of the words with the largest single drops, and that of the search."""
        best = frozenset(_order(self.single[:, column])[:count])
        drops = self.measure([best, self._stepwise(column, count)])[:, column]
        return float(drops[0]), float(drops[1])

    def _stepwise(self, column: int, count: int) -> frozenset[int]:
        order = _order(self.single[:, column])
        selected = frozenset(order[:1])
        while len(selected) < min(count, len(order)):
            remaining = [i for i in order if i not in selected]
            candidates = [selected | {i} for i in remaining[:STEP_WIDTH]]
            selected = candidates[int(self.measure(candidates)[:, column].argmax())]
        return selected

    def _random(self, words: frozenset[int]) -> FloatArray:
        """Return the mean drops (2,) of random deletions with as many occurrences as the words."""
        count = sum(len(self.estimated.words[i].spans) for i in words)
        if count not in self.random_drops:
            generator = np.random.default_rng(count)
            texts = [_shortened(self.estimated, count, generator) for _ in range(RANDOM_DRAWS)]
            self.random_drops[count] = self._measure_texts(texts).mean(0)
        return self.random_drops[count]

    def _measure_texts(self, texts: Sequence[str]) -> FloatArray:
        """Return (B, 2) drops with B edited texts."""
        return reference_scores(self.pair) - self.explainer.measure(
            self.pair, self.estimated.side, texts, self.progress
        )

    def _adapter_blind_baseline(self) -> FloatArray:
        """Return (W,) cosines of each single word with the other text, without the adapter."""
        words = self.explainer.encoder.encode_formatted(
            [word.text for word in self.estimated.words]
        )
        modulation = self.pair.comparison.modulation
        other_text = (
            modulation.query
            if self.estimated.side == "document"
            else modulation.documents[self.pair.position]
        )
        return np.asarray(words @ other_text.numpy(), dtype=np.float32)
