"""The rules on the live positions."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.world import METERS, World
from v2v.driving.models import Action
from v2v.driving.rules import EventType, Limits
from v2v.driving.selectors import RuleBook
from v2v.driving.services import Event
from v2v.driving.watch import DrivingWatch
from v2v.realtime.batch import BatchWriter

USUAL = dict.fromkeys(EventType, Action.EVENT.value)


class Watched:
    """A world whose vehicles are watched; `events` and `alerts` are what was handed to the database."""

    def __init__(self) -> None:
        self.world = World()
        self.book = RuleBook()
        self.events: list[Event] = []
        self.alerts: list[Event] = []
        self.found: BatchWriter[Event] = BatchWriter("events", self.events.extend, limit=100)
        self.raised: BatchWriter[Event] = BatchWriter("alerts", self.alerts.extend, limit=100)
        world = self.world
        self.watch = DrivingWatch(world.engine, world.live, self.found, self.raised, load=lambda: self.book)
        world.ticker.moved_listeners.append(self.watch.moved)
        self.north = 0.0

    async def drive(self, *speeds: float, vehicle_id: str = "a", **fix: Any) -> None:
        """One second at each speed."""
        for speed in speeds:
            self.north += speed
            self.world.report(vehicle_id, lat=10 + self.north * METERS, speed=speed, **fix)
            await self.world.tick(1.0)

    async def stored(self) -> list[str]:
        await self.found.flush()
        await self.raised.flush()
        return [event.found.type.value for event in self.events]


@pytest.fixture
def watched() -> Iterator[Watched]:
    watched = Watched()
    watched.world.vehicle("a")
    yield watched
    watched.world.engine.pool.close()


async def test_an_event_is_stored_with_its_vehicle_and_fleet(watched: Watched) -> None:
    await watched.watch.rules_read()
    await watched.drive(20, 20, 15)
    assert await watched.stored() == ["harsh_braking"]
    assert (watched.events[0].vehicle_id, watched.events[0].fleet) == ("a", 1)
    assert watched.alerts == []


async def test_nothing_is_judged_before_the_rules_were_read(watched: Watched) -> None:
    await watched.drive(20, 20, 15)
    assert await watched.stored() == []


async def test_a_crash_becomes_an_alert_and_an_event(watched: Watched) -> None:
    await watched.watch.rules_read()
    await watched.drive(20, 20, 20, 20, *[0] * 7)
    assert await watched.stored() == ["crash"]
    assert [event.found.type.value for event in watched.alerts] == ["crash"]


async def test_a_vehicle_that_falls_silent_after_it_may_have_crashed_becomes_an_alert(watched: Watched) -> None:
    await watched.watch.rules_read()
    await watched.drive(20, 20, 20, 0)
    watched.world.time.seconds += 58
    watched.watch.silence_check()
    assert await watched.stored() == []
    watched.world.time.seconds += 2
    watched.watch.silence_check()
    watched.watch.silence_check()
    assert await watched.stored() == ["crash"]


async def test_a_device_that_feels_a_crash_is_heard_though_a_newer_fix_comes_in_the_same_tick(watched: Watched) -> None:
    await watched.watch.rules_read()
    await watched.drive(10, 10)
    now_ms = watched.world.time.now_ms()
    watched.world.report("a", ts=now_ms + 100, speed=10.0, alarm="crash")
    watched.world.report("a", ts=now_ms + 200, speed=10.0)
    await watched.world.tick()
    assert await watched.stored() == ["crash"]


async def test_each_fleet_has_its_limits_and_what_they_lead_to(watched: Watched) -> None:
    watched.book = RuleBook(
        actions={1: USUAL | {EventType.HARSH_BRAKING: Action.OFF.value, EventType.OVERSPEED: Action.ALERT.value}},
        of_fleet={1: Limits(speed=10, speed_hold_s=2)},
        of_vehicle={(1, 1): Limits(speed=30)},
    )
    watched.world.vehicle("b")
    await watched.watch.rules_read()
    await watched.drive(20, 20, 15, 15, 15, vehicle_id="a")
    await watched.drive(20, 20, 20, 20, 20, vehicle_id="b")
    assert await watched.stored() == ["overspeed"]
    assert [event.vehicle_id for event in watched.alerts] == ["a"]


async def test_what_was_driven_in_another_fleet_is_forgotten(watched: Watched) -> None:
    await watched.watch.rules_read()
    await watched.drive(20, 20)
    watched.world.track("a", fleet=2)
    await watched.drive(10)
    assert await watched.stored() == []
