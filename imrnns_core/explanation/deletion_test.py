"""The deletion test: do the named words carry the score, and its change?

docs/method.md, "Explanations that hold up".

Words are deleted from the text, the text is encoded again and scored within the same candidates.
With `random` as many randomly chosen occurrences and `best` the words of the largest measured drops
of their own, F = Σ (drop − random) / Σ (best − random) over the pairs: 0 is chance, 1 is as good as
trying every word. `stepwise` is
the stricter bound for several words: each next word is tried together with those deleted before.
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
    SCHEMA,
    SIDES,
    TARGETS,
    PairResult,
    Result,
)
from imrnns_core.explanation.nearest_tokens import untrained_models
from imrnns_core.explanation.pair import Pair, rescore
from imrnns_core.explanation.word_attribution import (
    WordExplainer,
    random_deletion,
    reference_scores,
)
from imrnns_core.explanation.word_drops import SHORTLIST, WordDrops
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.text.words import without
from imrnns_core.types import FloatArray, Progress, Side

PAIRS = 60
RANDOM_DRAWS = 5
STEP_WIDTH = 10
"""Words that each step of the stepwise search tries, by their drop alone."""
NAMED = 10


def record_key(ranker: Ranker) -> str:
    """Return a name for the deletion test of this adapter on this collection."""
    collection = ranker.collection
    sha = hashlib.sha256(f"{SCHEMA} {collection.fingerprint} {collection.dataset.digest}".encode())
    sha.update(np.ascontiguousarray(collection.queries.vectors).data)
    for parameter in ranker.adapter.model.parameters():
        sha.update(parameter.detach().numpy().tobytes())
    return sha.hexdigest()[:16]


def sample_pairs(ranker: Ranker, split: str, count: int) -> list[Pair]:
    """Return pairs of a split, risers and fallers in turn, one a query.

    A riser is the document that rises most into the modulated top ten, a faller the one that falls
    most out of the base top ten. Raises ExplanationError if no document changes its rank.
    """
    dataset = ranker.collection.dataset
    queries = sorted(dataset.splits.get(split) or dataset.queries)
    pairs: list[Pair] = []
    for query_id in np.random.default_rng(0).permutation(queries):
        comparison = ranker.compare(dataset.queries[str(query_id)])
        base, modulated = comparison.rank("base"), comparison.rank("modulated")
        rise, rising = base - modulated, len(pairs) % 2 == 0
        shown = (modulated if rising else base) <= NAMED
        gain = np.where(shown, rise if rising else -rise, 0)
        if gain.max() > 0:
            pairs.append(Pair(comparison, ranker.adapter.model, int(gain.argmax())))
        if len(pairs) == count:
            break
    if not pairs:
        raise ExplanationError(
            f"no document of split {split!r} changes its rank under "
            f"{ranker.adapter.card.name}: nothing to explain"
        )
    return pairs


def run_pairs(
    explainer: WordExplainer, pairs: Sequence[Pair], progress: Progress | None = None
) -> Iterator[PairResult]:
    """Run the deletion test, one pair at a time.

    `progress` hears of the texts of each step within a pair, and can stop it by raising.
    """
    untrained = untrained_models(explainer.ranker, 1)[0]
    # the first pass of a process is slow; it is not what is timed
    explainer.estimate(pairs[0], "query")
    for pair in pairs:
        yield _test_pair(explainer, pair, untrained, progress)


def _test_pair(
    explainer: WordExplainer, pair: Pair, untrained: IMRNN, progress: Progress | None
) -> PairResult:
    drops: Result = {}
    rho, milliseconds = dict[Side, float](), dict[Side, float]()
    encode_milliseconds, named = 0.0, list[set[int]]()
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
            blind = Pair(rescore(pair.comparison, untrained), untrained, pair.position)
            other = explainer.estimate(blind, side)
            # of texts that are encoded already
            measured = _Deletions(explainer, blind, other, progress).single[:, 1]
            compared = (estimated.change, other.change, test.single[:, 1], measured)
            named = [_largest(values) for values in compared]
    base, modulated = (pair.comparison.rank(stage) for stage in ("base", "modulated"))
    return PairResult(
        pair.comparison.query.id,
        pair.document_id,
        bool(base[pair.position] > modulated[pair.position]),
        drops,
        rho,
        milliseconds,
        encode_milliseconds,
        _jaccard(*named[:2]),
        _jaccard(*named[2:]),
    )


def _rank_correlation(estimated: FloatArray, measured: FloatArray) -> float:
    from scipy.stats import spearmanr  # slow to import

    return float(spearmanr(estimated, measured).statistic) if len(estimated) > 2 else np.nan


def _largest(drops: FloatArray) -> set[int]:
    return set(np.argsort(-drops, kind="stable")[:NAMED].tolist())


def _jaccard(one: set[int], other: set[int]) -> float:
    return len(one & other) / max(1, len(one | other))


class _Deletions:
    """Measured drops of one text of one pair; each set of words is deleted at most once."""

    def __init__(
        self, explainer: WordExplainer, pair: Pair, estimated: WordDrops, progress: Progress | None
    ) -> None:
        self.explainer, self.pair, self.estimated, self.progress = (
            explainer,
            pair,
            estimated,
            progress,
        )
        self.known: dict[frozenset[int], FloatArray] = {}
        self.random_known: dict[int, FloatArray] = {}
        words = range(len(estimated.words))
        self.single = self.measure([frozenset({i}) for i in words])  # (W, 2)

    def results(self) -> Result:
        side, found = self.estimated.side, Result()
        blind = self._b1()
        for column, target in enumerate(TARGETS):
            estimate = self.estimated.score if column == 0 else self.estimated.change
            for count in DELETED[side]:
                first = frozenset(
                    np.argsort(-self.single[:, column], kind="stable")[:count].tolist()
                )
                best, stepwise = (
                    float(v)
                    for v in self.measure([first, self._stepwise(column, count)])[:, column]
                )
                shortlist = self.estimated.shortlist(
                    "score" if column == 0 else "change", SHORTLIST[side]
                )
                verified = np.full_like(estimate, -np.inf)
                verified[shortlist] = self.single[shortlist, column]
                for method, values in zip(METHODS, (estimate, verified, blind), strict=True):
                    chosen = frozenset(np.argsort(-values, kind="stable")[:count].tolist())
                    drop = float(self.measure([chosen])[0, column])
                    found[side, target, count, method] = (
                        drop,
                        float(self._random(chosen)[column]),
                        best,
                        stepwise,
                    )
        return found

    def measure(self, sets: Sequence[frozenset[int]]) -> FloatArray:
        """Return (S, 2) drops of modulated score and Δ without each set of words."""
        words, text = self.estimated.words, self.estimated.text
        missing = [s for s in dict.fromkeys(sets) if s not in self.known]
        if missing:
            lost = self._lost([without(text, [words[i] for i in s]) for s in missing])
            self.known.update(zip(missing, lost, strict=True))
        return np.array([self.known[s] for s in sets]).reshape(len(sets), 2)

    def _stepwise(self, column: int, count: int) -> frozenset[int]:
        order = np.argsort(-self.single[:, column], kind="stable").tolist()
        chosen = frozenset(order[:1])
        while len(chosen) < min(count, len(order)):
            tries = [chosen | {i} for i in [i for i in order if i not in chosen][:STEP_WIDTH]]
            chosen = tries[int(self.measure(tries)[:, column].argmax())]
        return chosen

    def _random(self, chosen: frozenset[int]) -> FloatArray:
        count = sum(len(self.estimated.words[i].spans) for i in chosen)
        if count not in self.random_known:
            generator = np.random.default_rng(count)
            self.random_known[count] = self._lost(
                [random_deletion(self.estimated, count, generator) for _ in range(RANDOM_DRAWS)]
            ).mean(0)
        return self.random_known[count]

    def _lost(self, texts: Sequence[str]) -> FloatArray:
        return reference_scores(self.pair) - self.explainer.measure(
            self.pair, self.estimated.side, texts, self.progress
        )

    def _b1(self) -> FloatArray:
        """Return (W,) cosines of each word alone with the other text.

        A control that does not know the adapter.
        """
        words = self.explainer.encoder.encode_formatted(
            [word.text for word in self.estimated.words]
        )
        modulation = self.pair.comparison.modulation
        other = (
            modulation.query
            if self.estimated.side == "document"
            else modulation.documents[self.pair.position]
        )
        return np.asarray(words @ other.numpy(), dtype=np.float32)
