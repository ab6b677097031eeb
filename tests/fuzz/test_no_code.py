"""No file is unpickled, and no model brings code: by reading the sources, and by trying it."""

from __future__ import annotations

import ast
import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from imrnns_core.config import EncoderSpec
from imrnns_core.data.embedding_files import read_embeddings
from imrnns_core.encoding.sentence_transformers import SentenceTransformerEncoder
from imrnns_core.errors import EncoderError, LensError
from imrnns_core.model.checkpoint import load_adapter

ROOT = Path(__file__).parents[2]
FORBIDDEN = ("pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle", "pandas.read_pickle")
OWN_PICKLES = {"imrnns_core/scale/ray_cluster.py"}
"""Between processes of one run: they are read from no file."""


def calls() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the file, the name and the constant keyword arguments of each call."""
    for folder in ("imrnns_core", "dashboard", "sample_data"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            own = path.relative_to(ROOT).as_posix()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, (ast.Import, ast.ImportFrom)):
                    for name in node.names:
                        yield own, f"import {getattr(node, 'module', None) or name.name}", {}
                if isinstance(node, (ast.Call, ast.Attribute)):
                    given = node.keywords if isinstance(node, ast.Call) else []
                    constants = {
                        k.arg or "**": k.value.value if isinstance(k.value, ast.Constant) else None
                        for k in given
                    }
                    function = node.func if isinstance(node, ast.Call) else node
                    yield own, ast.unparse(function), constants


def test_no_module_unpickles():
    for own, name, _ in calls():
        if own not in OWN_PICKLES:
            first = name.removeprefix("import ").split(".")[0]
            assert first not in FORBIDDEN, (own, name)
            assert not name.endswith(("read_pickle", "cloudpickle.loads")), (own, name)


def test_numpy_torch_and_models_load_without_code():
    loads = [(own, name, given) for own, name, given in calls() if given or "(" in name]
    arrays = [(own, given) for own, name, given in loads if name == "np.load"]
    tensors = [(own, given) for own, name, given in loads if name == "torch.load"]
    assert len(arrays) >= 8
    assert len(tensors) >= 2
    assert all(given.get("allow_pickle") is False for _, given in arrays), arrays
    assert all(given.get("weights_only") is True for _, given in tensors), tensors
    assert not [own for own, _, given in loads if "trust_remote_code" in given]
    bare = [own for own, name, given in calls() if name == "torch.load" and not given]
    assert len(bare) == len(tensors)  # the attribute of each of these calls, and no other


class Touch:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.touch, (self.path,)


HOSTILE: dict[str, Callable[[Path, Any], object]] = {
    "documents.npy": lambda path, own: np.save(path, np.array([own], object), allow_pickle=True),
    "a.npz": lambda path, own: np.savez(path, documents=np.array([own], object)),
    "a.pt": lambda path, own: torch.save({"model_state": own}, path),
    "b.pt": lambda path, own: path.write_bytes(pickle.dumps(own)),
    "a.safetensors": lambda path, own: path.write_bytes(pickle.dumps(own)),
    "a.parquet": lambda path, own: path.write_bytes(pickle.dumps(own)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_pickle_is_refused_and_does_not_run(tmp_path: Path, name: str):
    trace = tmp_path / "ran"
    HOSTILE[name](tmp_path / name, Touch(trace))
    (tmp_path / "document_ids.txt").write_text("d1\n")
    path = tmp_path if name.endswith(".npy") else tmp_path / name
    read = load_adapter if path.suffix in (".pt", ".safetensors") else read_embeddings
    with pytest.raises(LensError):
        read(path)
    assert not trace.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("modules.json", [{"idx": 0, "name": "0", "path": "", "type": "evil.Evil"}]),
        ("config.json", {"model_type": "bert", "auto_map": {"AutoModel": "evil.Evil"}}),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil.Evil", None]}}),
        ("1_Pooling/config.json", {"trust_remote_code": True}),
    ],
)
def test_a_model_with_code_is_refused(tmp_path: Path, name: str, content: Any):
    folder, trace = tmp_path / "model", tmp_path / "ran"
    (folder / "1_Pooling").mkdir(parents=True)
    code = f"open({str(trace)!r}, 'w')\nclass Evil:\n    load = classmethod(lambda *a, **k: None)\n"
    (folder / "evil.py").write_text(code)
    (folder / name).write_text(json.dumps(content))
    with pytest.raises(EncoderError, match="which is never run"):
        _ = SentenceTransformerEncoder(EncoderSpec(str(folder))).model
    assert not trace.exists()
    shutil.rmtree(folder)
