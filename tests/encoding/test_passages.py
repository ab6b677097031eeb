"""Long documents are split into passages that the encoder reads whole."""

from __future__ import annotations

import numpy as np
import pytest

from imrnns_core.data.records import Document
from imrnns_core.encoding.lengths import Lengths
from imrnns_core.encoding.passages import split_long
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError
from tests.toys import FakeEncoder

SENTENCES = [f"Sentence {i} says what rule {i} of the house is about." for i in range(120)]
ENCODER = SentenceTransformerEncoder()


def split(document: Document) -> list[Document]:
    return [part.of(document) for part in split_long(ENCODER, [document])]


def test_a_document_that_fits_is_not_split():
    short = Document("d", "Rules", " ".join(SENTENCES[:5]))
    assert split_long(ENCODER, [short, Document("e", "", "")]) == []


def test_passages_fit_and_nothing_is_lost():
    document = Document("d", "Rules of the house", " ".join(SENTENCES))
    parts = split(document)
    assert len(parts) > 5
    assert {part.id for part in parts} == {"d"}
    assert {part.title for part in parts} == {"Rules of the house"}
    assert " ".join(part.text for part in parts) == document.text
    assert ENCODER.count_tokens(parts).max() <= ENCODER.max_tokens
    # they end at the end of a sentence
    assert all(part.text.endswith(".") for part in parts)


def test_a_title_that_is_too_long_is_split_with_the_text():
    document = Document("d", " ".join(SENTENCES[:20]), " ".join(SENTENCES[20:60]))
    parts = split(document)
    assert {part.title for part in parts} == {""}
    assert "".join(p.text for p in parts).split(".")[-2].endswith("rule 59 of the house is about")
    assert parts[0].text.startswith("Sentence 0")
    assert ENCODER.count_tokens(parts).max() <= ENCODER.max_tokens


def test_places_count_characters_not_bytes():
    text = " ".join(f"Größe und Maß {i} für Äpfel: 苹果。" for i in range(120))
    parts = split_long(ENCODER, [Document("x", "", "short"), Document("d", "Tür", text)])
    assert {part.row for part in parts} == {1}
    assert all(text[part.start : part.end].strip() for part in parts)
    assert parts[-1].end == len(text)


def test_an_encoder_without_a_tokenizer_is_refused():
    with pytest.raises(EncoderError, match="passages need an encoder of sentence-transformers"):
        split_long(FakeEncoder(), [Document("d", "", "text")])


def test_lengths():
    lengths = Lengths(np.array([10, 300, 356]), 256)
    assert lengths.cut.tolist() == [1, 2]
    assert lengths.share_not_read == pytest.approx((44 + 100) / 666)
    assert lengths.is_known
