"""Encode the texts of a data set on the machines of a Ray cluster.

Ray Data hands each shard to a process that is free, and gives it to another one if that process or
its machine ends. Only the machine that runs `prepare` writes to the workspace, so the machines need
no common disk; each of them needs this package, and the encoder under the same name or path.
Source: https://docs.ray.io/en/latest/data/transforming-data.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np

from imrnns_core.errors import LensError, MissingExtraError
from imrnns_core.types import FloatArray

Text = TypeVar("Text")


class RayCluster:
    """A running Ray cluster.

    Args:
        address: Its address, such as 10.0.0.1:6379; "auto" finds the one of this machine.

    Raises:
        MissingExtraError: If Ray is not installed.
        LensError: If no cluster answers at the address.
    """

    def __init__(self, address: str) -> None:
        if find_spec("ray") is None:
            raise MissingExtraError("--ray", "scale")
        import ray

        if not ray.is_initialized():
            try:
                ray.init(
                    address=address,
                    logging_level=logging.ERROR,
                    log_to_driver=False,
                )
            except (ConnectionError, ValueError, RuntimeError) as error:
                reason = str(error).splitlines()[0]
                raise LensError(
                    f"no Ray cluster answers at {address} ({reason}); start one with: ray start "
                    "--head"
                ) from None

    def encode(
        self,
        encode: Callable[[Sequence[Text]], FloatArray],
        shards: Sequence[Sequence[Text]],
    ) -> Iterator[tuple[int, FloatArray]]:
        """Yield the number of each shard with its vectors (R, n), the first finished one first.

        Args:
            encode: Encodes some texts; it is sent to the machines once for each process.
            shards: The texts of each shard.

        Raises:
            LensError: If a machine cannot encode.
        """
        import ray
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        engine: Any = ray
        packed = [engine.cloudpickle.dumps(list(shard)) for shard in shards]
        rows = [{"number": i, "texts": texts} for i, texts in enumerate(packed)]
        processors = max(1, int(engine.cluster_resources().get("CPU", 1)))
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Process,
            fn_constructor_args=(encode,),
            batch_size=1,
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(processors, len(rows))),
        )
        try:
            for row in done.iter_rows():
                yield int(row["number"]), np.asarray(row["vectors"], dtype=np.float32)
        except ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[-1]
            raise LensError(f"the Ray cluster could not encode ({reason})") from None


class _Process:
    """A process of the cluster, which loads the encoder once."""

    def __init__(self, encode: Callable[[Sequence[Any]], FloatArray]) -> None:
        self._encode = encode

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import ray

        vectors = [self._encode(ray.cloudpickle.loads(texts)) for texts in batch["texts"]]
        return {"number": batch["number"], "vectors": np.stack(vectors)}
