"""The job that measures all splits of a data set."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from dataclasses import dataclass, field

from dashboard.services import background
from dashboard.services.background import ThreadJob
from imrnns_core.evaluation.evaluate import Evaluation, evaluate
from imrnns_core.retrieval.ranker import Ranker

HELD_OUT = ("test", "dev")


@dataclass
class Measuring(ThreadJob):
    """The measurement of all splits of a data set. Its progress counts splits.

    `hurry` is set once a page waits for a split. If a split cannot be measured, its future has the
    error, for the page that needs this split; the job continues with the other splits.
    """

    splits: dict[str, Future[Evaluation]] = field(default_factory=dict)
    hurry: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def start(cls, ranker: Ranker) -> Measuring:
        """Measure all judged queries, held-out splits first."""
        # Overview and Failures open with a held-out split
        splits = sorted(ranker.collection.dataset.splits, key=lambda split: split not in HELD_OUT)
        job = cls(len(splits), splits={split: Future() for split in splits})
        job.run(lambda: job._measure(ranker))
        return job

    def _measure(self, ranker: Ranker) -> None:
        # returns at once if a page already waits
        self.hurry.wait(background.FIRST_PAGE_SECONDS)
        for split, future in self.splits.items():
            if self.stopping:
                future.cancel()  # a page that waits for it would keep the server running
                continue
            try:
                future.set_result(evaluate(ranker, split))
            except Exception as error:  # the page that needs the split shows it
                future.set_exception(error)
            self.done += 1
