"""Adapter files: `NAME.safetensors` beside a JSON card; files of the reference package are read, never written."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from imrnns_core.adapter import IMRNN
from imrnns_core.config import AdapterConfig
from imrnns_core.errors import AdapterError
from imrnns_core.files import replacing

CARD_SCHEMA = 1
REFERENCE_FORMATS = ("imrnns-final-v1", "imrnns-adapter-only-v1")
_REFERENCE_NAMES = {
    "query_hypernet.hypernet.0": "query_adapter.layers.0",
    "query_hypernet.hypernet.3": "query_adapter.layers.2",
    "query_hypernet.hypernet.6": "query_adapter.layers.4",
    "doc_hypernet.hypernet.0": "document_adapter.layers.0",
    "doc_hypernet.hypernet.3": "document_adapter.layers.2",
    "doc_hypernet.hypernet.6": "document_adapter.layers.4",
    "query_norm": "query_norm",
    "doc_norm": "document_norm",
    "projector": "projector",
}


@dataclass(frozen=True)
class AdapterCard:
    """What is known about an adapter.

    `training_positives` are the ids of the documents that were positives in training: they tell seen
    from unseen queries. None where nobody wrote them down, as in files of the reference package.
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
    measures: dict[str, Any] = field(default_factory=dict)
    source: str | None = None
    schema: int = CARD_SCHEMA


@dataclass(frozen=True)
class Adapter:
    """A loaded IMRNN in evaluation mode, and its card."""

    model: IMRNN
    card: AdapterCard


def save_adapter(adapter: Adapter, path: Path) -> None:
    """Write `path` (….safetensors) and the card beside it, each at once or not at all."""
    if path.suffix != ".safetensors":
        raise AdapterError(f"{path}: adapters are written as .safetensors; name the file {path.with_suffix('.safetensors').name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path.with_suffix(".json")) as card, replacing(path) as tensors:
        card.write_text(json.dumps(asdict(adapter.card), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        save_file({name: tensor.contiguous() for name, tensor in adapter.model.state_dict().items()}, tensors)


def load_adapter(path: Path) -> Adapter:
    """Read a `.safetensors` adapter with its card, or a `.pt` file of the reference package.

    Raises AdapterError for a missing file, anything but tensors in a `.pt`, and tensors that are missing
    or of the wrong shape.
    """
    if not path.is_file():
        raise AdapterError(f"{path}: file not found; train one with: imrnns-lens train DATA --out {path.stem}.safetensors")
    if path.suffix == ".safetensors":
        try:
            state = load_file(path)
        except (SafetensorError, OSError) as error:
            raise AdapterError(f"{path}: not a safetensors file ({error}); train or copy the adapter again") from None
        model = _model(state, path)
        return Adapter(model, _read_card(path.with_suffix(".json"), path.stem, model.config))
    if path.suffix != ".pt":
        raise AdapterError(
            f"{path}: unknown kind of file {path.suffix!r}; adapters are .safetensors, or .pt files of the reference package"
        )
    state, metadata = _reference_state(path)
    model = _model(state, path)
    card = AdapterCard(
        name=path.stem,
        input_dim=model.config.input_dim,
        output_dim=model.config.output_dim,
        encoder=metadata.get("encoder_model_name") or metadata.get("encoder"),
        recipe=None,
        dataset=metadata.get("dataset"),
        source=f"reference package, {metadata['checkpoint_format']}",
    )
    return Adapter(model, card)


def check_dimensions(adapter: Adapter, dimension: int) -> None:
    """Raise AdapterError, with both numbers, if the adapter does not fit embeddings of `dimension`."""
    expected = adapter.card.input_dim
    if expected != dimension:
        raise AdapterError(
            f"{adapter.card.name}: the adapter expects {expected} dimensions, these embeddings have {dimension}; "
            f"prepare the data with the adapter's encoder ({adapter.card.encoder or 'not named in the file'}) or take another adapter"
        )


def _reference_state(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    refused = f"{path}: not an adapter of the reference package; only a .pt with tensors and plain metadata is opened"
    try:
        with warnings.catch_warnings(action="ignore"):
            payload = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch raises whatever its unpickler stumbles over
        raise AdapterError(refused) from None
    metadata = payload.get("metadata") if isinstance(payload, dict) else None
    state = payload.get("model_state") if isinstance(payload, dict) else None
    if not isinstance(metadata, dict) or not isinstance(state, dict):
        raise AdapterError(refused)
    if metadata.get("checkpoint_format") not in REFERENCE_FORMATS:
        raise AdapterError(f"{path}: format {metadata.get('checkpoint_format')!r} is unknown; known are {', '.join(REFERENCE_FORMATS)}")
    renamed = {}
    for name, tensor in state.items():
        module, _, kind = str(name).rpartition(".")
        if module not in _REFERENCE_NAMES or not isinstance(tensor, Tensor):
            raise AdapterError(f"{path}: unexpected entry {name!r}; {refused.split('; ')[1]}")
        renamed[f"{_REFERENCE_NAMES[module]}.{kind}"] = tensor.float()
    return renamed, metadata


def _model(state: Mapping[str, Tensor], path: Path) -> IMRNN:
    try:
        output_dim, input_dim = state["projector.weight"].shape
        query, document = (
            (state[f"{adapter}.layers.0.weight"].shape[0], state[f"{adapter}.layers.2.weight"].shape[0])
            for adapter in ("query_adapter", "document_adapter")
        )
        model = IMRNN(AdapterConfig(input_dim, output_dim, document, None if query == document else query))
        model.load_state_dict(dict(state))
    except KeyError as error:
        raise AdapterError(f"{path}: tensor {error.args[0]!r} is missing; train or copy the adapter again") from None
    except (RuntimeError, ValueError, IndexError) as error:
        raise AdapterError(
            f"{path}: the tensors do not fit together ({' '.join(str(error).split())}); train or copy the adapter again"
        ) from None
    return model.eval().requires_grad_(False)


def _read_card(path: Path, name: str, config: AdapterConfig) -> AdapterCard:
    if not path.is_file():
        return AdapterCard(name, config.input_dim, config.output_dim)
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        known = {f.name for f in fields(AdapterCard)}
        card = AdapterCard(**{key: value for key, value in record.items() if key in known})
    except (ValueError, TypeError, AttributeError) as error:
        raise AdapterError(f"{path}: not an adapter card ({error}); copy it again or delete it") from None
    if (card.input_dim, card.output_dim) != (config.input_dim, config.output_dim):
        raise AdapterError(
            f"{path}: the card says {card.input_dim}→{card.output_dim} dimensions, the tensors have "
            f"{config.input_dim}→{config.output_dim}; copy both files of the adapter again"
        )
    return card
