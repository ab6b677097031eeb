"""How often changed documents are recognised, and unrelated ones kept apart: shares of 100."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from imrnns_core.data.common_runs import common_runs
from imrnns_core.data.near_copies import copies
from imrnns_core.data.recognition import Fingerprints, KnownTexts
from imrnns_core.data.records import Document

WORDS = [f"{a}{b}{c}" for a in "bdfgklmnprst" for b in "aeiou" for c in ("n", "rm", "st", "lo")]
FOOTER = (
    "This page is maintained by the documentation team. Please send corrections to the service "
    "desk or open a ticket. The content is confidential and must not be shared outside the company "
    "without the written permission of the legal department."
)


def sentence(rng: random.Random, words: int) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(words)).capitalize() + "."


def changed(rng: random.Random, text: str, count: int) -> str:
    words = text.split()
    for place in rng.sample(range(len(words)), count):
        words[place] = rng.choice(WORDS)
    return " ".join(words)


def documents(texts: Sequence[str]) -> list[Document]:
    return [Document(str(number), "", text) for number, text in enumerate(texts)]


def missed(used: Sequence[str], looked_up: Sequence[str]) -> float:
    """Return the share of documents that are not recognised."""
    found = documents(looked_up)
    known = KnownTexts(Fingerprints.of(documents(used)), common=common_runs(found))
    return float(np.mean([document not in known for document in found]))


@pytest.mark.parametrize("footer", ["", FOOTER, f"{FOOTER} {FOOTER.replace('page', 'form')}"])
def test_a_footer_does_not_hide_a_changed_page(footer: str) -> None:
    rng = random.Random(1)
    pages = [sentence(rng, 20) for _ in range(100)]
    used = [f"{page} {footer}" for page in pages]
    edited = [f"{changed(rng, page, 1)} {footer}" for page in pages]
    assert missed(used, edited) <= 0.01
    others = [f"{sentence(rng, 20)} {footer}" for _ in range(100)]
    assert missed(used, others) == 1.0


@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_a_footer_does_not_connect_pages(share: float) -> None:
    """The footer is twice as long as the text of the page."""
    rng = random.Random(2)
    pages = documents(
        [f"{sentence(rng, 20)} {FOOTER if i < 100 * share else ''}" for i in range(100)]
    )
    common = common_runs(pages)
    assert len(set(copies(pages, ignored=common).tolist())) == 100
    # where a template counts, it connects most of them
    assert len(set(copies(pages).tolist())) <= 105 - 100 * share


def test_versions_of_few_pages_stay_connected() -> None:
    rng = random.Random(3)
    pages = [sentence(rng, 50) for _ in range(8)]
    versions = documents([f"{changed(rng, page, 2)} {FOOTER}" for page in pages for _ in range(6)])
    groups = copies(versions, ignored=common_runs(versions)).reshape(8, 6)
    assert len(np.unique(groups)) == 8
    assert (groups == groups[:, :1]).all()


def test_pages_of_nothing_but_a_footer_are_copies() -> None:
    pages = documents([FOOTER] * 3 + [f"{FOOTER} {number}" for number in "abcdefgh"])
    assert len(set(copies(pages, ignored=common_runs(pages))[:3].tolist())) == 1


@pytest.mark.parametrize("length", [28, 36, 60])
def test_versions_are_connected_whatever_kind_their_lengths_are(length: int) -> None:
    """The second version of each page names a department with two words, three times.

    With 36 words, one version has 39 words and the other one 42.
    """
    rng = random.Random(4)
    pages = [[sentence(rng, length // 4) for _ in range(4)] for _ in range(100)]
    texts = [f" {name} ".join(page) for page in pages for name in ("Sales", "Customer Success")]
    groups = copies(documents(texts)).reshape(100, 2)
    assert np.mean(groups[:, 0] == groups[:, 1]) >= 0.9
    assert len(np.unique(groups)) >= 100


@pytest.mark.parametrize("length", [37, 39, 40, 43])
def test_a_text_of_about_forty_words_is_recognised(length: int) -> None:
    """A word was changed, and three words were added or taken away."""
    rng = random.Random(5)
    used = [sentence(rng, length) for _ in range(100)]
    edited = [changed(rng, text, 1) for text in used]
    assert missed(used, [f"{text} {sentence(rng, 3)}" for text in edited]) <= 0.01
    assert missed(used, [" ".join(text.split()[3:]) for text in edited]) <= 0.01


def chinese(rng: random.Random) -> str:
    return "".join(chr(rng.randint(0x4E00, 0x59FF)) for _ in range(rng.randint(12, 35))) + "。"


def thai(rng: random.Random) -> str:
    """Return a phrase without blanks or a full stop."""
    return "".join(
        rng.choice("กขคงจชซญณดตถทนบปผพฟมยรลวสหอฮ") + rng.choice(["", "า", "ิ", "ี", "ุ", "ู", "่", "้"])
        for _ in range(rng.randint(10, 40))
    )


def english(fewest: int, most: int, end: str = ".") -> Callable[[random.Random], str]:
    return lambda rng: sentence(rng, rng.randint(fewest, most)).removesuffix(".") + end


@pytest.mark.parametrize(
    ("make", "joined", "length", "most"),
    [
        (chinese, "", 3, 0.01),
        (chinese, "", 7, 0.0),
        (thai, " ", 4, 0.01),
        (thai, " ", 10, 0.0),
        (english(8, 25), " ", 3, 0.02),
        (english(2, 7), " ", 6, 0.03),
        (english(2, 7), " ", 10, 0.0),
        (english(3, 9, ""), " - ", 6, 0.03),
        (english(3, 9, ""), " • ", 10, 0.0),
        (english(3, 9, ""), "\n- ", 10, 0.0),
    ],
)
def test_a_passage_is_recognised_wherever_it_begins(
    make: Callable[[random.Random], str], joined: str, length: int, most: float
) -> None:
    rng = random.Random(6)
    pages = [[make(rng) for _ in range(20)] for _ in range(100)]
    starts = [rng.randint(0, 20 - length) for _ in pages]
    passages = [
        joined.join(page[start : start + length]) for page, start in zip(pages, starts, strict=True)
    ]
    assert missed([joined.join(page) for page in pages], passages) <= most
    others = [joined.join(make(rng) for _ in range(length)) for _ in pages]
    assert missed([joined.join(page) for page in pages], others) == 1.0
