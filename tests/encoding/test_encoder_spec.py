"""The prompts and the weights of a model in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.encoding.bundled import BUNDLED_NAME
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder, encoder_spec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    prompts = {"query": "query: ", "passage": "passage: ", "other": "x"}
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    return tmp_path


def test_the_prompts_of_the_model_are_used(folder: Path) -> None:
    spec = encoder_spec(str(folder))
    assert (spec.query_prefix, spec.document_prefix) == ("query: ", "passage: ")
    own = encoder_spec(str(folder), query_prefix="", document_prefix="text: ")
    assert (own.query_prefix, own.document_prefix) == ("", "text: ")


def test_a_model_without_prompts_has_no_prefix(folder: Path) -> None:
    (folder / "config_sentence_transformers.json").write_text("{")
    assert encoder_spec(str(folder)) == EncoderSpec(str(folder))
    assert encoder_spec() == EncoderSpec(BUNDLED_NAME)


def test_a_relative_folder_becomes_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    assert encoder_spec(folder.name).name == str(folder)


def test_other_weights_at_the_same_path_have_another_digest(folder: Path) -> None:
    def digest() -> str:
        return SentenceTransformerEncoder(EncoderSpec(str(folder))).weights_digest

    before = digest()
    assert before == digest() != ""
    (folder / "model.safetensors").write_bytes(b"weightz")
    assert digest() != before
    assert SentenceTransformerEncoder().weights_digest == ""
