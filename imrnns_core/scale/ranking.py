"""Rank the queries of a data set on the machines of a cluster.

Each process opens the workspace, so all machines need it under the same path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imrnns_core.config import Scope
from imrnns_core.encoding.sharded import Cluster
from imrnns_core.retrieval.batch import RankedBatch, joined
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.storage.registry import Registration
from imrnns_core.storage.workspace import Workspace

QUERIES = 256
"""Queries that a process ranks at once."""


@dataclass
class RankQueries:
    """Ranks queries of a data set in any process that can open the workspace.

    Attributes:
        root: The folder of the workspace.
        registration: The data set.
        adapter: Name or absolute path of the adapter, or "none".
        scope: Whether the adapter ranks the candidates or the corpus.
    """

    root: Path
    registration: Registration
    adapter: str
    scope: Scope
    _ranker: Ranker | None = field(default=None, init=False, repr=False)

    def __call__(self, query_ids: Sequence[str]) -> RankedBatch:
        """Return the rankings of B queries."""
        if self._ranker is None:  # once in each process
            workspace = Workspace(self.root)
            collection = workspace.open(self.registration)
            self._ranker = workspace.ranker(collection, self.adapter).with_scope(self.scope)
        return self._ranker.rank_queries(query_ids)


class SpreadRanker(Ranker):
    """A ranker whose queries a cluster ranks.

    Args:
        ranker: The ranker of this machine.
        cluster: The machines.
        task: What they do; it must rank as `ranker` does.
    """

    def __init__(self, ranker: Ranker, cluster: Cluster, task: RankQueries) -> None:
        vars(self).update(vars(ranker))
        self._cluster, self._task = cluster, task

    def rank_queries(self, query_ids: Sequence[str]) -> RankedBatch:
        """Rank the candidates of B queries of the data set at all stages, on the cluster.

        Raises:
            LensError: If a machine cannot rank them.
        """
        parts = [query_ids[i : i + QUERIES] for i in range(0, len(query_ids), QUERIES)]
        done = dict(self._cluster.map(self._task, parts))
        return joined([done[number] for number in range(len(parts))])
