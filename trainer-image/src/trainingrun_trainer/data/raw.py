"""Samples outside a graph, as they are in the data."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trainingrun_trainer.data.feed import Feed
from trainingrun_trainer.data.host import rows_of
from trainingrun_trainer.data.shard import shard


def raw_samples(
    feed: Feed, *, batch: int, positions: NDArray[np.int64] | None = None
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int32]]]:
    """The samples at some positions, by default all in their order, in batches: [n, *shape], not scaled, and labels [n].

    The last batch may be a short one.
    """
    count = len(feed) if positions is None else len(positions)
    part = shard(count, batch=min(batch, count), rank=0, size=1, order=positions)
    with feed.deal(part, first=0) as dealer:
        for step in range(part.steps):
            taken = dealer.take(1)
            rows = taken.rows[0][part.weights[step] > 0]
            yield rows_of(taken.inputs, rows).numpy().astype(np.float32), rows_of(taken.labels, rows).numpy()
