"""The files of a sentence-transformers model in a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

from imrnns_core.errors import EncoderError

_MODEL_FILES = (".safetensors", ".bin", ".json", ".txt", ".model")
_TOKENIZERS = (
    *("tokenizer.json", "vocab.txt", "vocab.json", "tokenizer.model"),
    *("spiece.model", "sentencepiece.bpe.model"),
)


def model_digest(folder: Path) -> str:
    """Return the SHA-256 of the files of a model."""
    sha = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.suffix in _MODEL_FILES):
        with path.open("rb") as handle:
            sha.update(hashlib.file_digest(handle, "sha256").digest())
    return sha.hexdigest()


def check_tokenizer(folder: Path) -> None:
    """Check that a model has a tokenizer: transformers would use one that knows no word.

    Raises:
        EncoderError: If it has none.
    """
    if not any(path.name in _TOKENIZERS for path in folder.rglob("*")):
        raise EncoderError(
            f"encoder {str(folder)!r} has no tokenizer (such as tokenizer.json); copy the whole "
            "folder of the model"
        )
