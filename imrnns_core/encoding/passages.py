"""Splitting documents that an encoder does not read whole into passages that it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from imrnns_core.data.records import Document
from imrnns_core.encoding.encoder import Encoder
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError

if TYPE_CHECKING:
    from semantic_text_splitter import TextSplitter

LONGEST_TITLE = 0.5
"""Each passage repeats the title, unless that needs more than this share of the tokens."""


@dataclass(frozen=True)
class Part:
    """A passage of a document.

    Attributes:
        row: The corpus row of the document.
        start: Where the passage starts in the text that was split, in characters.
        end: Where it ends.
        titled: Whether the title of the document is read before the passage. If not, the title was
            split with the text.
    """

    row: int
    start: int
    end: int
    titled: bool

    def of(self, document: Document) -> Document:
        """Return the passage, with id and title of its document."""
        if self.titled:
            return replace(document, text=document.text[self.start : self.end])
        whole = f"{document.title}\n{document.text}"
        return replace(document, title="", text=whole[self.start : self.end])


def split_long(encoder: Encoder, documents: Sequence[Document]) -> list[Part]:
    """Return the passages of all documents that the encoder does not read whole.

    They end where a section, a paragraph or a sentence does, if that is possible, and the encoder
    reads each of them whole, with the title of the document.

    Raises:
        EncoderError: If the encoder has no tokenizer, or reads too few tokens.
    """
    if not isinstance(encoder, SentenceTransformerEncoder):
        raise EncoderError(
            f"{encoder.spec.name}: passages need an encoder of sentence-transformers, whose "
            "tokenizer shows what it reads; use --no-passages"
        )

    @cache
    def splitter(capacity: int) -> TextSplitter:
        from semantic_text_splitter import TextSplitter  # only long documents need it

        if capacity < 1:
            raise EncoderError(
                f"{encoder.spec.name} reads {encoder.max_tokens} tokens, too few for a passage; "
                "use --no-passages"
            )
        return TextSplitter.from_huggingface_tokenizer(encoder.tokenizer, capacity)

    limit, parts = encoder.max_tokens, list[Part]()
    for row in np.flatnonzero(encoder.count_tokens(documents) > limit).tolist():
        document = documents[row]
        untitled, titled = encoder.count_tokens(
            [replace(document, title="", text=""), replace(document, text="")]
        ).tolist()
        repeats = titled - untitled <= LONGEST_TITLE * limit
        text = document.text if repeats else f"{document.title}\n{document.text}"
        chunks = splitter(limit - (titled if repeats else untitled)).chunk_indices(text)
        parts += [Part(row, start, start + len(chunk), repeats) for start, chunk in chunks]
    return parts
