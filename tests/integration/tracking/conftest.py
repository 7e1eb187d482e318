"""Queues of both kinds, and a vehicle."""

from collections.abc import Callable

import pytest

from tests.integration.people import fleet_make, vehicle_make
from v2v.tracking.queue import MemoryQueue, PositionQueue
from v2v.tracking.redis_queue import RedisQueue
from v2v.vehicles.models import Vehicle

QueueMaker = Callable[..., PositionQueue]


@pytest.fixture(params=["memory", "redis"])
def make_queue(request: pytest.FixtureRequest) -> QueueMaker:
    """Makes a queue; on Redis, each further one is another process's view of the same."""
    kind: str = request.param
    if kind == "memory":
        return lambda *, limit=10_000: MemoryQueue(limit=limit)
    url, prefix = request.getfixturevalue("redis_url"), request.getfixturevalue("redis_prefix")
    return lambda *, limit=10_000: RedisQueue(url, limit=limit, claim_after_s=0.2, prefix=prefix)


@pytest.fixture
def queue(make_queue: QueueMaker) -> PositionQueue:
    return make_queue()


@pytest.fixture
def truck(db: None) -> Vehicle:
    return vehicle_make(fleet_make())
