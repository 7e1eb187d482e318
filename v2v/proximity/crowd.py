"""How many neighbors one frame tells of when vehicles stand in their thousands in one depot."""

import numpy as np

from v2v.proximity.engine import Deliveries

MOST = 500  # positions in one frame: 50 KB, still a frame that a phone takes several times a second
FEWEST = 20

PER_TICK = 100_000
"""Positions that one tick sends in all, 11 MB: 2,000 vehicles that all see each other would make it 440 MB."""


def deliveries_bound(deliveries: Deliveries, *, turn: int, per_tick: int = PER_TICK) -> Deliveries:
    """The deliveries, of which a crowded receiver gets only a part; the next part is the next turn's.

    Parts go round, rather than the nearest being told always: so nobody near stays unknown, and everybody is told of
    all within a few seconds. No part is smaller than 20 or greater than 500. A part's senders do not ascend.
    """
    if not deliveries.receivers.size:
        return deliveries
    fits = deliveries.senders.size <= per_tick
    limit = MOST if fits else min(MOST, max(FEWEST, per_tick // deliveries.receivers.size))
    counts = np.diff(deliveries.starts)
    if counts.max() <= limit:
        return deliveries
    told = np.minimum(counts, limit)
    starts = np.concatenate(([0], np.cumsum(told)))
    first = np.where(counts > limit, turn * limit % counts, 0)
    place = np.arange(starts[-1]) - np.repeat(starts[:-1] - first, told)
    rows = np.repeat(deliveries.starts[:-1], told) + place % np.repeat(counts, told)
    return Deliveries(deliveries.receivers, starts, deliveries.senders[rows])
