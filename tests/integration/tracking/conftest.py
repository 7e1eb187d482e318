"""Queues of both kinds, and positions to put into them."""

from collections.abc import Callable

import pytest

from tests.integration.people import fleet_make, vehicle_make
from v2v.tracking.live import Fix
from v2v.tracking.queue import MemoryQueue, PositionQueue
from v2v.tracking.records import PositionRecord, record_of
from v2v.tracking.redis_queue import RedisQueue
from v2v.vehicles.models import Vehicle

T0 = 1_795_608_000_000  # 2026-11-25 12:00 UTC
QueueMaker = Callable[..., PositionQueue]


def record(vehicle: int = 1, ts: int = T0, **more: object) -> PositionRecord:
    about: dict[str, object] = {"fleet": 1, "received_ts": ts + 5, "source": "http", "conflict": None}
    given = {name: more.pop(name) for name in list(more) if name in about}
    fix = Fix(lat=25.0, lng=55.0, ts=ts, received_at=0.0, **more)  # type: ignore[arg-type]
    return record_of(fix, vehicle=vehicle, **(about | given))  # type: ignore[arg-type]


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
