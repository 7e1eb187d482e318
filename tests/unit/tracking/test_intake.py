"""Fixes from other threads become live on the event loop's, by the same rules as those of sockets."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.unit.world import NOW_MS, World
from v2v.tracking.intake import EnginePlace, Placed, place_get
from v2v.tracking.live import Fix, Outcome
from v2v.tracking.queue import MemoryQueue
from v2v.tracking.recorder import Recorder


class Placing:
    """A world with a place, and a vehicle that has no socket."""

    def __init__(self) -> None:
        self.world = World()
        self.queue = MemoryQueue(limit=1_000)
        self.recorder = Recorder(self.world.engine, self.world.live, self.queue)
        self.world.ticker.moved_listeners.append(self.recorder.moved)
        self.place = EnginePlace(self.world.engine, self.world.live, self.recorder)

    async def report(self, *fixes: Fix, vehicle: str = "phone") -> list[Placed]:
        return await asyncio.to_thread(self.place.place, vehicle_id=vehicle, vehicle_pk=77, fleet=1, fixes=fixes)


def fix(after_ms: int = 0, lat: float = 10.0) -> Fix:
    return Fix(lat=lat, lng=55.0, ts=NOW_MS + after_ms, received_at=0.0)


@pytest.fixture
async def placing() -> AsyncIterator[Placing]:
    placing = Placing()
    placing.place.open()
    yield placing
    await placing.place.close()
    placing.world.engine.pool.close()


async def test_a_phone_without_a_socket_is_seen_by_its_neighbors(placing: Placing) -> None:
    wire = placing.world.vehicle("truck")
    placing.world.report("truck")
    await placing.report(fix())
    await placing.world.tick()
    assert "phone" in wire.heard_of()
    assert placing.world.engine.presence.entries["phone"].status == "online"
    assert placing.queue.depth() == 0  # its reporter queues it
    await placing.recorder.storage.flush()
    assert placing.queue.depth() == 1  # the truck's


async def test_the_rules_of_order_are_the_sockets(placing: Placing) -> None:
    assert [placed.outcome for placed in await placing.report(fix(0), fix(100), fix(50), fix(100), fix(-400_000))] == [
        Outcome.LIVE, Outcome.LIVE, Outcome.LATE, Outcome.DUPLICATE, Outcome.LATE,
    ]  # fmt: skip
    (placed,) = await placing.report(fix(-1), vehicle="phone")
    assert placed.stood is not None
    assert placed.stood.ts == NOW_MS + 100
    (placed,) = await placing.report(fix(-400_000), vehicle="other")
    assert placed == (Outcome.OLD, None)
    assert "other" not in placing.world.engine.presence.entries  # history brings nobody online


async def test_a_reporter_goes_offline_when_it_has_been_silent_for_five_minutes(placing: Placing) -> None:
    presence = placing.world.engine.presence
    await placing.report(fix())
    placing.world.time.seconds += 299
    placing.world.engine.sweep()
    assert presence.entries["phone"].status == "online"
    placing.world.time.seconds += 2
    placing.world.engine.sweep()
    assert presence.entries["phone"].status == "offline"
    assert presence.entries["phone"].last_seen == NOW_MS


async def test_a_silent_socket_beside_reports_does_not_make_a_vehicle_silent(placing: Placing) -> None:
    placing.world.vehicle("phone")
    placing.world.time.seconds += 60
    await placing.report(fix(60_000))
    placing.world.engine.sweep()
    assert placing.world.engine.presence.entries["phone"].status == "online"


async def test_after_the_close_fixes_are_only_stored(placing: Placing) -> None:
    assert place_get() is placing.place
    await placing.place.close()
    assert place_get() is None
    assert await placing.report(fix()) == [(Outcome.STORED, None)]
