"""Spread work over the machines of a Ray cluster.

Ray Data hands each part to a process that is free, and gives it to another one if that process or
its machine ends. To encode, the machines need no common disk, because only the machine that runs
`prepare` writes to the workspace; each of them needs this package, and the encoder under the same
name or path.
Source: https://docs.ray.io/en/latest/data/transforming-data.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np

from imrnns_core.errors import LensError, MissingExtraError

Part = TypeVar("Part")
Result = TypeVar("Result")


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

    def map(
        self, function: Callable[[Part], Result], parts: Sequence[Part]
    ) -> Iterator[tuple[int, Result]]:
        """Yield the number of each part with its result, the first finished one first.

        Args:
            function: Works on one part; it is sent to the machines once for each process.
            parts: The parts.

        Raises:
            LensError: If a machine cannot do it.
        """
        import ray
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_options.preserve_order = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        engine: Any = ray
        packed = [engine.cloudpickle.dumps(part) for part in parts]
        rows = [{"number": i, "part": part} for i, part in enumerate(packed)]
        processors = max(1, int(engine.cluster_resources().get("CPU", 1)))
        done = ray.data.from_items(rows, override_num_blocks=len(rows)).map_batches(
            _Process,
            fn_constructor_args=(function,),
            batch_size=1,
            num_cpus=1,
            compute=ray.data.ActorPoolStrategy(min_size=1, max_size=min(processors, len(rows))),
        )
        try:
            for row in done.iter_rows():
                yield int(row["number"]), engine.cloudpickle.loads(row["result"])
        except ray.exceptions.RayError as error:
            lines = str(error).strip().splitlines()
            # the last line can be a hint of Ray; the error of the work stands above it
            reason = next((line for line in reversed(lines) if "Error: " in line), lines[-1])
            raise LensError(f"the Ray cluster could not do the work ({reason})") from None


class _Process:
    """A process of the cluster, which gets the function once."""

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import ray

        engine: Any = ray
        results = [self._function(engine.cloudpickle.loads(part)) for part in batch["part"]]
        return {
            "number": batch["number"],
            "result": np.array([engine.cloudpickle.dumps(result) for result in results], object),
        }
