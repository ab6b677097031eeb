"""The job that runs the deletion test of an adapter."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path

from dashboard.services.background import ThreadJob
from imrnns_core.explanation.deletion_records import DeletionTest
from imrnns_core.explanation.deletion_test import run_pairs, sample_pairs
from imrnns_core.explanation.word_attribution import WordExplainer
from imrnns_core.io import write_checked_json


@dataclass
class DeletionJob(ThreadJob):
    """A deletion test. Its progress counts pairs.

    `step` has the encoded texts and all texts of the current step of the current pair.
    """

    step: tuple[int, int] = (0, 0)
    started: float = field(default_factory=time.monotonic)

    @classmethod
    def start(
        cls, explainer: WordExplainer, record: DeletionTest, pairs: int, path: Path
    ) -> DeletionJob:
        """Test this number of pairs of the split in `record`, and write the record to `path`."""
        job = cls(pairs)
        job.run(lambda: job._test(explainer, record, path))
        return job

    def _test(self, explainer: WordExplainer, record: DeletionTest, path: Path) -> None:
        sampled = sample_pairs(explainer.ranker, record.split, self.total)
        self.total = len(sampled)
        for tested in run_pairs(explainer, sampled, self._progress):
            record.pairs.append(tested)
            self.done += 1
            # also checks for a stop: the texts of all pairs may be encoded already
            self._progress(0, 0)
        write_checked_json(path, record.to_json())

    def _progress(self, done: int, total: int) -> None:
        self.step = (done, total)
        self.check()
