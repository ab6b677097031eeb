"""Dense search by cosine, and BM25."""

from __future__ import annotations

import hashlib
import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imrnns_core.data.records import Document
from imrnns_core.retrieval import dense
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.dense import DenseIndex

DOCUMENTS = np.array([[10, 0], [0, 1], [3, 4], [-1, 0]], np.float32)


def test_the_most_similar_are_first_regardless_of_length():
    index = DenseIndex.build(DOCUMENTS, np.arange(4))
    assert len(index) == 4
    np.testing.assert_array_equal(
        index.search(np.array([[1, 0.1], [0, 9]], np.float32), 3), [[0, 2, 1], [1, 2, 0]]
    )


def test_no_more_rows_than_documents():
    np.testing.assert_array_equal(
        DenseIndex.build(DOCUMENTS, np.arange(4)).search(np.array([[1, 0]], np.float32), 100),
        [[0, 2, 1, 3]],
    )


@given(st.integers(0, 2**31), st.integers(1, 40), st.integers(2, 16))
def test_search_equals_sorting_all_cosines(seed: int, count: int, dimension: int):
    rng = np.random.default_rng(seed)
    documents, query = (
        rng.normal(size=(count, dimension)).astype(np.float32),
        rng.normal(size=dimension).astype(np.float32),
    )
    cosine = documents @ query / (np.linalg.norm(documents, axis=1) * np.linalg.norm(query))
    rows = DenseIndex.build(documents, np.arange(count)).search(query[None], 5)[0]
    np.testing.assert_allclose(cosine[rows], np.sort(cosine)[::-1][:5], atol=1e-6)


def test_a_large_index_is_in_a_file_and_finds_the_same(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(0)
    documents, queries = (rng.normal(size=(n, 8)).astype(np.float32) for n in (300, 5))
    documents[200:] = documents[:100]
    in_memory = DenseIndex.build(documents, np.arange(300))
    monkeypatch.setattr(dense, "MEMORY_BYTES", 4 * 8 * 200 - 1)
    in_file = DenseIndex.build(documents, np.arange(300))
    assert isinstance(in_file.vectors, np.memmap)
    assert not isinstance(in_memory.vectors, np.memmap)
    np.testing.assert_array_equal(in_file.vectors, in_memory.vectors)
    np.testing.assert_array_equal(in_file.search(queries, 20), in_memory.search(queries, 20))
    np.testing.assert_array_equal(in_file.products(queries[0]), in_memory.products(queries[0]))


@pytest.mark.parametrize("left_out", [False, True])
def test_a_batch_finds_what_each_of_its_queries_finds_alone(
    monkeypatch: pytest.MonkeyPatch, left_out: bool
):
    monkeypatch.setattr(dense, "DOCUMENT_BATCH", 7)
    monkeypatch.setattr(dense, "QUERY_BATCH", 16)
    rng = np.random.default_rng(0)
    documents = rng.normal(size=(60, 8)).astype(np.float32)
    documents[40:50] = documents[:10]  # documents with the same vector
    queries = rng.normal(size=(45, 8)).astype(np.float32)
    own = rng.integers(-1, 60, size=45) if left_out else None
    index = DenseIndex.build(documents, rng.permutation(60))
    for k in (5, 12, 100):
        alone = [
            index.search(queries[i : i + 1], k, None if own is None else own[i : i + 1])[0]
            for i in range(45)
        ]
        np.testing.assert_array_equal(index.search(queries, k, own), alone)


def test_of_equal_scores_a_batch_and_a_single_query_keep_the_first_vectors():
    """The 256 vectors of ones and minus ones with a common first number have equal products."""
    signs = np.array([(1, *s) for s in itertools.product((1, -1), repeat=8)], np.float32)
    queries = np.repeat(np.eye(9, dtype=np.float32)[:1], 25, 0)
    order = np.random.default_rng(0).permutation(256)
    index = DenseIndex.build(signs, order)
    expected = sorted(np.argsort(order)[:10].tolist())
    for asked in (queries, queries[:1]):
        for rows in index.search(asked, 10):
            assert sorted(rows.tolist()) == expected


WORDS = ("the red apple", "a green pear", "red apple pie", "red apple pie", "nothing of the kind")
LEXICAL = BM25Index([Document(f"d{i}", "", text) for i, text in enumerate(WORDS)])


def test_bm25_finds_documents_that_share_a_word_and_no_others():
    matches = LEXICAL.matches(["apple pie", "pear", "the", "zebra"], 10)
    assert [rows.tolist() for rows in matches] == [
        [2, 3, 0],
        [1],
        [],
        [],
    ]  # of equal scores, d2 is first by the hash of its id; "the" is a stop word


def test_bm25_returns_at_most_k_documents():
    assert [rows.tolist() for rows in LEXICAL.matches(["pie apple"], 2)] == [[2, 3]]


@pytest.mark.parametrize("count", [1, 3, 11, 12])
def test_of_equal_bm25_scores_the_first_ones_by_hash_are_kept(count: int):
    words = ["apple"] * 12 + ["apple apple pie"] + ["pear"] * 40
    documents = [Document(f"d{i}", "", text) for i, text in enumerate(words)]
    by_hash = sorted(range(12), key=lambda i: hashlib.sha256(f"d{i}".encode()).hexdigest())
    for order in (documents, documents[::-1]):
        (rows,) = BM25Index(order).matches(["apple pie"], count + 1)
        assert [order[row].id for row in rows] == ["d12", *(f"d{i}" for i in by_hash[:count])]


def test_a_saved_lexical_index_gives_the_same_results(tmp_path: Path):
    LEXICAL.save(tmp_path / "kept")
    # the texts are ignored, because the index is read
    documents = [Document(f"d{i}", "", "another text") for i in range(len(WORDS))]
    loaded = BM25Index(documents, tmp_path / "kept")
    assert [rows.tolist() for rows in loaded.matches(["apple pie", "zebra"], 10)] == [[2, 3, 0], []]


def test_a_corpus_without_words_matches_nothing():
    assert [
        rows.tolist()
        for rows in BM25Index([Document("d", "", "the ?")]).matches(["the", "pear"], 5)
    ] == [[], []]


@pytest.mark.parametrize(
    ("query", "row"),
    [
        ("北京大学", 0),  # inside a longer text without spaces
        ("東京の大学", 1),
        ("हिन्दी", 2),
        ("CAFE\u0301", 3),
        ("ภาษาไทย", 4),
        ("5,000", 5),
        ("한국어", 6),
    ],
)
def test_bm25_finds_words_of_all_scripts(query: str, row: int):
    texts = (
        "他在北京大学学习人工智能。",
        "私は東京の大学で働いています。",
        "यह किताब हिन्दी में है",
        "Un café noir",
        "เขาเรียนภาษาไทยทุกวัน",
        "The price is 5,000 or 000",
        "나는 한국어 수업을 듣는다",
    )
    index = BM25Index([Document(f"d{i}", "", text) for i, text in enumerate(texts)])
    assert index.matches([query], 7)[0].tolist()[:1] == [row]
