"""Only what has changed is handed to the database."""

from collections.abc import Iterator

import pytest

from tests.unit.world import World
from v2v.realtime.batch import BatchWriter
from v2v.tracking.keeper import LastStateKeeper
from v2v.tracking.services import LastState


class Kept:
    """A world, and a keeper that has begun and whose writes are noted."""

    def __init__(self) -> None:
        self.world = World()
        self.written: list[LastState] = []
        self.storage: BatchWriter[LastState] = BatchWriter("states", self.written.extend, limit=100)
        self.offline = 0
        self.keeper = LastStateKeeper(self.world.engine, self.world.live, self.storage, begin=self.begin)

    def begin(self) -> None:
        self.offline += 1

    async def step(self) -> list[LastState]:
        """What one step writes."""
        self.written.clear()
        await self.keeper.step()
        return list(self.written)


@pytest.fixture
def kept() -> Iterator[Kept]:
    kept = Kept()
    yield kept
    kept.world.engine.pool.close()


async def test_a_vehicle_is_stored_once_however_often_the_step_runs(kept: Kept) -> None:
    kept.world.vehicle("a")
    kept.world.vehicle("b")
    kept.world.report("a", lat=12.0)
    await kept.world.tick()
    first = await kept.step()
    assert [(state.status, state.lat) for state in first] == [("online", 12.0), ("online", None)]
    assert await kept.step() == []
    assert kept.offline == 1


async def test_a_new_fix_a_new_status_and_new_telemetry_are_changes_and_nothing_else_is(kept: Kept) -> None:
    world = kept.world
    world.vehicle("a")
    await kept.step()
    world.report("a", lat=13.0)
    await world.tick()
    assert [state.lat for state in await kept.step()] == [13.0]
    world.live.by_vehicle["a"].battery = 50.0  # as a heartbeat does
    assert [state.battery for state in await kept.step()] == [50.0]
    world.time.seconds += 46
    world.engine.sweep()
    assert [state.status for state in await kept.step()] == ["timeout"]
    world.time.seconds += 1
    world.engine.sweep()
    assert await kept.step() == []


async def test_a_vehicle_that_nobody_has_heard_of_is_not_stored(kept: Kept) -> None:
    kept.world.track("never-came")
    assert await kept.step() == []
