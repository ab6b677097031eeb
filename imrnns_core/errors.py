"""The exceptions of the package; each message names what is wrong and the remedy, on one line.

LensError                  anything that a user can mend; the command line exits with code 2
├── DataError              a data set, a judgment file or a folder of embeddings
├── EncoderError           an encoder that cannot be found, or is not the one that was named
├── AdapterError           an adapter file that cannot be read, or does not fit the embeddings
├── TrainingError          nothing to train on, or a recipe that does not exist
├── ExplanationError       an explanation that this encoder or this pair cannot give
└── MissingExtraError      packages that an extra of the installation brings
"""

from __future__ import annotations

from pathlib import Path


class LensError(Exception):
    """Base of all errors that a user can mend."""


class DataError(LensError):
    """Say what is wrong in a data file.

    Args:
        path: The file or folder at fault.
        problem: What is wrong, without a full stop.
        remedy: What to do about it.
        line: The line at fault, counted from 1.
    """

    def __init__(
        self, path: Path | str, problem: str, remedy: str, line: int | None = None
    ) -> None:
        self.path, self.problem, self.remedy, self.line = Path(path), problem, remedy, line
        where = f"{path}:{line}" if line is not None else f"{path}"
        super().__init__(f"{where}: {problem}; {remedy}")


class EncoderError(LensError):
    """An encoder cannot be loaded."""


class AdapterError(LensError):
    """An adapter cannot be loaded, or does not fit the embeddings."""


class TrainingError(LensError):
    """Training cannot start."""


class ExplanationError(LensError):
    """An explanation is not available: for this encoder, or for this query and document."""


class MissingExtraError(LensError):
    """Say which extra brings the packages that are not installed.

    Args:
        what: What needs them, as the subject of a sentence.
        extra: The name of the extra.
    """

    def __init__(self, what: str, extra: str) -> None:
        self.extra = extra
        super().__init__(
            f'{what} needs packages that are not installed; run: pip install "imrnns-lens[{extra}]"'
        )
