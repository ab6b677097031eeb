"""A check without judgments of whether the training on titles does harm."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from imrnns_core.training.validator import Validator, exceeds_standard_error

HELD_OUT = 300
"""Maximum number of titles, and of sentences, that check a model."""


@dataclass(frozen=True)
class HarmCheck:
    """Held-out titles and sentences, whose own documents are relevant.

    They reveal harm, but they do not show which harmless epoch is best. The number of epochs comes
    from docs/training-study.md.
    """

    titles: Validator
    sentences: Validator

    @property
    def base_value(self) -> float:
        """The mean measure of the base ranking on the titles."""
        return float(self.titles.base_values().mean())

    def is_harmless(self, titles: Tensor, sentences: Tensor) -> bool:
        """Return whether a model is at least as good as the base, from its values (Q,) of both.

        Sentences may be worse by up to their standard error.
        """
        harm = self._sentence_base - sentences
        return float(titles.mean()) >= self.base_value and not exceeds_standard_error(harm)

    @cached_property
    def _sentence_base(self) -> Tensor:
        return self.sentences.base_values()
