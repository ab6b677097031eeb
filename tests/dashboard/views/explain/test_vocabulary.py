"""The vocabulary table shows only what differs between its rows."""

from __future__ import annotations

from dashboard.views.explain.vocabulary import table
from imrnns_core.explanation.nearest_tokens import NamedToken


def test_a_p_that_all_words_share_is_written_once() -> None:
    head, rows, common = table(
        [NamedToken("peso", 0.21, 1 / 21, 0.5), NamedToken("<b>", 0.2, 1 / 21, 1 / 21)]
    )
    assert head == ["word", "cosine", "p (other queries)", "verdict"]
    assert [row[:3] for row in rows] == [
        ("peso", "0.2100", "0.5000"),
        ("<b>", "0.2000", "0.0476"),
    ]
    assert common == ["p (untrained adapters) = 0.0476"]


def test_a_p_that_varies_has_a_column() -> None:
    head, rows, common = table(
        [NamedToken("peso", 0.21, 0.3, 0.5), NamedToken("dollar", 0.2, 0.4, 0.6)]
    )
    # no word beats chance, which the caption says: there is no column for it
    assert head == ["word", "cosine", "p (untrained adapters)", "p (other queries)"]
    assert rows[0] == ("peso", "0.2100", "0.3000", "0.5000")
    assert common == []
