"""The explanation of one pair as a page.

Marked texts, and a report that opens without a network.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import numpy as np

from imrnns_core.explanation.deletion_test import DeletionSummary
from imrnns_core.explanation.explain import Explanation
from imrnns_core.explanation.nearest_tokens import NamedToken
from imrnns_core.explanation.word_attribution import WordDrops
from imrnns_core.types import STAGES, FloatArray

NUMBERED = 5
"""Words that are numbered in a marked text, besides their colour."""


def marked_html(drops: WordDrops, values: FloatArray) -> str:
    """Return a text as HTML, escaped letter by letter, its words marked by values (W,).

    A word that carries is underlined, one that holds back dotted; the strongest five are numbered;
    what the encoder does not read is struck out. Colour only repeats this.
    """
    strength = float(np.abs(values).max()) if len(values) else 0.0
    first = (
        {int(i): n for n, i in enumerate(np.argsort(-np.abs(values), kind="stable")[:NUMBERED], 1)}
        if strength
        else {}
    )
    places = sorted(
        (left, right, i)
        for i, word in enumerate(drops.words)
        for left, right in word.spans
        if right <= drops.read
    )
    parts, end = [], 0
    for left, right, i in places:
        share = abs(float(values[i])) / strength if strength else 0.0
        if left < end or (share < 0.08 and i not in first):
            continue
        kind, number = (
            ("up" if values[i] > 0 else "down"),
            f"<sup>{first[i]}</sup>" if i in first else "",
        )
        parts.append(_escape(drops.text[end:left]))
        parts.append(
            f'<mark class="{kind}" style="--share:{share:.2f}" title="drop '
            f'{_signed(float(values[i]))}">{_escape(drops.text[left:right])}{number}</mark>'
        )
        end = right
    parts.append(_escape(drops.text[end : max(end, drops.read)]))
    rest = drops.text[max(end, drops.read) :]
    if rest.strip():
        parts.append(
            f'<span class="unread" title="the encoder does not read this">{_escape(rest)}</span>'
        )
    return f'<div class="marked">{"".join(parts)}</div>'


MARK_CSS = """
.marked { line-height: 1.75; white-space: pre-wrap; overflow-wrap: anywhere; }
.marked mark { color: inherit; border-radius: .2em; padding: .05em .1em; }
.marked mark.up { background: rgb(0 158 115 / calc(var(--share) * .38)); border-bottom: 2px solid #009e73; }
.marked mark.down { background: rgb(213 94 0 / calc(var(--share) * .38)); border-bottom: 2px dotted #d55e00; }
.marked sup { font-weight: 700; font-size: .7em; margin-left: .1em; }
.marked .unread { text-decoration: line-through; opacity: .65; }
"""
_REPORT_CSS = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; } .note { opacity: .75; font-size: .9rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } td, th { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #8884; }
td.number { text-align: right; } .axis { width: 16rem; } .bar { height: .7em; }
.axis { background: linear-gradient(#8888, #8888) var(--zero) 0 / 1px 100% no-repeat; } .text { white-space: pre-wrap; overflow-wrap: anywhere; }
.plus { background: #009e73; } .minus { background: #d55e00; } .total { background: #0072b2; } .scroll { overflow-x: auto; }
"""


def to_html(explanation: Explanation, test: DeletionSummary | None = None) -> str:
    """Return the explanation as one HTML file without scripts or links.

    `test` is this adapter's deletion test.
    """
    e = explanation
    parts = [
        (
            f"<h1>Why is “{_escape(e.document.title or e.document.id)}” at rank "
            f"{e.ranks['modulated']}?</h1>"
        ),
        f'<p class="text"><strong>{_escape(e.query.text)}</strong></p>',
        f'<p class="note">Document {_escape(e.document.id)} of {_escape(e.dataset)}; adapter '
        f"{_escape(e.adapter)}; "
        f"encoder {_escape(e.encoder)}.</p>",
        "<h2>Rank and score at every stage</h2>",
        table_html(
            ("stage", "rank", "score"),
            [(stage, str(e.ranks[stage]), f"{e.scores[stage]:.4f}") for stage in STAGES],
        ),
        "<h2>Where the change comes from</h2>",
        '<p class="note">The parts sum to modulated − base (to 1e-6).</p>',
        _bars(e.accounting),
    ]
    for side, drops in e.words.items():
        parts += [
            f"<h2>Words of the {side} that carry the change</h2>",
            f'<p class="note">{LEGEND}</p>',
            marked_html(drops, drops.change),
        ]
        parts += [
            f"<h2>Words of the {side} that carry the score</h2>",
            marked_html(drops, drops.score),
        ]
        if side in e.verified:
            rows = [
                (
                    v.word.text,
                    _signed(v.drop[1]),
                    _signed(v.random[1]),
                    v.verdict("change"),
                    _signed(v.drop[0]),
                    _signed(v.random[0]),
                    v.verdict("score"),
                )
                for v in sorted(e.verified[side], key=lambda v: -v.drop[1])
            ]
            parts += [
                f"<h2>Deleted from the {side} and measured</h2>",
                '<p class="note">The word was deleted, the text encoded again and scored among '
                "the same candidates. Random: as many "
                "randomly chosen occurrences, mean of ten draws; a drop within one deviation "
                "of that is no more than chance.</p>",
                table_html(
                    (
                        "word",
                        "drop of change",
                        "random",
                        "estimate",
                        "drop of score",
                        "random",
                        "estimate",
                    ),
                    rows,
                ),
            ]
    for side, tokens in e.vocabulary.items():
        held = [
            (t.token, f"{t.cosine:.3f}", f"{t.p_untrained:.2f}", f"{t.p_shuffled:.2f}", verdict(t))
            for t in tokens
        ]
        parts += [
            f"<h2>Vocabulary near the {side}’s change (as in the paper)</h2>",
            (
                '<p class="note">Tokens near a direction of the embedding space. They describe it; '
                "deleting them is not what this tests.</p>"
            ),
            table_html(("token", "cosine", "p, untrained adapter", "p, other queries", ""), held),
        ]
    parts += [f'<p class="note">{_escape(reason)}</p>' for reason in e.missing]
    parts += ["<h2>How far to trust this</h2>", f"<p>{_escape(trust_sentence(test))}</p>"]
    title = _escape(f"{e.query.text} · {e.document.title or e.document.id}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        'content="width=device-width">'
        f"<title>{title}</title><style>{_REPORT_CSS}{MARK_CSS}</style></head><body>{''.join(parts)}</body></html>\n"
    )


LEGEND = (
    "Underlined: without the word the value falls. Dotted: without it the value rises. The "
    "strongest five are numbered. "
    "Struck out: beyond what the encoder reads. Estimated, not measured."
)


def verdict(token: NamedToken) -> str:
    """Say whether a token beats its nulls."""
    return "no more than chance" if token.spurious else "beats chance"


def trust_sentence(test: DeletionSummary | None) -> str:
    """Say in words what the deletion test found for this adapter."""
    if test is None:
        return (
            "This adapter's explanations were not tested by deletion here. To test them: "
            "imrnns-lens faithfulness."
        )
    return (
        f"Tested by deletion on {test.pairs} pairs of {test.dataset} {test.split}. On the "
        "change, where 0 is a random word and 1 the best "
        "word there is: the first word named in a document reaches "
        f"{test.named['document']:.2f}, in a query {test.named['query']:.2f}; after "
        "verification "
        f"{test.verified['document']:.2f} and {test.verified['query']:.2f}. Rank correlation "
        "of all estimated with "
        f"all measured drops: {test.rho['document']:.2f} and {test.rho['query']:.2f}."
    )


def table_html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose cells are escaped."""
    top = "".join(f"<th>{_escape(h)}</th>" for h in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{_escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        "<div "
        f'class="scroll"><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def _bars(accounting: dict[str, float]) -> str:
    low, high = min(0.0, *accounting.values()), max(0.0, *accounting.values())
    scale, rows = 16 / (high - low or 1.0), []
    for name, value in accounting.items():
        total = name in ("base", "modulated")
        kind = "total" if total else "plus" if value >= 0 else "minus"
        left, zero = scale * (min(value, 0.0) - low), scale * -low
        bar = (
            f'<div class="axis" style="--zero:{zero:.2f}rem"><div class="bar {kind}" '
            f'style="margin-left:{left:.2f}rem;width:{scale * abs(value):.2f}rem"></div></div>'
        )
        shown = f"{value:.4f}" if total else _signed(value)
        rows.append(
            f"<tr><td>{_escape(name.replace('_', ' '))}</td><td "
            f'class="number">{shown}</td><td>{bar}</td></tr>'
        )
    return f'<div class="scroll"><table>{"".join(rows)}</table></div>'


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")


def _escape(text: str) -> str:
    return html.escape(text, quote=True)
