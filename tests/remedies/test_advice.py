"""Advice to authors: which words are missing, and the ranks with them and with random words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.data.dataset import Dataset
from imrnns_core.data.embeddings import EmbeddingMatrix
from imrnns_core.data.records import Document, Query
from imrnns_core.errors import EncoderError
from imrnns_core.explanation.pair import rescore
from imrnns_core.model.checkpoint import load_adapter
from imrnns_core.remedies import advice
from imrnns_core.remedies.advice import DRAWS, Advice, advise, missing_words, with_words
from imrnns_core.remedies.remedy import Search, all_remedies
from imrnns_core.reporting.causes import advice_lines
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.comparison import Comparison
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.layout import ASSETS_FOLDER
from imrnns_core.types import FloatArray, relevant_ids

FILLERS = tuple(f"{a}{b}" for a in "bcdfghjklmnp" for b in ("alor", "emux", "ibat", "ozin", "ulep"))


class WordEncoder:
    """Encodes a text as the numbers of its words “river”, “dam” and all others."""

    def __init__(self) -> None:
        self.spec, self.dimension, self.max_tokens = EncoderSpec("words"), 3, 256
        self.weights_digest, self.titles = "", list[str]()

    def encode_documents(
        self, documents: Sequence[Document], progress: Any = None, unit: bool = True
    ) -> FloatArray:
        self.titles += [d.title for d in documents]
        return vectors([f"{d.title} {d.text}" for d in documents])


def vectors(texts: Sequence[str]) -> FloatArray:
    counts = [
        [words.count("river"), words.count("dam"), sum(w not in ("river", "dam") for w in words)]
        for words in (text.lower().split() for text in texts)
    ]
    found = np.array(counts, dtype=np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def toy(relevant: str, *documents: Document) -> tuple[Ranker, BM25Index, Comparison]:
    """Return the query “Which river dam?” over documents, and one more with 60 other words."""
    every = (*documents, Document("fillers", "", f"dam {' '.join(FILLERS)}"))
    dataset = Dataset(
        *("toy", Path("toy"), every, {"q": Query("q", "Which river dam?")}),
        {"test": {"q": {relevant: 1}}},
    )
    embedded = vectors([f"{d.title} {d.text}" for d in every])
    collection = Collection(
        dataset,
        EmbeddingMatrix(dataset.document_ids, embedded),
        EmbeddingMatrix(("q",), np.array([[0.6, 0.8, 0.0]], dtype=np.float32)),
        WordEncoder(),  # type: ignore[arg-type]
    )
    ranker = Ranker(collection)
    return ranker, BM25Index(every), ranker.compare("q")


OLD = Document("old", "Old wall", "Water stays behind it")
BEST = Document("best", "River dam", "river dam")
GOOD = Document("good", "River", "river dam wall")


def test_content_words_that_no_word_of_the_document_has_are_missing() -> None:
    document = Document("d", "Poison", "It kills; he stayed conscious.")
    query = "Which way does hemlock poison kill, and does Hemlock stay? Ways!"
    # “kills” and “stayed” have the stems of “kill” and “stay”
    assert missing_words(query, document) == ("way", "hemlock")
    assert missing_words("and does he?", document) == ()
    assert with_words(document, ("way", "hemlock")).title == "Poison way hemlock"
    assert with_words(replace(document, title=""), ("way",)) == replace(document, title="way")


def test_the_missing_words_bring_the_document_up_and_random_ones_do_not() -> None:
    ranker, lexical, comparison = toy("old", BEST, GOOD, OLD)
    found = advise(ranker, lexical, comparison, ["old"])
    assert found is not None
    assert (found.document_id, found.words) == ("old", ("river", "dam"))
    # below both documents with more of its words, above the one with 60 others
    assert (found.base_rank, found.rank, found.modulated) == (4, 3, None)
    assert found.random_ranks.tolist() == [4] * DRAWS
    assert found.is_shown
    titles = ranker.collection.encoder.titles  # type: ignore[attr-defined]
    # the first document is encoded to check the encoder
    assert titles[1] == "Old wall river dam"
    drawn = [title.split()[2:] for title in titles[2:]]
    assert len(drawn) == DRAWS
    words = [word for own in drawn for word in own]
    assert len(words) == len(set(words)) == 2 * DRAWS


def test_nothing_is_advised_without_a_document_to_edit() -> None:
    ranker, lexical, comparison = toy("best", BEST, GOOD, OLD)
    # at rank 1; not in the corpus; nothing relevant; all words are there
    assert advise(ranker, lexical, comparison, ["best", "old"]) is None
    assert advise(ranker, lexical, comparison, ["gone"]) is None
    assert advise(ranker, lexical, comparison, []) is None
    assert advise(ranker, lexical, comparison, ["good"]) is None


def test_a_corpus_with_too_few_words_has_no_random_ones() -> None:
    ranker, _, comparison = toy("old", BEST, GOOD, OLD)
    assert advise(ranker, BM25Index([BEST, OLD]), comparison, ["old"]) is None


@pytest.mark.parametrize(
    ("random", "shown"), [([9] * 19 + [2], True), ([9] * 18 + [2, 1], False), ([9] * 20, True)]
)
def test_the_advice_is_shown_if_at_most_one_draw_of_twenty_is_as_good(
    random: list[int], shown: bool
) -> None:
    found = Advice("d", ("a",), 5, 2, np.array(random), None, 100)
    assert found.is_shown == shown
    assert not replace(found, base_rank=2).is_shown


def test_the_encoder_must_have_made_the_vectors() -> None:
    ranker, lexical, comparison = toy("old", BEST, GOOD, OLD)
    own = ranker.collection
    turned = EmbeddingMatrix(own.documents.ids, own.documents.vectors[:, ::-1].copy())
    other = ranker.with_collection(replace(own, documents=turned))
    with pytest.raises(EncoderError, match="did not make the embeddings"):
        advise(other, lexical, comparison, ["old"])


@pytest.fixture(scope="module")
def lexical(sample: Collection) -> BM25Index:
    return BM25Index(sample.dataset.documents)


def test_a_real_document_rises_by_the_words_that_it_lacks(
    sample: Collection, lexical: BM25Index
) -> None:
    adapter = load_adapter(ASSETS_FOLDER / "sample-adapter.safetensors")
    ranker = Ranker(sample, adapter)
    comparison = ranker.compare("q749")
    found = advise(ranker, lexical, comparison, relevant_ids(comparison.judgments))
    assert found is not None
    assert found.document_id == "poison-hemlock"
    assert found.words == ("way", "hemlock", "poison", "kill", "victim", "stay", "conscious")
    assert (found.base_rank, found.rank) == (27, 1)
    assert found.is_shown
    assert found.random_ranks.min() > 5
    # the same ranks as What if? gives for the edited text
    document = with_words(sample.dataset.document["poison-hemlock"], found.words)
    vector = sample.encoder.encode_documents([document])[0]
    edited = rescore(comparison, adapter.model, documents={"poison-hemlock": vector})
    at = comparison.position["poison-hemlock"]
    assert found.rank == edited.rank("base")[at]
    modulated = tuple(int(own.rank("modulated")[at]) for own in (comparison, edited))
    assert found.modulated == modulated == (52, 2)
    # the same words in another process
    again = advise(Ranker(sample), lexical, Ranker(sample).compare("q749"), ["poison-hemlock"])
    assert again is not None
    assert again.random_ranks.tolist() == found.random_ranks.tolist()
    assert again.modulated is None


def test_a_document_that_is_not_retrieved_is_ranked_among_the_candidates(
    sample: Collection, lexical: BM25Index
) -> None:
    comparison = Ranker(sample).compare("q708")
    assert comparison.relevant_not_retrieved == ["corms"]
    found = advise(Ranker(sample), lexical, comparison, ["corms"])
    assert found is not None
    assert (found.base_rank, found.rank, found.candidates) == (101, 2, 100)
    _, effect = advice_lines(found, "Corms")
    assert effect.startswith("Not in the top 100 → rank 2 (20 times with random words instead: ")
    assert "median rank below 100, range 45 to below 100)" in effect


def test_advice_is_never_a_remedy(sample: Collection, lexical: BM25Index) -> None:
    assert not hasattr(advice, "remedies")
    search = Search.of(Ranker(sample), lexical, [sample.dataset.queries["q749"]])
    assert "title" not in " ".join(remedy.changes for remedy in all_remedies(search))


def test_the_advice_in_words() -> None:
    found = Advice("d", ("one",), 52, 3, np.arange(48, 61), (50, 2), 100)
    assert advice_lines(found, "Poison <b>hemlock") == (
        "Add “one” to the title of “Poison <b>hemlock”",
        "Rank 52 → 3 (13 times with random words instead: median rank 54, range 48 to 60). "
        "With the adapter: rank 50 → 2. This uses the relevant document, so it is advice to its "
        "authors, not a cause.",
    )
    three = replace(found, words=("one", "two", "three"), modulated=None)
    assert advice_lines(three, "T")[0] == "Add “one”, “two” and “three” to the title of “T”"
    assert "adapter" not in advice_lines(three, "T")[1]
