"""Positions that come otherwise than by a socket, where an engine runs, and what happens while the queue is away."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from django.test import override_settings

from tests.unit.world import NOW_MS, World
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import moment
from v2v.tracking import backends
from v2v.tracking.intake import EnginePlace
from v2v.tracking.live import Outcome
from v2v.tracking.models import Source
from v2v.tracking.queue import MemoryQueue
from v2v.tracking.recorder import Recorder
from v2v.tracking.records import records_in
from v2v.tracking.services import PositionReport, positions_report
from v2v.vehicles.models import Vehicle

NOBODY = "redis://127.0.0.1:1/0"
PHONE = Vehicle(pk=7, vehicle_id="phone-7", fleet_id=3)


class Running:
    """An engine that runs, and its recorder."""

    def __init__(self) -> None:
        self.world = World()
        queue = backends.queue_get()
        assert isinstance(queue, MemoryQueue)
        self.queue = queue
        self.recorder = Recorder(self.world.engine, self.world.live, queue)
        self.place = EnginePlace(self.world.engine, self.world.live, self.recorder)


@pytest.fixture
async def running() -> AsyncIterator[Running]:
    backends.queue_get.cache_clear()
    running = Running()
    running.place.open()
    yield running
    await running.place.close()
    running.world.engine.pool.close()
    backends.queue_get.cache_clear()


def report(*after_ms: int) -> list[Outcome | Refusal]:
    return positions_report(
        vehicle=PHONE,
        device_id="d",
        source=Source.OSMAND,
        reports=[PositionReport(lat=25.0, lng=55.0, ts=NOW_MS + each) for each in after_ms],
        correlation_id="c",
        now=moment(NOW_MS),
    )


async def test_a_batch_is_live_with_its_newest_and_queued_whole(running: Running) -> None:
    *taken, refused = await asyncio.to_thread(report, 0, 100, 50, 100, 400_000)
    assert taken == [Outcome.LIVE, Outcome.LIVE, Outcome.LATE, Outcome.DUPLICATE]
    assert isinstance(refused, Refusal)
    assert refused.code is ErrorCode.CLOCK_SKEW
    track = running.world.live.by_vehicle["phone-7"]
    assert track.newest is not None
    assert track.newest.ts == NOW_MS + 100
    (entry,) = running.queue.take(limit=5, wait_s=0)
    records = records_in(entry.payload)
    assert [(each.ts - NOW_MS, each.source, each.conflict and each.conflict.kind) for each in records] == [
        (0, "osmand", None), (100, "osmand", None), (50, "osmand", "late"), (100, "osmand", "duplicate"),
    ]  # fmt: skip


@override_settings(REDIS_URL=NOBODY)
async def test_while_redis_is_away_they_are_live_and_wait_with_those_of_the_sockets(running: Running) -> None:
    backends.queue_get.cache_clear()
    assert await asyncio.to_thread(report, 0, 1) == [Outcome.LIVE, Outcome.LIVE]
    assert len(running.recorder.storage) == 2
    await running.recorder.storage.flush()  # to the queue that this recorder has
    assert running.queue.depth() == 2


@override_settings(REDIS_URL=NOBODY)
async def test_where_nothing_can_be_kept_the_whole_is_refused(running: Running) -> None:
    backends.queue_get.cache_clear()
    await running.place.close()
    with pytest.raises(Refusal) as refused:
        await asyncio.to_thread(report, 0)
    assert refused.value.code is ErrorCode.UNAVAILABLE
