"""What the sockets report goes to the queue once, in order, and waits while that is away."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.unit.world import NOW_MS, World
from v2v.tracking.live import Outcome
from v2v.tracking.queue import MemoryQueue, QueueUnavailable
from v2v.tracking.recorder import Recorder
from v2v.tracking.records import PositionRecord, records_in


class Moody(MemoryQueue):
    """A queue that is away when the test says so."""

    is_away = False

    def put(self, chunks: object) -> None:
        if self.is_away:
            raise QueueUnavailable
        super().put(chunks)  # type: ignore[arg-type]


class Recorded:
    """A world, and what its recorder has put into the queue."""

    def __init__(self, *, every_ms: int = 0) -> None:
        self.world = World()
        self.queue = Moody(limit=10_000)
        self.recorder = Recorder(self.world.engine, self.world.live, self.queue, every_ms=every_ms)
        self.world.ticker.moved_listeners.append(self.recorder.moved)

    async def queued(self) -> list[PositionRecord]:
        await self.recorder.storage.flush()
        entries = self.queue.take(limit=100, wait_s=0)
        self.queue.done(entries)
        return [record for entry in entries for record in records_in(entry.payload)]


@pytest.fixture
def recorded() -> Iterator[Recorded]:
    recorded = Recorded()
    yield recorded
    recorded.world.engine.pool.close()


async def test_of_one_that_reports_often_one_in_a_while_is_queued_and_each_that_carries_an_alarm() -> None:
    recorded = Recorded(every_ms=5_000)
    world = recorded.world
    world.vehicle("a")
    for second in range(12):
        world.report("a", lat=10 + second / 1000, alarm="sos" if second == 7 else None)
        await world.tick()
        world.time.seconds += 1
    assert [round((record.lat - 10) * 1000) for record in await recorded.queued()] == [0, 5, 7]
    world.engine.pool.close()


async def test_each_live_fix_is_queued_once_and_a_coalesced_one_is_not(recorded: Recorded) -> None:
    world = recorded.world
    world.vehicle("a")
    for lat in (10.0, 10.00001, 10.00002):
        world.report("a", lat=lat, device_id="phone", correlation_id="s")
        world.time.seconds += 0.01
    await world.tick()
    await world.tick()
    (record,) = await recorded.queued()
    assert (record.lat, record.source, record.device_id, record.correlation_id) == (10.00002, "socket", "phone", "s")
    assert record.ts == record.received_ts == NOW_MS + 20


async def test_a_kept_fix_comes_before_the_newer_one(recorded: Recorded) -> None:
    world = recorded.world
    world.vehicle("a")
    world.report("a", alarm="crash")
    world.time.seconds += 0.01
    world.report("a", lat=10.00001)
    await world.tick()
    assert [record.alarm for record in await recorded.queued()] == ["crash", ""]


async def test_what_comes_late_twice_or_from_long_ago_is_queued_beside_and_told_apart(recorded: Recorded) -> None:
    world = recorded.world
    world.vehicle("a")
    assert world.report("a", ts=NOW_MS) is Outcome.LIVE
    await world.tick()
    assert world.report("a", ts=NOW_MS - 1_000, lat=10.001) is Outcome.LATE
    assert world.report("a", ts=NOW_MS, lat=10.002) is Outcome.DUPLICATE
    world.vehicle("b")
    assert world.report("b", ts=NOW_MS - 600_000) is Outcome.OLD
    await world.tick()
    track = world.live.by_vehicle["a"]
    assert track.fix is not None
    assert (track.fix.ts, track.fix.lat) == (NOW_MS, 10.0)
    conflicts = [(record.ts, record.conflict) for record in await recorded.queued()]
    assert [(ts - NOW_MS, conflict and (conflict.kind, conflict.stood_ts)) for ts, conflict in conflicts] == [
        (0, None), (-1_000, ("late", NOW_MS)), (0, ("duplicate", NOW_MS)), (-600_000, None),
    ]  # fmt: skip


async def test_a_jump_is_stored_and_flagged(recorded: Recorded) -> None:
    world = recorded.world
    world.vehicle("a")
    world.report("a")
    await world.tick()
    world.report("a", lat=11.0)
    await world.tick()
    first, second = await recorded.queued()
    assert first.conflict is None
    assert second.conflict is not None
    assert (second.conflict.kind, second.conflict.stood_lat) == ("jump", 10.0)


async def test_while_the_queue_is_away_positions_wait_in_order_and_a_jump_is_still_one(recorded: Recorded) -> None:
    world = recorded.world
    world.vehicle("a")
    recorded.queue.is_away = True
    for lat in (10.0, 11.0):
        world.report("a", lat=lat)
        await world.tick()
        await recorded.recorder.storage.flush()
    assert len(recorded.recorder.storage) == 2
    recorded.queue.is_away = False
    assert [bool(record.conflict) for record in await recorded.queued()] == [False, True]


async def test_what_is_on_its_way_already_is_not_queued_again(recorded: Recorded) -> None:
    world = recorded.world
    world.vehicle("a")
    world.report("a", is_queued=True, kept=True)
    world.report("a", is_queued=True, ts=NOW_MS + 1)
    world.report("a", is_queued=True, ts=NOW_MS - 1)
    await world.tick()
    assert await recorded.queued() == []


async def test_the_close_hands_over_what_came_since_the_last_tick(recorded: Recorded) -> None:
    world = recorded.world
    world.vehicle("a")
    world.report("a")
    await world.tick()
    world.report("a", ts=NOW_MS - 5_000)
    with suppress(TimeoutError):
        await recorded.recorder.close()
    assert recorded.queue.depth() == 2
