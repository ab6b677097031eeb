"""Faults of a model's folder that are noticed before a text is encoded."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from imrnns_core.config import EncoderSpec
from imrnns_core.encoding.bundled import bundled_model
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError

WEIGHTS = "model.safetensors"
TOKENIZER = ("tokenizer.json", "vocab.txt")


def copied(folder: Path, *without: str) -> Path:
    return Path(shutil.copytree(bundled_model(), folder, ignore=shutil.ignore_patterns(*without)))


def refusal(folder: Path) -> str:
    with pytest.raises(EncoderError) as caught:
        SentenceTransformerEncoder(EncoderSpec(str(folder))).encode_queries(["hello"])
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("size", [0, 4, 1000, 1_000_000])
def test_truncated_weights_are_refused(tmp_path: Path, size: int):
    folder = copied(tmp_path / "model", WEIGHTS)
    with (bundled_model() / WEIGHTS).open("rb") as handle:
        (folder / WEIGHTS).write_bytes(handle.read(size))
    message = refusal(folder)
    assert message.startswith(f"encoder '{folder}': its weights are damaged (")
    assert message.endswith("); copy it again")


def test_a_folder_without_a_tokenizer_is_refused(tmp_path: Path):
    folder = copied(tmp_path / "model", WEIGHTS, *TOKENIZER)
    (folder / WEIGHTS).symlink_to(bundled_model() / WEIGHTS)
    assert refusal(folder) == (
        f"encoder '{folder}' has no tokenizer (such as tokenizer.json); copy the whole folder of "
        "the model"
    )


def test_a_folder_without_weights_is_refused(tmp_path: Path):
    assert "cannot be loaded" in refusal(copied(tmp_path / "model", WEIGHTS))
