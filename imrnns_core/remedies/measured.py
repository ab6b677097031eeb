"""What is known of a remedy once it is measured.

Shapes: Q queries.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from imrnns_core.remedies.remedy import Remedy
from imrnns_core.statistics.measures import Rankings, SystemMetrics
from imrnns_core.types import DoubleArray


@dataclass(frozen=True)
class Measured:
    """A remedy, measured.

    Attributes:
        remedy: The remedy.
        settings: (Q,) the setting of each query, which its own judgments did not choose.
        cross_validated: False if too few queries could choose: all have the default.
        metrics: nDCG@10 and ranks of the best relevant document, for each query.
        milliseconds: Time per query, with the base search and BM25 done.
        independent: (Q,) True for the queries whose judgments the training of its adapter did not
            use; False for all if this is unknown, True for all without an adapter.
        groups: (Q,) how training used the documents of each query: that of its adapter, else that
            of the adapter of the search; None without one, or if it is unknown.
        top: The top 10 of each query.
    """

    remedy: Remedy
    settings: DoubleArray
    cross_validated: bool
    metrics: SystemMetrics
    milliseconds: float
    independent: NDArray[np.bool_] = field(repr=False)
    groups: NDArray[np.str_] | None = field(default=None, repr=False)
    top: Rankings = field(default_factory=dict, repr=False)

    @property
    def values(self) -> DoubleArray:
        """(Q,) nDCG@10."""
        return np.asarray(self.metrics.values[:, 0])

    @property
    def distinct(self) -> list[float]:
        """The different settings, ascending."""
        return [round(float(value), 4) for value in np.unique(self.settings)]
