"""Records of a document and of a query."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from imrnns_core.config import LONGEST_TYPED
from imrnns_core.data.recognition import text_hash
from imrnns_core.data.shingles import words_of
from imrnns_core.errors import LensError

ACCENTS = re.compile("[\u0300-\u036f]")
"""Accents of decomposed letters; that of the Turkish İ stays beside the i in lower case."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document of the corpus; subject and address are empty if the collection has none."""

    id: str
    title: str
    text: str
    subject: str = ""
    url: str = ""

    @property
    def body(self) -> str:
        """The text, or the title if the text is empty."""
        return self.text.strip() or self.title.strip()

    @property
    def text_hash(self) -> str:
        """The hash of title and text; the same document has it in every data set."""
        return text_hash(f"{self.title} {self.text}")


@dataclass(frozen=True, slots=True)
class Query:
    """A query; `id` is empty if the user typed it."""

    id: str
    text: str

    @property
    def text_hash(self) -> str:
        """The hash of its words; neither case nor punctuation changes it."""
        return text_hash(" ".join(words_of(self.text)))

    @property
    def letters_hash(self) -> str:
        """The hash of its letters and digits.

        Case, accents, blanks and punctuation do not change it, not even within words. A text
        without letters and digits, such as one of emojis, is named by all its characters.
        """
        bare = ACCENTS.sub("", unicodedata.normalize("NFKD", self.text))
        # the lower case of a Turkish I without a dot is ı
        return text_hash("".join(words_of(bare)).replace("ı", "i") or self.text)

    @property
    def known_hashes(self) -> frozenset[str]:
        """The hashes by which cards of this version and of older ones name the query."""
        return frozenset((self.letters_hash, self.text_hash, text_hash(self.text)))


def check_typed(text: str) -> None:
    """Check the length of a question that was typed.

    Raises:
        LensError: If it has more than `LONGEST_TYPED` characters.
    """
    if len(text) > LONGEST_TYPED:
        raise LensError(
            f"the question has {len(text):,} characters; type at most {LONGEST_TYPED:,}, because "
            "an encoder reads only the beginning"
        )
