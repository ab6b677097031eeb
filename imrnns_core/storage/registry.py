"""The list of registered data sets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from imrnns_core.config import EncoderSpec
from imrnns_core.errors import DataError
from imrnns_core.io import atomic_write


@dataclass(frozen=True)
class Registration:
    """A data set that is registered under a name.

    Attributes:
        name: The name.
        path: The folder or zip of the data set.
        embeddings: The folder of its precomputed embeddings; None if the workspace encodes it.
        encoder: The encoder of the embeddings.
    """

    name: str
    path: Path
    embeddings: Path | None
    encoder: EncoderSpec

    def updated(self, embeddings: Path | None, encoder: EncoderSpec | None) -> Registration:
        """Return the registration with other embeddings or another encoder; None keeps them."""
        return replace(
            self,
            embeddings=embeddings or self.embeddings,
            encoder=encoder or self.encoder,
        )


def read_registry(path: Path) -> dict[str, Registration]:
    """Read the list of data sets; it is empty if the file does not exist.

    Raises:
        DataError: If the file is damaged.
    """
    registrations: dict[str, Registration] = {}
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return registrations
    # an unreadable file is reported like a damaged one
    except (OSError, ValueError):
        text = ""
    try:
        for name, record in json.loads(text).items():
            embeddings = Path(record["embeddings"]) if record["embeddings"] else None
            encoder = EncoderSpec(**record["encoder"])
            registrations[name] = Registration(name, Path(record["path"]), embeddings, encoder)
    except (ValueError, KeyError, TypeError, AttributeError):
        remedy = "delete it and prepare your data sets again"
        raise DataError(path, "not a list of data sets", remedy) from None
    return registrations


def write_registry(path: Path, registrations: Iterable[Registration]) -> None:
    """Write the list of data sets, atomically."""
    record = {
        r.name: {
            "path": str(r.path),
            "embeddings": str(r.embeddings) if r.embeddings else None,
            "encoder": r.encoder.to_json(),
        }
        for r in registrations
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(record, indent=1), encoding="utf-8")
