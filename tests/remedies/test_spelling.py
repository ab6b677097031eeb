"""Query words that are corrected, and those that are left as they are."""

from __future__ import annotations

import pytest

from imrnns_core.data.records import Document, Query
from imrnns_core.remedies.causes import try_remedies
from imrnns_core.remedies.remedy import Search, all_remedies
from imrnns_core.remedies.spelling import corrected
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.collection import Collection
from imrnns_core.retrieval.ranker import Ranker

TEXTS = (
    "Transglutaminase links proteins. The warehouse sends parcels by airmail.",
    "Panic attacks; people prone to panic. Stabilizers of the shoulder.",
    "Receipts are stored in the archives for ten years. Code x7q9z.",
)


@pytest.fixture(scope="module")
def lexical() -> BM25Index:
    return BM25Index([Document(str(i), "", text) for i, text in enumerate(TEXTS)])


@pytest.mark.parametrize(
    ("text", "unknown", "expected"),
    [
        ("What does Transgultaminase do?", "transgultaminase", "What does transglutaminase do?"),
        ("where are receiqts kept", "receiqts", "where are receipts kept"),
        ("send it by air mail, please", "air", "send it by airmail, please"),
        ("panicprone people", "panicprone", "panic prone people"),
        ("Änderung der receiqts 2024", "änderung receiqts", "Änderung der receipts 2024"),
        # the corpus has the word; the encoder knows it; nothing is similar; another first letter
        ("receipts of parcels", "receipts parcels", "receipts of parcels"),
        ("where are receiqts kept", "", "where are receiqts kept"),
        ("zyzzogeton leafhopper", "zyzzogeton leafhopper", "zyzzogeton leafhopper"),
        ("deceipts", "deceipts", "deceipts"),
        # both parts exist, but in different documents; two letters differ in a short word
        ("panicreceipts", "panicreceipts", "panicreceipts"),
        ("parsles", "parsles", "parsles"),
        ("x7q9y", "x7q9y", "x7q9y"),
        ("", "", ""),
    ],
)
def test_what_is_corrected(text: str, unknown: str, expected: str, lexical: BM25Index) -> None:
    assert corrected(text, frozenset(unknown.split()), lexical) == expected


def test_a_misspelt_query_finds_its_document(sample: Collection) -> None:
    """The same query with and without a misspelling; only the first one has the remedy."""
    ranker, lexical = Ranker(sample), BM25Index(sample.dataset.documents)
    ranks = {}
    for text in ("benzodiazepines and seizures", "benzodiazapines and seizures"):
        search = Search.of(ranker, lexical, [Query("", text)], sample.encode(text)[None])
        top = sample.dataset.document_ids[int(search.base[0].rows[0])]
        named = [remedy.name for remedy in all_remedies(search)]
        ranks[text] = (top, "spelling corrected" in named)
    assert [has_remedy for _, has_remedy in ranks.values()] == [False, True]
    relevant = next(top for top, _ in ranks.values())
    text = "benzodiazapines and seizures"
    search = Search.of(ranker, lexical, [Query("", text)], sample.encode(text)[None])
    (tried,) = try_remedies(search, [{relevant}])
    own = next(o for o in tried.outcomes if o.remedy.name == "spelling corrected")
    assert own.rank == 1


def test_a_correct_query_has_no_such_outcome(sample: Collection) -> None:
    ranker, lexical = Ranker(sample), BM25Index(sample.dataset.documents)
    texts = ["benzodiazapines and seizures", "capital of France"]
    vectors = sample.encoder.encode_queries(texts)
    search = Search.of(ranker, lexical, [Query("", text) for text in texts], vectors)
    both = try_remedies(search, [{sample.dataset.document_ids[0]}] * 2)
    names = [{own.remedy.name for own in tried.outcomes} for tried in both]
    assert ["spelling corrected" in own for own in names] == [True, False]
