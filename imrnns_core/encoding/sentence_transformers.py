"""Encoders from the sentence-transformers library."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from safetensors import SafetensorError
from tokenizers import Tokenizer

from imrnns_core.config import EncoderSpec
from imrnns_core.data.records import Document
from imrnns_core.encoding.bundled import (
    BUNDLED_MAX_TOKENS,
    BUNDLED_NAME,
    _bundled_folder,
    bundled_model,
)
from imrnns_core.encoding.encoder import format_document, format_query
from imrnns_core.encoding.model_files import check_tokenizer, model_digest
from imrnns_core.encoding.remote_code import check_no_code
from imrnns_core.errors import EncoderError
from imrnns_core.types import FloatArray, IntArray, Progress

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

BATCH_SIZE = 32
COUNTED = 1000
"""Documents whose tokens are counted together."""
PROMPTS_FILE = "config_sentence_transformers.json"
QUERY_PROMPTS, DOCUMENT_PROMPTS = ("query",), ("document", "passage", "corpus")
"""Names of the prompts that sentence-transformers uses in `encode_query` and `encode_document`."""

_LOADING_LOCK = threading.Lock()
"""While it loads a model, transformers changes global settings of torch: load one at a time."""


def encoder_spec(
    name: str = BUNDLED_NAME, query_prefix: str | None = None, document_prefix: str | None = None
) -> EncoderSpec:
    """Return the settings of an encoder; a prefix that is None is the model's own prompt.

    Args:
        name: A folder, a hub name, the bundled encoder, or an endpoint. The folder becomes
            absolute, because later commands run in other folders.
        query_prefix: Text before each query.
        document_prefix: Text before each document.
    """
    # a folder with the name of the bundled encoder does not replace it
    if name != BUNDLED_NAME and Path(name).expanduser().is_dir():
        name = str(Path(name).expanduser().resolve())
    prompts = {} if "://" in name else own_prompts(name)  # an endpoint names no prompts
    return EncoderSpec(
        name,
        query_prefix=_first(prompts, QUERY_PROMPTS) if query_prefix is None else query_prefix,
        document_prefix=(
            _first(prompts, DOCUMENT_PROMPTS) if document_prefix is None else document_prefix
        ),
    )


def own_prompts(name: str) -> Mapping[str, str]:
    """Return the prompts of a model by their names; empty if it has none or cannot be read."""
    if name == BUNDLED_NAME:
        return {}
    from transformers.utils.hub import cached_file

    try:
        path = cached_file(name, PROMPTS_FILE)
        prompts = (json.loads(Path(path).read_text(encoding="utf-8")) if path else {})["prompts"]
    # a model without prompts, without this file, or out of reach: `model` reports the last
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {key: text for key, text in prompts.items() if isinstance(text, str)}


def _first(prompts: Mapping[str, str], names: Sequence[str]) -> str:
    return next((prompts[name] for name in names if name in prompts), "")


class SentenceTransformerEncoder:
    """A sentence-transformers model: the bundled all-MiniLM-L6-v2, a folder, or a hub name.

    The model is loaded on first use. Several threads may share one encoder. The model's tokenizer
    stores its truncation and padding settings between calls, so each call takes `_tokenizer_lock`
    and sets both.
    """

    def __init__(self, spec: EncoderSpec | None = None) -> None:
        self._spec = spec or EncoderSpec()
        self._model: SentenceTransformer | None = None
        self._tokenizer_lock = threading.Lock()

    def __reduce__(self) -> tuple[type[SentenceTransformerEncoder], tuple[EncoderSpec]]:
        """Return what another process needs to make this encoder: it loads the model itself."""
        return SentenceTransformerEncoder, (self._spec,)

    @property
    def spec(self) -> EncoderSpec:
        """Name of the encoder and its prefixes."""
        return self._spec

    @cached_property
    def weights_digest(self) -> str:
        """SHA-256 of the files of a model in a folder; empty for the bundled and for hub names.

        The weights in a folder can change while its path stays.
        """
        folder = Path(self._spec.name)
        if self._spec.name == BUNDLED_NAME or not folder.is_dir():
            return ""
        return model_digest(folder)

    @property
    def model(self) -> SentenceTransformer:
        """The model, loaded on first use.

        Raises:
            EncoderError: If it cannot be loaded, or the bundled weights have the wrong hash.
        """
        if self._model is None:
            with _LOADING_LOCK:
                # another thread may have loaded it while this one waited for the lock
                self._model = self._model or self._load()
        return self._model

    def _load(self) -> SentenceTransformer:
        source = str(bundled_model()) if self._spec.name == BUNDLED_NAME else self._spec.name
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        # otherwise transformers draws a bar for the tensors of one file
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        if Path(source).is_dir():
            check_no_code(Path(source))
            check_tokenizer(Path(source))
        try:
            model = SentenceTransformer(source, revision=self._spec.revision, device=None)
        except SafetensorError as error:
            raise EncoderError(
                f"encoder {self._spec.name!r}: its weights are damaged ({error}); copy it again"
            ) from None
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise EncoderError(
                f"encoder {self._spec.name!r} cannot be loaded ({reason}); name a folder with "
                "a sentence-transformers model, "
                f"a model of a hub that can be reached, or {BUNDLED_NAME}"
            ) from None
        preprocess = model.preprocess  # `encode` tokenizes each batch with it

        def locked(*args: Any, **options: Any) -> dict[str, Any]:
            with self._tokenizer_lock:
                return preprocess(*args, **options)

        vars(model)["preprocess"] = locked
        return model.eval()

    def tokens(self, text: str, max_tokens: int) -> dict[str, Tensor]:
        """Return the model input of one formatted text with T tokens, as (1, T) tensors.

        It includes the character offsets (1, T, 2) of the tokens. The text is cut off after
        `max_tokens` tokens.

        Raises:
            EncoderError: If the model cannot be loaded.
        """
        with self._tokenizer_lock:
            encoded = self.model.tokenizer(
                text,
                truncation=True,
                max_length=max_tokens,
                return_offsets_mapping=True,
                return_tensors="pt",
            )
        return dict(encoded)

    @property
    def dimension(self) -> int:
        """Number of dimensions n of an embedding."""
        dimension = self.model.get_embedding_dimension()
        assert dimension is not None
        return dimension

    @property
    def max_tokens(self) -> int:
        """Number of tokens that the encoder reads, with special tokens; the rest is cut off."""
        if self._spec.name == BUNDLED_NAME:
            return BUNDLED_MAX_TOKENS
        return int(self.model.max_seq_length or 512)

    def encode_documents(
        self, documents: Sequence[Document], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (N, n) float32 embeddings of documents, of length 1 with `unit`.

        Raises:
            EncoderError: If the model cannot be loaded, or returns NaN or infinity.
        """
        return self.encode_formatted(
            [format_document(self._spec, d) for d in documents], progress, unit
        )

    def encode_queries(
        self, texts: Sequence[str], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (B, n) float32 embeddings of queries, of length 1 with `unit`.

        Raises:
            EncoderError: If the model cannot be loaded, or returns NaN or infinity.
        """
        return self.encode_formatted([format_query(self._spec, t) for t in texts], progress, unit)

    def count_tokens(
        self, documents: Sequence[Document], progress: Progress | None = None
    ) -> IntArray:
        """Return (N,) numbers of tokens of the whole documents, with special tokens."""
        counts: list[int] = []
        # in parts: the tokens of a large corpus take many times the memory of its texts
        for start in range(0, len(documents), COUNTED):
            part = [format_document(self._spec, d) for d in documents[start : start + COUNTED]]
            counts += map(len, self.tokenizer.encode_batch_fast(part))
            if progress:
                progress(len(counts), len(documents))
        return np.array(counts, dtype=np.int64)

    def split_at_limit(self, document: Document) -> tuple[str, str]:
        """Return the part of a formatted document that is read, and the part that is cut off."""
        text = format_document(self._spec, document)
        encoded = self.tokenizer.encode(text)
        spans = [
            span
            for span, special in zip(encoded.offsets, encoded.special_tokens_mask, strict=True)
            if not special
        ]
        # special tokens count towards the limit, but have no place in the text
        limit = self.max_tokens - sum(encoded.special_tokens_mask)
        end = spans[limit][0] if len(spans) > limit else len(text)
        return text[:end], text[end:]

    def tokens_per_word(self, text: str) -> list[tuple[str, int]]:
        """Return each word of a text with its number of tokens; 0 if one of them is unknown."""
        encoded = self.tokenizer.encode(text, add_special_tokens=False)
        words: dict[int, list[tuple[str, tuple[int, int]]]] = {}
        tokens = zip(encoded.word_ids, encoded.tokens, encoded.offsets, strict=True)
        for word, token, offsets in tokens:
            if word is not None:
                words.setdefault(word, []).append((token, offsets))
        unknown = getattr(self.tokenizer.model, "unk_token", None)
        return [
            (text[of[0][1][0] : of[-1][1][1]], len(of) * (unknown not in dict(of)))
            for of in words.values()
        ]

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The encoder's tokenizer, without truncation; the bundled one loads without the model.

        Raises:
            EncoderError: If the model cannot be loaded.
        """
        if self._spec.name == BUNDLED_NAME:
            # without the check of the weights, which a tokenizer does not need
            tokenizer = Tokenizer.from_file(str(_bundled_folder() / "tokenizer.json"))
        else:
            tokenizer = Tokenizer.from_str(self.model.tokenizer.backend_tokenizer.to_str())
        # whole documents must be counted, also the part that is cut off
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def input_embeddings(self) -> Tensor:
        """Return the (V, h) input embeddings of the encoder's V vocabulary tokens."""
        transformer: Any = self.model[0]
        weights: Tensor = transformer.auto_model.get_input_embeddings().weight
        return weights.detach()

    def encode_formatted(
        self, texts: Sequence[str], progress: Progress | None = None, unit: bool = True
    ) -> FloatArray:
        """Return (N, n) float32 embeddings of formatted texts, of length 1 with `unit`.

        Raises:
            EncoderError: If the model cannot be loaded, or returns NaN or infinity.
        """
        # texts of similar length in a batch need little padding
        order = np.argsort([-len(t) for t in texts], kind="stable")
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for start in range(0, len(texts), BATCH_SIZE):
            rows = order[start : start + BATCH_SIZE]
            vectors[rows] = self.model.encode(
                [texts[i] for i in rows],
                batch_size=BATCH_SIZE,
                show_progress_bar=False,
                convert_to_numpy=True,
                normalize_embeddings=unit,
            )
            if not np.isfinite(vectors[rows]).all():
                raise EncoderError(
                    f"encoder {self._spec.name!r} returns vectors with NaN or infinity; its files "
                    "may be damaged: copy it again"
                )
            if progress:
                progress(min(start + BATCH_SIZE, len(texts)), len(texts))
        return vectors
