"""The job that loads the encoder, so that the first typed query does not wait for it."""

from __future__ import annotations

import time

from dashboard.services import background, catalog
from dashboard.services.background import ThreadJob
from dashboard.services.caching import shared
from imrnns_core.encoding.endpoint import is_endpoint
from imrnns_core.retrieval.collection import Collection


class WarmUp(ThreadJob):
    """An encoder that is being loaded. Pages that need it show the error if that fails."""

    @classmethod
    def start(cls, loaded: Collection) -> WarmUp:
        """Load the encoder of a collection."""
        job = cls()
        job.run(lambda: job._load(loaded))
        return job

    def _load(self, loaded: Collection) -> None:
        # an endpoint has nothing to load: nothing is sent that nobody asked for
        if not loaded.has_vectors or is_endpoint(loaded.encoder.spec.name):
            return
        time.sleep(background.FIRST_PAGE_SECONDS)
        self.check()
        # loads the model, and checks that it made the vectors of this collection
        loaded.encode("warm-up")
        # once more, because the encoder is loaded after the ranker
        catalog.settle_memory()
        self.done = 1


@shared(8, judged=False)
def encoder(data: str) -> WarmUp:
    """Load the encoder of a data set in the background, once."""
    return WarmUp.start(catalog.collection(data))
