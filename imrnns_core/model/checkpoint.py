"""Adapter files: `NAME.safetensors` with the tensors, their digest and the adapter card.

Two more formats are read: a `.safetensors` file whose card is in `NAME.json` in the same folder,
and `.pt` files of the reference package. The second is also written, without the card.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from imrnns_core.config import AdapterConfig
from imrnns_core.errors import AdapterError
from imrnns_core.io import atomic_write
from imrnns_core.model.adapter_card import CARD_SCHEMA, AdapterCard, newer_schema, read_card
from imrnns_core.model.imrnn import IMRNN
from imrnns_core.model.reference_package import _reference_state, reference_payload
from imrnns_core.model.refined_query import RefinedQuery
from imrnns_core.types import FloatArray

CARD, DIGEST, CARD_DIGEST = "card", "tensors_sha256", "card_sha256"
"""Keys of the file's metadata: the card as JSON, and the digests of its tensors and of itself."""


@dataclass(frozen=True)
class Adapter:
    """An IMRNN in evaluation mode and its card."""

    model: IMRNN
    card: AdapterCard

    def refine(self, query: FloatArray, candidates: FloatArray) -> RefinedQuery:
        """Refine a query for a search engine that has its own vectors.

        Args:
            query: (n,) base embedding of the query.
            candidates: (K, n) base embeddings of the documents that a search with it finds.
        """
        return RefinedQuery.of(self.model, query, candidates)


