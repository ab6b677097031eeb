"""Each cause on a small collection for it, with the real encoder."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.config import AdapterConfig, SearchConfig
from imrnns_core.data.records import Document
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.evaluation.diagnosis import Diagnosis, _keyword_mismatch, diagnose
from imrnns_core.evaluation.evaluate import evaluate
from imrnns_core.model.adapter_card import AdapterCard
from imrnns_core.model.checkpoint import Adapter
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.retrieval.bm25 import BM25Index
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.workspace import Workspace

FILLER = (
    "The committee met on a grey morning and went through the minutes of the last meeting, "
    "item by item, without haste. "
) * 18
BRIDGE = (
    "The iron bridge at Xqzwvblorp carries the road to the harbour over the river, on four stone "
    "piers."
)


def diagnosed(
    tmp_path: Path,
    documents: dict[str, str],
    query: str,
    judged: dict[str, int],
    candidates: int = 100,
) -> Diagnosis:
    folder = tmp_path / "case"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        "".join(json.dumps({"_id": i, "text": t}) + "\n" for i, t in documents.items())
    )
    (folder / "queries.jsonl").write_text(json.dumps({"_id": "q", "text": query}) + "\n")
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\n" + "".join(f"q\t{d}\t{g}\n" for d, g in judged.items())
    )
    space = Workspace(tmp_path / "space")
    collection = space.open(space.resolve(str(folder)))
    model = IMRNN(AdapterConfig(384, 384)).eval().requires_grad_(False)
    ranker = Ranker(
        collection,
        Adapter(model, AdapterCard("fresh", 384, 384)),
        SearchConfig(candidates=candidates),
    )
    evaluation = evaluate(ranker, "test", lexical=BM25Index(collection.dataset.documents))
    assert evaluation.bm25 is not None
    return diagnose(ranker, evaluation, evaluation.bm25)[0]


def causes(diagnosis: Diagnosis) -> list[str]:
    return [finding.cause for finding in diagnosis.findings]


def test_a_relevant_top_document_needs_no_cause(tmp_path: Path) -> None:
    found = diagnosed(
        tmp_path,
        {"a": "Paris is the capital of France.", "b": "Whales are mammals."},
        "capital of France",
        {"a": 1},
    )
    assert (found.ranks, found.bm25_rank, causes(found), found.outcome) == (
        (1, 1, 1, 1),
        1,
        [],
        "unchanged",
    )


def test_no_relevant_candidate(tmp_path: Path) -> None:
    documents = {"a": "Paris is the capital of France.", "b": "Whales are mammals."}
    found = diagnosed(tmp_path, documents, "capital of France", {"b": 1}, candidates=1)
    assert found.outcome == "not retrieved"
    assert found.ranks == (0, 0, 0, 0)
    assert found.findings[0].cause == "not among the candidates"
    # the toy's adapter keeps the order of the base
    assert found.findings[0].sentence == (
        "No relevant document was retrieved in the top 1, so re-ranking them cannot help. In the "
        "whole corpus, the adapter ranks the best one at 2."
    )


def test_a_document_that_the_adapter_finds_in_the_whole_corpus(scifact_ranker: Ranker) -> None:
    """Queries of which no relevant document is among the candidates; ranks of all documents."""
    config = replace(scifact_ranker.config, candidates=5)
    ranker = Ranker(scifact_ranker.collection, scifact_ranker.adapter, config)
    dataset, by_cause = ranker.collection.dataset, Counter[str]()
    evaluation = evaluate(ranker, "dev", top_k=5, lexical=BM25Index(dataset.documents))
    assert evaluation.bm25 is not None
    for found in diagnose(ranker, evaluation, evaluation.bm25):
        if found.ranks[0] or found.ranks[-1]:
            continue
        comparison = ranker.compare(found.query_id)
        best = min(
            ranker.corpus_ranks(comparison, document_id)["modulated"]
            for document_id, grade in comparison.judgments.items()
            if grade > 0 and document_id in dataset.document
        )
        cause = "found only in the whole corpus" if best <= 5 else "not among the candidates"
        assert found.findings[0].cause == cause
        assert f"ranks the best one at {best:,}." in found.findings[0].sentence
        by_cause[cause] += 1
    assert min(by_cause.values()) > 0
    assert len(by_cause) == 2


def test_truncated_text_and_keyword_mismatch(tmp_path: Path) -> None:
    documents = {
        "long": FILLER + "The zyzzogeton leafhopper was drawn by Ada.",
        "b": "Painters of insects, and their sketches of hoppers.",
        "c": "Insects of meadows.",
    }
    found = diagnosed(
        tmp_path, documents, "who drew the zyzzogeton leafhopper", {"long": 2, "b": 0}
    )
    assert found.ranks[-1] > 1
    assert found.bm25_rank == 1
    assert "truncated text" in causes(found)
    assert "keyword mismatch" in causes(found)
    sentence = next(f.sentence for f in found.findings if f.cause == "truncated text")
    assert sentence.startswith("The encoder read only the first 256 of the ")
    assert int(sentence.split(" of the ")[1].split()[0]) > 400
    assert sentence.endswith(
        "tokens of document long. “zyzzogeton” and “leafhopper” occur only in the part it did not "
        "read."
    )


def test_a_base_that_is_as_good_as_bm25_is_no_keyword_mismatch() -> None:
    assert not _keyword_mismatch((1, 3, 3, 5), 1, "modulated", None)
    assert not _keyword_mismatch((2, 1), 2, "modulated", None)
    (found,) = _keyword_mismatch((4, 3, 3, 5), 1, "modulated", None)
    assert found.sentence.startswith(
        "BM25 has a relevant document at rank 1, but the best one of the modulated ranking is at "
        "rank 5:"
    )


def test_a_word_without_a_token_is_unfamiliar(tmp_path: Path) -> None:
    documents = {"a": "A town on a river.", "b": "A river in Siam.", "c": "Whales are mammals."}
    found = diagnosed(tmp_path, documents, "river \u1305\u1265", {"c": 1, "b": 0})
    assert "unfamiliar words" in causes(found)
    sentence = next(f.sentence for f in found.findings if f.cause == "unfamiliar words")
    assert sentence == "The encoder cannot read “\u1305\u1265”: it has no token for it."
    counts = dict(SentenceTransformerEncoder().tokens_per_word("river \u1305\u1265"))
    assert counts == {"river": 1, "\u1305\u1265": 0}


def test_truncation_without_query_words_is_no_cause(tmp_path: Path) -> None:
    documents = {
        "long": "The zyzzogeton leafhopper. " + FILLER,
        "b": "A zyzzogeton leafhopper was drawn by Ada.",
    }
    found = diagnosed(tmp_path, documents, "who drew the zyzzogeton leafhopper", {"long": 1})
    assert found.ranks[-1] == 2
    assert causes(found) == ["unfamiliar words", "top document unjudged"], (
        "the commonest finding comes last"
    )


def test_the_read_and_the_cut_part_make_up_the_text() -> None:
    encoder = SentenceTransformerEncoder()
    document = Document("d", "Title", FILLER)
    read, cut = encoder.split_at_limit(document)
    assert read + cut == f"Title\n{FILLER}"
    same = encoder.encode_formatted([read, read + cut])
    np.testing.assert_allclose(same[0], same[1], atol=1e-6)
    assert encoder.split_at_limit(Document("d", "", "short")) == ("short", "")


def test_near_duplicate_and_unfamiliar_words(tmp_path: Path) -> None:
    documents = {
        "right": f"{BRIDGE} It was opened in 1931 by the mayor.",
        "twin": f"{BRIDGE} It was opened in 1913 by the mayor.",
    }
    query = "iron bridge at Xqzwvblorp opened in 1913, the Xqzwvblorp bridge"
    found = diagnosed(tmp_path, documents, query, {"right": 1, "twin": 0})
    assert found.ranks[-1] == 2
    assert {"near-duplicate ranked higher", "unfamiliar words"} <= set(causes(found))
    assert "twin is ranked above the relevant document right" in next(
        f.sentence for f in found.findings if f.cause == "near-duplicate ranked higher"
    )
    unknown = next(f.sentence for f in found.findings if f.cause == "unfamiliar words")
    assert (
        unknown
        == "The encoder does not know “Xqzwvblorp” as a whole word and splits it into fragments."
    ), "once, however often it is asked"


def test_an_unjudged_top_document(tmp_path: Path) -> None:
    documents = {
        "a": "Paris is the capital of France.",
        "b": "France is a country whose capital lies on the Seine.",
    }
    found = diagnosed(tmp_path, documents, "Paris capital of France", {"b": 1})
    assert found.ranks[-1] == 2
    assert "top document unjudged" in causes(found)
    assert "The top document, a, has not been judged" in " ".join(
        f.sentence for f in found.findings
    )


@pytest.mark.parametrize("judged", [{"a": 1}, {"b": 1}])
def test_the_change_is_modulated_minus_base(tmp_path: Path, judged: dict[str, int]) -> None:
    found = diagnosed(tmp_path, {"a": "Paris.", "b": "Whales."}, "whale", judged)
    assert found.change == 0.0
