"""The job that measures all splits of a data set."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

from dashboard.services import background
from dashboard.services.background import ThreadJob
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.retrieval.ranker import Ranker
from imrnns_core.types import Qrels

HELD_OUT = ("test", "dev")


@dataclass
class Measuring(ThreadJob):
    """The measurement of all splits of a data set. Its progress counts splits.

    `hurry` is set once a page waits for a split. `judged` has the judgments that are measured. If a
    split cannot be measured, its future has the error, for the page that needs this split; the job
    continues with the other splits.
    """

    splits: dict[str, Future[Evaluation]] = field(default_factory=dict)
    hurry: threading.Event = field(default_factory=threading.Event)
    judged: Mapping[str, Qrels] = field(default_factory=dict)

    @classmethod
    def start(cls, ranker: Ranker, earlier: Measuring | None = None) -> Measuring:
        """Measure all judged queries, held-out splits first.

        Args:
            ranker: The adapter over the collection.
            earlier: A measurement of the same rankings: its splits with the same judgments are
                not measured again.
        """
        judged = ranker.collection.dataset.splits
        known = {
            split: future
            for split, future in (earlier.splits if earlier else {}).items()
            if earlier and judged.get(split) == earlier.judged[split]
        }
        # Overview and Failures open with a held-out split
        splits = sorted(judged, key=lambda split: split not in HELD_OUT)
        futures = {split: known.get(split) or Future() for split in splits}
        job = cls(len(splits), splits=futures, judged=judged)
        job.run(lambda: job._measure(ranker, [s for s in splits if s not in known]))
        return job

    def _measure(self, ranker: Ranker, splits: Sequence[str]) -> None:
        # returns at once if a page already waits
        self.hurry.wait(background.FIRST_PAGE_SECONDS)
        self.done = len(self.splits) - len(splits)
        for split in splits:
            future = self.splits[split]
            if self.stopping:
                future.cancel()  # a page that waits for it would keep the server running
                continue
            try:
                future.set_result(evaluate(ranker, split))
            except Exception as error:  # the page that needs the split shows it
                future.set_exception(error)
            self.done += 1
