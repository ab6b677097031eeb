"""What is counted over all documents of a data set, in the background."""

from __future__ import annotations

from functools import partial

from dashboard.services import catalog
from dashboard.services.caching import shared
from dashboard.services.computation import Computation
from imrnns_core.data.near_copies import copies
from imrnns_core.data.recognition import COPY_SHARE
from imrnns_core.encoding.lengths import Lengths
from imrnns_core.types import IntArray


@shared(4, judged=False)
def lengths(data: str) -> Computation[Lengths]:
    """Count the tokens of the documents of a data set."""
    collection = catalog.collection(data)
    encoder, documents = collection.encoder, collection.dataset.documents
    return Computation.start(
        lambda report: Lengths.of(encoder, documents, partial(report, "Counting the tokens"))
    )


@shared(4, judged=False)
def near_copies(data: str) -> Computation[IntArray]:
    """Find the group (N,) of each document; near copies are in one group."""
    documents = catalog.dataset(data).documents
    return Computation.start(
        lambda report: copies(
            documents, COPY_SHARE, progress=partial(report, "Comparing the documents")
        )
    )
