"""Adapter files: `NAME.safetensors`, which holds the tensors, their digest and the adapter's card.

Two older kinds are read and never written: a `.safetensors` file with its card in `NAME.json`
beside it, and files of the reference package.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.errors import AdapterError
from imrnns_core.io import atomic_write
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.model.reference_package import _reference_state

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

CARD_SCHEMA = 2
"""Cards of schema 1 are read, too: they hold the outcome of training under "measures"."""
Shipped = Literal["identity", "start", "trained", "refit"]
CARD, DIGEST = "card", "tensors_sha256"
"""Keys of the file's metadata.

The card as JSON, and the digest of the tensors that it belongs to.
"""


@dataclass(frozen=True)
class TrainingOutcome:
    """What a training run chose, and what validation measured.

    Attributes:
        shipped: What the adapter is: the identity, the initial model, the trained weights, or
            weights trained once more on all judged queries.
        best_epoch: The epoch that validation chose; 0 is the initial model.
        validation: The validation measure of the shipped model, None where nothing was validated.
        base_validation: The same measure of the base ranking.
        start: How the initial model was made, and what was measured to choose it.
        notes: What a reader of the card should know.
    """

    shipped: Shipped = "identity"
    best_epoch: int = 0
    validation: float | None = None
    base_validation: float | None = None
    start: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class AdapterCard:
    """What is known about an adapter.

    `training_positives` are the ids of the documents that were positives in training: they tell
    seen from unseen queries. None where nobody wrote them down, as in files of the reference
    package.
    """

    name: str
    input_dim: int
    output_dim: int
    encoder: str | None = None
    recipe: str | None = None
    dataset: str | None = None
    dataset_digest: str | None = None
    train_split: str | None = None
    training_positives: list[str] | None = None
    config: dict[str, Any] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    outcome: TrainingOutcome | None = None
    source: str | None = None
    schema: int = CARD_SCHEMA


@dataclass(frozen=True)
class Adapter:
    """A loaded IMRNN in evaluation mode, and its card."""

    model: IMRNN
    card: AdapterCard


def save_adapter(adapter: Adapter, path: Path) -> None:
    """Write tensors and card to one file, `path` (….safetensors), at once or not at all."""
    if path.suffix != ".safetensors":
        raise AdapterError(
            f"{path}: adapters are written as .safetensors; name the file "
            f"{path.with_suffix('.safetensors').name}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.contiguous() for name, tensor in adapter.model.state_dict().items()}
    metadata = {
        CARD: json.dumps(asdict(adapter.card), ensure_ascii=False),
        DIGEST: tensors_digest(state),
    }
    with atomic_write(path) as temporary:
        save_file(state, temporary, metadata)


def load_adapter(path: Path) -> Adapter:
    """Read a `.safetensors` adapter with its card, or a `.pt` file of the reference package.

    Raises AdapterError for a missing file, anything but tensors in a `.pt`, and tensors that are
    missing or of the wrong shape.
    """
    if not path.is_file():
        raise AdapterError(
            f"{path}: file not found; train one with: imrnns-lens train DATA --out "
            f"{path.stem}.safetensors"
        )
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "pt") as stored:
                metadata: dict[str, str] = stored.metadata() or {}
                state = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118, it is no dict
        except (SafetensorError, OSError) as error:
            raise AdapterError(
                f"{path}: not a safetensors file ({error}); train or copy the adapter again"
            ) from None
        model = _model(state, path)
        return Adapter(model, _stored_card(path, metadata, state, model.config))
    if path.suffix != ".pt":
        raise AdapterError(
            f"{path}: unknown kind of file {path.suffix!r}; adapters are .safetensors, or .pt "
            "files of the reference package"
        )
    state, reference = _reference_state(path)
    model = _model(state, path)
    card = AdapterCard(
        name=path.stem,
        input_dim=model.config.input_dim,
        output_dim=model.config.output_dim,
        encoder=reference.get("encoder_model_name") or reference.get("encoder"),
        recipe=None,
        dataset=reference.get("dataset"),
        source=f"reference package, {reference['checkpoint_format']}",
    )
    return Adapter(model, card)


def check_dimensions(adapter: Adapter, dimension: int) -> None:
    """Raise AdapterError if the adapter does not fit embeddings of `dimension`."""
    expected = adapter.card.input_dim
    if expected != dimension:
        raise AdapterError(
            f"{adapter.card.name}: the adapter expects {expected} dimensions, these embeddings "
            f"have {dimension}; "
            "prepare the data with the adapter's encoder "
            f"({adapter.card.encoder or 'not named in the file'}) or take another adapter"
        )


def _model(state: Mapping[str, Tensor], path: Path) -> IMRNN:
    try:
        output_dim, input_dim = state["projector.weight"].shape
        query, document = (
            (
                state[f"{adapter}.layers.0.weight"].shape[0],
                state[f"{adapter}.layers.2.weight"].shape[0],
            )
            for adapter in ("query_adapter", "document_adapter")
        )
        model = IMRNN(
            AdapterConfig(input_dim, output_dim, document, None if query == document else query)
        )
        model.load_state_dict(dict(state))
    except KeyError as error:
        raise AdapterError(
            f"{path}: tensor {error.args[0]!r} is missing; train or copy the adapter again"
        ) from None
    except (RuntimeError, ValueError, IndexError) as error:
        raise AdapterError(
            f"{path}: the tensors do not fit together ({' '.join(str(error).split())}); train "
            "or copy the adapter again"
        ) from None
    damaged = [name for name, tensor in model.state_dict().items() if not tensor.isfinite().all()]
    if damaged:
        raise AdapterError(
            f"{path}: tensor {damaged[0]!r} holds NaN or infinity; train or copy the adapter again"
        )
    return model.eval().requires_grad_(False)


def tensors_digest(state: Mapping[str, Tensor]) -> str:
    """Return a SHA-256 over names, shapes and values of the tensors."""
    sha = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        sha.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()


def read_card(record: Mapping[str, Any]) -> AdapterCard:
    """Return the card of a record of this schema or of schema 1; unknown keys are left out.

    Raises TypeError, ValueError or AttributeError where the record is none.
    """
    outcome = record.get("outcome") or record.get("measures")
    kept = _known(AdapterCard, record) | {
        "outcome": TrainingOutcome(**_known(TrainingOutcome, outcome)) if outcome else None,
        "schema": CARD_SCHEMA,
    }
    return AdapterCard(**kept)


def _known(kind: type[DataclassInstance], record: Mapping[str, Any]) -> dict[str, Any]:
    names = {f.name for f in fields(kind)}
    return {key: value for key, value in record.items() if key in names}


def _stored_card(
    path: Path, metadata: Mapping[str, str], state: Mapping[str, Tensor], config: AdapterConfig
) -> AdapterCard:
    """Return the card in the file or, for a file that has none, the one beside it.

    Check that it is of these tensors.
    """
    beside = path.with_suffix(".json")
    where = path if CARD in metadata or not beside.is_file() else beside
    try:
        text = metadata.get(CARD) or (
            beside.read_text(encoding="utf-8") if where == beside else None
        )
        if text is None:
            return AdapterCard(path.stem, config.input_dim, config.output_dim)
        record = json.loads(text)
        digest = metadata.get(DIGEST) or record.get(DIGEST)
        card = read_card(record)
    except (ValueError, TypeError, AttributeError) as error:
        remedy = (
            "train or copy the adapter again" if where == path else "copy it again or delete it"
        )
        raise AdapterError(f"{where}: not an adapter card ({error}); {remedy}") from None
    if digest is not None and digest != tensors_digest(state):
        raise AdapterError(
            f"{where}: the card is not that of the tensors in {path.name}; train or copy the "
            "adapter again"
        )
    if (card.input_dim, card.output_dim) != (config.input_dim, config.output_dim):
        raise AdapterError(
            f"{where}: the card says {card.input_dim}→{card.output_dim} dimensions, the "
            "tensors have "
            f"{config.input_dim}→{config.output_dim}; train or copy the adapter again"
        )
    return card