def save_adapter(adapter: Adapter, path: Path) -> None:
    """Write tensors and card to one `.safetensors` file, atomically.

    Raises:
        AdapterError: If the path has another suffix.
    """
    if path.suffix != ".safetensors":
        raise AdapterError(
            f"{path}: adapters are written as .safetensors; name the file "
            f"{path.with_suffix('.safetensors').name}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.contiguous() for name, tensor in adapter.model.state_dict().items()}
    card = json.dumps(asdict(adapter.card), ensure_ascii=False)
    metadata = {
        CARD: card,
        DIGEST: tensors_digest(state),
        CARD_DIGEST: hashlib.sha256(card.encode()).hexdigest(),
    }
    with atomic_write(path) as temporary:
        # written here: errors of safetensors itself do not say that the disk is full
        temporary.write_bytes(save(state, metadata))


def export_adapter(adapter: Adapter, path: Path) -> None:
    """Write an adapter to a `.safetensors` file, or to a `.pt` file of the reference package.

    Raises:
        AdapterError: If the path has another suffix, or the reference package has no adapters of
            this form.
    """
    if path.suffix != ".pt":
        save_adapter(adapter, path)
        return
    model = adapter.model
    payload = reference_payload(model.state_dict(), model.config, adapter.card)
    path.parent.mkdir(parents=True, exist_ok=True)
    packed = BytesIO()
    torch.save(payload, packed)
    with atomic_write(path) as temporary:
        temporary.write_bytes(packed.getbuffer())


def load_adapter(path: str | Path) -> Adapter:
    """Read a `.safetensors` adapter with its card, or a `.pt` file of the reference package.

    Raises:
        AdapterError: If the file is missing or is not an adapter file, a tensor is missing, has the
            wrong shape or is not finite, or the card does not belong to the tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise AdapterError(
            f"{path}: file not found; train one with: imrnns-lens train DATA --out "
            f"{path.stem}.safetensors"
        )
    if path.suffix == ".safetensors":
        try:
            with safe_open(path, "pt") as stored:
                metadata: dict[str, str] = stored.metadata() or {}
                state = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118, not a dict
        # safetensors raises TypeError for a tensor type that torch does not have
        except (SafetensorError, OSError, TypeError, AttributeError, ValueError) as error:
            raise AdapterError(
                f"{path}: not a safetensors file ({error}); train or copy the adapter again"
            ) from None
        # before the tensors, which may have another form
        if newer := newer_schema(metadata.get(CARD)):
            raise AdapterError(
                f"{path}: a newer version of imrnns-lens wrote this adapter (the schema of its "
                f"card is {newer}, this version reads {CARD_SCHEMA}); update imrnns-lens"
            )
        model = _model(state, path)
        return Adapter(model, _stored_card(path, metadata, state, model.config))
    if path.suffix != ".pt":
        raise AdapterError(
            f"{path}: unknown file type {path.suffix!r}; name a .safetensors file, or a .pt file "
            "of the reference package"
        )
    state, reference = _reference_state(path)
    if sum(tensor.nbytes for tensor in state.values()) > 2 * path.stat().st_size:
        raise AdapterError(f"{path}: its tensors are larger than the file; copy it again")
    model = _model(state, path)
    card = AdapterCard(
        name=path.stem,
        input_dim=model.config.input_dim,
        output_dim=model.config.output_dim,
        encoder=reference.get("encoder_model_name") or reference.get("encoder"),
        recipe=None,
        dataset=reference.get("dataset"),
        source=f"reference package (format {reference['checkpoint_format']})",
    )
    return Adapter(model, card)


def check_dimensions(adapter: Adapter, dimension: int) -> None:
    """Check that the adapter fits embeddings with `dimension` dimensions.

    Raises:
        AdapterError: If it does not.
    """
    expected = adapter.card.input_dim
    if expected != dimension:
        raise AdapterError(
            f"{adapter.card.name}: the adapter expects {expected} dimensions, these embeddings "
            f"have {dimension}; "
            "prepare the data with the adapter's encoder "
            f"({adapter.card.encoder or 'not named in the file'}) or use another adapter"
        )


def _model(state: Mapping[str, Tensor], path: Path) -> IMRNN:
    """Build the IMRNN of a file's tensors; their shapes give the layer sizes.

    Raises:
        AdapterError: If a tensor is missing, has the wrong shape or is not finite.
    """
    try:
        output_dim, input_dim = state["projector.weight"].shape
        query_dims, document_dims = (
            (
                state[f"{adapter}.layers.0.weight"].shape[0],
                state[f"{adapter}.layers.2.weight"].shape[0],
            )
            for adapter in ("query_adapter", "document_adapter")
        )
        config = AdapterConfig(
            input_dim,
            output_dim,
            document_dims,
            None if query_dims == document_dims else query_dims,
        )
        # a tensor without values can have any number of rows, which would take memory here; what
        # merely lacks a tensor is named below
        if config.parameters > 2 * sum(tensor.numel() for tensor in state.values()):
            raise ValueError("they have fewer values than their shapes need")
        model = IMRNN(config)
        model.load_state_dict(dict(state))
    except KeyError as error:
        raise AdapterError(
            f"{path}: tensor {error.args[0]!r} is missing; train or copy the adapter again"
        ) from None
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        raise AdapterError(
            f"{path}: the tensors do not fit together ({' '.join(str(error).split())}); train "
            "or copy the adapter again"
        ) from None
    for name, tensor in model.state_dict().items():
        if not tensor.isfinite().all():
            raise AdapterError(
                f"{path}: tensor {name!r} holds NaN or infinity; train or copy the adapter again"
            )
    return model.eval().requires_grad_(False)


def tensors_digest(state: Mapping[str, Tensor]) -> str:
    """Return a SHA-256 of the names, shapes and values of the tensors."""
    sha = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        # the bytes as they are stored, without a conversion of the values
        sha.update(tensor.contiguous().flatten().view(torch.uint8).numpy().data)
    return sha.hexdigest()


def _stored_card(
    path: Path, metadata: Mapping[str, str], state: Mapping[str, Tensor], config: AdapterConfig
) -> AdapterCard:
    """Return the card in the file's metadata, or else the one in `NAME.json`.

    Raises:
        AdapterError: If the card is damaged or does not belong to the tensors.
    """
    json_path = path.with_suffix(".json")
    card_path = path if CARD in metadata or not json_path.is_file() else json_path
    try:
        text = metadata.get(CARD) or (
            json_path.read_text(encoding="utf-8") if card_path == json_path else None
        )
        if text is None:
            if metadata.keys() & {DIGEST, CARD_DIGEST}:
                raise ValueError("it is missing")
            return AdapterCard(path.stem, config.input_dim, config.output_dim)
        record = json.loads(text)
        written = metadata.get(CARD_DIGEST)  # older versions wrote none
        if written not in (None, hashlib.sha256(text.encode()).hexdigest()):
            raise ValueError("it has changed since it was written")
        # a separate card file has the digest in its own record
        digest = metadata.get(DIGEST) or record.get(DIGEST)
        card = read_card(record)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        remedy = (
            "train or copy the adapter again" if card_path == path else "copy it again or delete it"
        )
        raise AdapterError(f"{card_path}: not an adapter card ({error}); {remedy}") from None
    if digest is not None and digest != tensors_digest(state):
        raise AdapterError(
            f"{card_path}: the card does not belong to the tensors in {path.name}; train or copy "
            "the adapter again"
        )
    if (card.input_dim, card.output_dim) != (config.input_dim, config.output_dim):
        raise AdapterError(
            f"{card_path}: the card says {card.input_dim}→{card.output_dim} dimensions, the "
            "tensors have "
            f"{config.input_dim}→{config.output_dim}; train or copy the adapter again"
        )
    return card
