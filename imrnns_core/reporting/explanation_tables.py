"""Explanations and deletion tests as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from imrnns_core.explanation.deletion_records import DELETED, TARGETS
from imrnns_core.explanation.word_drops import SHORTLIST
from imrnns_core.reporting.formatting import decimal, interval, signed
from imrnns_core.reporting.html import VERDICT_READING, by_effect, measured_rows
from imrnns_core.reporting.terminal import table_of
from imrnns_core.types import SCORE_PARTS

if TYPE_CHECKING:
    from rich.console import RenderableType

    from imrnns_core.explanation.deletion_records import DeletionTest
    from imrnns_core.explanation.explain import Explanation
    from imrnns_core.explanation.nearest_tokens import NamedToken
    from imrnns_core.explanation.word_drops import VerifiedWord, WordDrops
    from imrnns_core.types import Target


def explanation(explained: Explanation) -> Iterator[RenderableType]:
    """Yield ranks and scores, the accounting, the words of both texts, and the vocabulary view."""
    yield Text(explained.query.text, style="bold")
    passage = f" ({explained.passage})" if explained.passage else ""
    yield f"{explained.document.id}: {explained.document.title}{passage}"
    stages = Table("stage", "rank", "score", box=None)
    for stage, rank in explained.ranks.items():
        stages.add_row(stage, str(rank), decimal(explained.scores[stage]))
    yield stages
    if explained.adapter is not None:
        yield from _accounting(explained.accounting)
    for side, drops in explained.words.items():
        yield _estimated_words(drops, explained.targets)
        if side in explained.verified:
            yield _measured_words(side, explained.verified[side], explained.targets)
    if explained.words:
        yield _drops_reading(explained)
    if explained.verified:
        yield VERDICT_READING
    for side, tokens in explained.vocabulary.items():
        yield f"Vocabulary near the {side}'s change (as in the paper): {_nearest_words(tokens)}"
    # the reasons why this encoder does not allow a view
    yield from explained.missing


def _accounting(accounting: Mapping[str, float]) -> Iterator[str]:
    parts = " ".join(
        f"{signed(accounting[part])} ({part.replace('_', ' ')})" for part in SCORE_PARTS
    )
    yield (
        f"Score: base {decimal(accounting['base'])} {parts} = modulated "
        f"{decimal(accounting['modulated'])}"
    )
    yield (
        "Document modulation and query refinement have a joint effect. The parts have half of it "
        "each (Shapley values). The table of stages has all of it in the last stage, so a part can "
        "differ from the step between two stages, even in its sign."
    )


def _drops_reading(explained: Explanation) -> str:
    final = explained.final
    score = f"Drop of score: the {final} score with the word minus the {final} score without it. "
    if "change" not in explained.targets:
        return f"{score}A positive drop means that the word raises the score."
    return (
        f"{score}Drop of change: the same for modulated − base. A positive drop means that the "
        "word raises the score or the change, a negative drop that it lowers it."
    )


def _estimated_words(drops: WordDrops, targets: Sequence[Target]) -> Table:
    heads = (f"drop of {target}" for target in targets)
    table = table_of(f"Words of the {drops.side}: estimated drops", "word", *heads)
    # for a demoted document, words with a negative drop explain the change
    for i in by_effect(drops.values(targets[0]))[: SHORTLIST[drops.side]]:
        table.add_row(drops.words[i].text, *(signed(drops.values(t)[i]) for t in targets))
    return table


def _measured_words(side: str, words: Sequence[VerifiedWord], targets: Sequence[Target]) -> Table:
    heads = [h for t in targets for h in (f"drop of {t}", "random words", "verdict")]
    table = table_of(f"Words of the {side}: measured drops", "word", *heads)
    for row in measured_rows(words, targets):
        table.add_row(*row)
    return table


def _nearest_words(tokens: Sequence[NamedToken]) -> str:
    """Return the words nearest to a change, those closer than chance apart from the others."""
    closer = ", ".join(token.token for token in tokens if not token.spurious)
    others = ", ".join(token.token for token in tokens if token.spurious)
    if not closer:
        return f"the {len(tokens)} nearest words, none of them closer than chance: {others}"
    if not others:
        return f"all {len(tokens)} nearest words are closer than chance: {closer}"
    return f"closer than chance: {closer}; not closer: {others}"


def faithfulness(result: DeletionTest) -> Iterator[RenderableType]:
    """Yield F for each text, target and number of deleted words, with its controls."""
    yield _deletion_table(result)
    yield (
        "F: 0 = no better than random words, 1 = as good as trying every word. Stepwise: compared "
        "with a search that adds one word at a time. Verified: after a shortlist was measured. "
        "Adapter-blind: the words closest to the other text, without the adapter. Drop − random: "
        "how much more the value falls than when random words are deleted."
    )
    record = result.to_json()
    yield (
        "Rank correlation of estimated and measured drops of the change: document "
        f"{decimal(result.rho('document'), 3)}, query {decimal(result.rho('query'), 3)}"
    )
    yield (
        "F − F of the adapter-blind baseline (query, change, one word), 95 % interval: "
        f"{interval(record['adapter_blind_margin_ci95'], 3)}"
    )
    yield (
        "Overlap of the top ten words with those of an untrained adapter (Jaccard index): "
        f"{decimal(record['untrained_top10_jaccard'], 3)}"
    )
    times = record["ms"]
    yield (
        f"Median time of one explanation: document {times['document']:.0f} ms, query "
        f"{times['query']:.0f} ms (one encoder pass over the document: "
        f"{times['encode_document']:.0f} ms)"
    )


def _deletion_table(result: DeletionTest) -> Table:
    table = table_of(
        f"{result.dataset} {result.split}, adapter {result.adapter}: deletion test on "
        f"{len(result.pairs)} pairs",
        *("text", "target", "deleted words", "F", "95 % interval of F", "F (stepwise)"),
        *("F (verified)", "F (adapter-blind)", "drop − random, 95 % interval"),
    )
    rows = ((s, t, count) for s, counts in DELETED.items() for t in TARGETS for count in counts)
    for side, target, count in rows:
        low, high = result.interval(side, target, count)
        verified = result.f(side, target, count, "verified")
        table.add_row(
            *(side, target, str(count)),
            decimal(result.f(side, target, count), 3),
            f"{decimal(low, 3)} to {decimal(high, 3)}",
            decimal(result.f_stepwise(side, target, count), 3),
            # a shortlist is measured only for one deleted word
            decimal(verified, 3) if count == 1 else "",
            decimal(result.f(side, target, count, "adapter_blind_baseline"), 3),
            interval(result.random_margin(side, target, count)),
        )
    return table
