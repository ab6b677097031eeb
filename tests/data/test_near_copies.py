"""Near copies of documents are found, whatever the size of the corpus."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from imrnns_core.data import near_copies
from imrnns_core.data.near_copies import BOTH_WORDS, copies
from imrnns_core.data.records import Document
from imrnns_core.data.shingles import SHORT_WORDS, runs_of, words_of
from imrnns_core.types import IntArray

FORM = "Ask the office of {} for a badge. It is made within a day, and it is valid for two years."
POEM = "Slow rivers carry sand to warm seas. Nobody counts the grains that lie on their ground."


def document(text: str, title: str = "") -> Document:
    return Document("d", title, text)


def test_copies_are_grouped_and_others_are_alone() -> None:
    texts = [FORM.format("Rome"), POEM, FORM.format("Paris"), "", FORM.format("Oslo"), ""]
    groups = copies([document(text) for text in texts]).tolist()
    assert groups[0] == groups[2] == groups[4]
    assert len(set(groups)) == 4
    assert copies([]).tolist() == []
    assert copies([document("")]).tolist() == [0]


def by_pairs(documents: Sequence[Document]) -> IntArray:
    """Return the groups by comparing every pair."""
    words = [words_of(f"{one.title} {one.text}") for one in documents]
    near = np.zeros((len(words), len(words)), dtype=bool)
    for width, fewest, most in ((3, 0, SHORT_WORDS - 1), (4, BOTH_WORDS, 1000)):
        sketches = [
            set(runs_of(own, width)[:8].tolist()) if fewest <= len(own) <= most else set()
            for own in words
        ]
        near |= [
            [bool(a and b) and len(a & b) >= 0.3 * min(len(a), len(b)) for a in sketches]
            for b in sketches
        ]
    return np.asarray(connected_components(csr_array(near), directed=False)[1])


@pytest.mark.parametrize("chunk", [1, 7, 1000])
@given(
    st.lists(
        st.lists(st.sampled_from("abcdefgh"), max_size=100).map(" ".join), min_size=1, max_size=15
    )
)
def test_the_groups_are_those_of_all_pairs(chunk: int, texts: list[str]) -> None:
    documents = [document(text) for text in texts]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(near_copies, "CHUNK", chunk)
        groups = copies(documents)
    expected = by_pairs(documents)
    np.testing.assert_array_equal(groups[:, None] == groups, expected[:, None] == expected)


def test_a_text_that_all_documents_have_costs_no_square_of_their_number() -> None:
    """All pairs of 20,000 documents would be 400 million."""
    footer = "This page is maintained by the people of the front office in the old town hall."
    documents = [document(f"{footer} Page {number}.") for number in range(20_000)]
    assert len(set(copies(documents).tolist())) == 1


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_words_of_a_plain_text_are_those_beside_other_letters(text: str) -> None:
    """Plain texts are read by a pattern of their own."""
    assert words_of(text) == words_of(f"{text} ä")[:-1]


def test_the_progress_counts_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_copies, "CHUNK", 2)
    steps: list[tuple[int, int]] = []
    copies([document(POEM)] * 5, progress=lambda *step: steps.append(step))
    assert steps == [(2, 5), (4, 5), (5, 5)]
