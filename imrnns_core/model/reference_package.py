"""Read and write adapter files of the reference package."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.errors import AdapterError
from imrnns_core.model.adapter_card import AdapterCard

REFERENCE_FORMATS = ("imrnns-final-v1", "imrnns-adapter-only-v1")
_HIDDEN_DIMS = (128, 64)
_MODULE_NAMES = {  # reference package → ours
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


def _reference_state(path: Path) -> tuple[dict[str, Tensor], Mapping[str, Any]]:
    """Return the tensors, under the names of our model, and the metadata of a `.pt` file.

    Raises:
        AdapterError: If it is not an adapter file of a known format.
    """
    remedy = "name a .pt file that has only tensors and plain metadata"
    not_an_adapter = f"{path}: not an adapter of the reference package; {remedy}"
    try:
        with warnings.catch_warnings(action="ignore"):
            payload = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # the unpickler raises errors of many types
        raise AdapterError(not_an_adapter) from None
    metadata = payload.get("metadata") if isinstance(payload, dict) else None
    state = payload.get("model_state") if isinstance(payload, dict) else None
    if not isinstance(metadata, dict) or not isinstance(state, dict):
        raise AdapterError(not_an_adapter)
    if metadata.get("checkpoint_format") not in REFERENCE_FORMATS:
        raise AdapterError(
            f"{path}: format {metadata.get('checkpoint_format')!r} is unknown; known formats: "
            f"{', '.join(REFERENCE_FORMATS)}"
        )
    renamed = {}
    for name, tensor in state.items():
        # "query_norm.weight" → module "query_norm", kind "weight"
        module, _, kind = str(name).rpartition(".")
        if module not in _MODULE_NAMES or not isinstance(tensor, Tensor):
            raise AdapterError(f"{path}: unexpected entry {name!r}; {remedy}")
        renamed[f"{_MODULE_NAMES[module]}.{kind}"] = tensor
    return renamed, metadata


def reference_obstacle(config: AdapterConfig) -> str:
    """Return why the reference package cannot load an adapter of this form; empty if it can."""
    if config.input_dim != config.output_dim:
        return f"its projector turns {config.input_dim} into {config.output_dim} dimensions"
    for hidden in (config.hidden_dims, config.query_hidden_dims or config.hidden_dims):
        if hidden != _HIDDEN_DIMS:
            return f"its hidden layers have {hidden[0]:,} and {hidden[1]:,} units, not 128 and 64"
    return ""


def reference_payload(
    state: Mapping[str, Tensor], config: AdapterConfig, card: AdapterCard
) -> dict[str, Any]:
    """Return the content of a `.pt` file that `imrnns` 0.2.3 loads.

    Raises:
        AdapterError: If the reference package has no adapters of this form.
    """
    if obstacle := reference_obstacle(config):
        raise AdapterError(
            f"{card.name}: the reference package cannot load this adapter, because {obstacle}; "
            "export it as .safetensors"
        )
    theirs = {ours: name for name, ours in _MODULE_NAMES.items()}
    renamed = {}
    for name, tensor in state.items():
        module, _, kind = name.rpartition(".")
        renamed[f"{theirs[module]}.{kind}"] = tensor.contiguous()
    metadata = {
        "checkpoint_format": REFERENCE_FORMATS[0],
        "encoder_model_name": card.encoder,
        "dataset": card.dataset,
        "model_config": {
            "input_dim": config.input_dim,
            "output_dim": config.output_dim,
            "hidden_dim": config.hidden_dims[0],
            "dropout": 0.0,
        },
    }
    known = {name: value for name, value in metadata.items() if value is not None}
    return {"model_state": renamed, "metadata": known}
