"""Show evaluations and explanations as tables for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from imrnns_core.data.records import Query
from imrnns_core.evaluation.change_decomposition import ChangeDecomposition
from imrnns_core.evaluation.evaluate import NDCG, Evaluation, mean_of
from imrnns_core.evaluation.rank_overlap import RankOverlap
from imrnns_core.evaluation.system_comparison import SystemComparison
from imrnns_core.statistics.significance import Significance
from imrnns_core.types import STAGES

if TYPE_CHECKING:
    from rich.console import RenderableType

    from imrnns_core.explanation.deletion_records import DeletionTest
    from imrnns_core.explanation.explain import Explanation
    from imrnns_core.explanation.word_drops import VerifiedWord, WordDrops


LISTED = 10
"""So many of the queries that differ most are listed."""


def evaluation(result: Evaluation) -> Iterator[RenderableType]:
    """Yield the means of each group, the tests, the shares of the change, and the outcomes."""
    table = _table(
        f"{result.dataset} {result.split}, adapter {result.adapter}",
        "queries",
        "n",
        "ranking",
        *result.measures,
    )
    for system, means in result.means().items():
        table.add_row("all", str(len(result.query_ids)), system, *_decimals(means))
    for group, mask in result.group_masks().items():
        for system, means in result.means(mask).items() if mask.any() else ():
            if system not in ("projected", "document-modulated"):
                table.add_row(group, str(int(mask.sum())), system, *_decimals(means))
    yield table
    for measure in result.measures:
        test = result.significance(measure)
        yield (
            f"{measure}: modulated − base {test.change:+.5f}, 95 % interval {_interval(test)}, p = "
            f"{test.p:.4f}"
        )
    if result.groups is None:
        yield (
            "Seen and unseen queries cannot be told apart: the adapter's card names no training "
            "positives."
        )
    if result.shares is not None:
        yield _share_line(result.shares)
    yield ", ".join(f"{n} {name}" for name, n in Counter(result.outcomes()).most_common())


def overlap(result: RankOverlap, queries: Mapping[str, Query]) -> Iterator[RenderableType]:
    """Yield how much the adapter moves, and the queries that it moves most."""
    yield (
        f"{result.dataset}, adapter {result.adapter}: {len(result.query_ids)} queries without "
        "judgments. They tell what moves, not whether it helps."
    )
    means = f"Base and modulated ranking: rank-biased overlap {result.rbo.mean():.4f} (1: the same)"
    yield (
        f"{means}, {result.top_k_overlap.mean():.2f} of the first {result.top_k} kept, "
        f"another first document for {100 * result.top_document_changed:.0f} %."
    )
    yield _share_line(result.shares)
    table = _table(
        "Queries that move most",
        "query",
        "overlap",
        "kept",
        "first in base",
        "first in modulated",
        "text",
    )
    for i in result.rbo.argsort(kind="stable")[:LISTED].tolist():
        first = (result.document_ids[row] for row in result.top_documents[:, i])
        text = queries[result.query_ids[i]].text[:60]
        table.add_row(
            result.query_ids[i], f"{result.rbo[i]:.4f}", str(result.top_k_overlap[i]), *first, text
        )
    yield table


def against(versus: SystemComparison, queries: Mapping[str, Query]) -> Iterator[RenderableType]:
    """Yield both means of each group with their test, and the queries that differ most."""
    ours = versus.ours
    name = versus.name if versus.name != ours.adapter else f"{versus.name} (other)"
    heads = ("queries", "n", "measure", ours.adapter, name, "difference", "95 % interval", "p")
    table = _table(f"{ours.adapter}, modulated, against {name}", *heads)
    for group, mask in versus.masks().items():
        mine, theirs = (
            ours.mean("modulated", mask),
            mean_of(ours.measures, versus.other.values, mask),
        )
        for measure, test in versus.tests(group).items():
            values = (
                f"{mine[measure]:.5f}",
                f"{theirs[measure]:.5f}",
                f"{test.change:+.5f}",
                _interval(test),
                f"{test.p:.4f}",
            )
            table.add_row(group or "all", str(int(mask.sum())), measure, *values)
    yield table
    if versus.missing:
        yield f"{versus.missing} of {len(ours.query_ids)} queries are not in the run; they count 0."
    if versus.groups is None:
        yield "Which of these queries the two have seen is unknown: a difference may be memory."
    most = versus.most_different(LISTED)
    yield _different(versus, name, most, queries) if most else f"No query differs in {NDCG}."


def _different(
    versus: SystemComparison, name: str, rows: list[int], queries: Mapping[str, Query]
) -> Table:
    ours, column = versus.ours, versus.ours.measures.index(NDCG)
    table = _table(
        f"Queries that differ most in {NDCG}",
        "query",
        ours.adapter,
        name,
        "difference",
        "best relevant ranks",
        "text",
    )
    for i in rows:
        mine, theirs = ours.column("modulated")[i], versus.other.values[i, column]
        ranks = " / ".join(
            str(rank or "—")
            for rank in (ours.best_rank("modulated")[i], versus.other.best_ranks[i])
        )
        text = queries[ours.query_ids[i]].text
        table.add_row(
            ours.query_ids[i],
            f"{mine:.4f}",
            f"{theirs:.4f}",
            f"{mine - theirs:+.4f}",
            ranks,
            text[:60],
        )
    return table


def hits(stage: str, found: Sequence[Mapping[str, Any]], judged: bool) -> Table:
    """Return one ranking of one query, as `search` writes it."""
    table = Table(
        "rank",
        "base rank",
        "score",
        "relevance",
        "document",
        "title",
        title=stage,
        title_justify="left",
        box=None,
    )
    for hit in found:
        relevance = "unjudged" if hit["relevance"] < 0 else str(hit["relevance"])
        table.add_row(
            str(hit["rank"]),
            str(hit["base_rank"]),
            f"{hit['score']:.4f}",
            relevance if judged else "—",
            hit["document_id"],
            hit["title"],
        )
    return table


def explanation(found: Explanation) -> Iterator[RenderableType]:
    """Yield ranks and scores, the accounting, the words of both texts, and the vocabulary view."""
    from imrnns_core.reporting.html import verdict

    yield Text(found.query.text, style="bold")
    yield f"{found.document.id}: {found.document.title}"
    stages = Table("stage", "rank", "score", box=None)
    for stage in STAGES:
        stages.add_row(stage, str(found.ranks[stage]), f"{found.scores[stage]:.4f}")
    yield stages
    total = ", ".join(
        f"{value:+.4f} {name.replace('_', ' ')}"
        for name, value in list(found.accounting.items())[1:-1]
    )
    yield (
        f"base {found.accounting['base']:.4f} {total} = modulated "
        f"{found.accounting['modulated']:.4f}"
    )
    for side, drops in found.words.items():
        yield _estimated_words(drops)
        if side in found.verified:
            yield _measured_words(side, found.verified[side])
    for side, tokens in found.vocabulary.items():
        listed = ", ".join(f"{t.token} ({verdict(t)})" for t in tokens)
        yield f"vocabulary near the {side}'s change (as in the paper): {listed}"
    yield from found.missing


def _estimated_words(drops: WordDrops) -> Table:
    from imrnns_core.explanation.word_drops import SHORTLIST

    title = f"words of the {drops.side}: estimated drop without them"
    table = Table("word", "change", "score", title=title, title_justify="left", box=None)
    for i in drops.top("change", SHORTLIST[drops.side]):
        table.add_row(drops.words[i].text, f"{drops.change[i]:+.4f}", f"{drops.score[i]:+.4f}")
    return table


def _measured_words(side: str, words: Sequence[VerifiedWord]) -> Table:
    title = f"deleted from the {side} and measured, beside as many random words"
    heads = ("word", "change", "random", "estimate", "score", "random", "estimate")
    table = Table(*heads, title=title, title_justify="left", box=None)
    for v in sorted(words, key=lambda v: -v.drop[1]):
        change = (f"{v.drop[1]:+.4f}", f"{v.random[1]:+.4f}", v.verdict("change"))
        score = (f"{v.drop[0]:+.4f}", f"{v.random[0]:+.4f}", v.verdict("score"))
        table.add_row(v.word.text, *change, *score)
    return table


def faithfulness(result: DeletionTest) -> Iterator[RenderableType]:
    """Yield F for each text, target and number of words, beside its controls."""
    yield _deletion_table(result)
    record = result.to_json()
    low, high = record["b1_query_delta_margin_ci95"]
    yield (
        f"rank correlation with deleting every word, on Δ: document {result.rho('document'):.3f}, "
        f"query {result.rho('query'):.3f}"
    )
    yield f"F less that of B1 (blind to the adapter), query, Δ, one word: {low:+.3f} … {high:+.3f}"
    yield (
        "top ten words shared with an untrained adapter (Jaccard): "
        f"{record['untrained_top10_jaccard']:.3f}"
    )
    times = record["ms"]
    yield (
        f"one explanation, median: document {times['document']:.0f} ms, query "
        f"{times['query']:.0f} ms (the encoder alone on the document: "
        f"{times['encode_document']:.0f} ms)"
    )


def _deletion_table(result: DeletionTest) -> Table:
    from imrnns_core.explanation.deletion_records import DELETED, TARGETS

    title = (
        f"{result.dataset} {result.split}, adapter {result.adapter}, {len(result.pairs)} pairs: F, "
        "1 is as good as trying every word"
    )
    figures = ("F", "95 % interval", "stepwise", "verified", "B1", "drop less random")
    heads = ("text", "of", "words deleted", *figures)
    table = Table(*heads, title=title, title_justify="left", box=None)
    rows = ((s, t, count) for s, counts in DELETED.items() for t in TARGETS for count in counts)
    for side, target, count in rows:
        low, high = result.interval(side, target, count)
        margin = result.random_margin(side, target, count)
        table.add_row(
            *(side, target, str(count)),
            f"{result.f(side, target, count):.3f}",
            f"{low:.3f} … {high:.3f}",
            f"{result.f_stepwise(side, target, count):.3f}",
            f"{result.f(side, target, count, 'verified'):.3f}" if count == 1 else "",
            f"{result.f(side, target, count, 'b1'):.3f}",
            f"{margin[0]:+.4f} … {margin[1]:+.4f}",
        )
    return table


def _table(title: str, *heads: str) -> Table:
    return Table(*heads, title=title, title_justify="left", box=None)


def _share_line(shares: ChangeDecomposition) -> str:
    parts = {
        "projector": shares.projector,
        "constant": shares.constant,
        "query-specific": shares.query_specific,
    }
    return "Change of scores: " + ", ".join(
        f"{name} {100 * share:.0f} %" for name, share in parts.items()
    )


def _decimals(means: Mapping[str, float]) -> Iterator[str]:
    return (f"{value:.5f}" for value in means.values())


def _interval(test: Significance) -> str:
    return f"[{test.ci95[0]:+.5f}, {test.ci95[1]:+.5f}]"
