"""Which process stores what about vehicles that several of them know."""

from collections.abc import Iterator

import pytest

from tests.unit.world import World
from v2v.realtime.clock import Clock
from v2v.realtime.members import Members
from v2v.realtime.notices import Held, Left
from v2v.realtime.redis import RedisAddress
from v2v.realtime.redis_relay import RedisRelay
from v2v.tracking.holders import Holders

FIRST, LAST = "0", "z"  # the names of other processes: before ours, and behind it
NOWHERE = RedisAddress("redis://127.0.0.1:9/0", "test:")


class Known:
    """A world in which `mine` is connected here; what others hold is told."""

    def __init__(self) -> None:
        self.world = World()
        engine = self.world.engine
        self.relay = RedisRelay(engine.hub, NOWHERE, Clock(), resync=lambda reason: None)
        self.members = Members(self.relay)
        self.holders = Holders(engine, self.world.live, self.members)
        self.wire = self.world.vehicle("mine")  # the lowest key
        self.version = 0

    def told(self, process: str, vehicle_id: str, status: str = "online", *, fleet: int = 1) -> None:
        self.version += 1
        pk = self.world.track(vehicle_id).vehicle_pk
        self.relay._heed(Held(process, vehicle_id, pk, fleet, status, 5, self.version))  # type: ignore[arg-type]

    def keeps(self, vehicle_id: str) -> bool:
        return self.holders.keeps(self.world.engine.presence.entries[vehicle_id])

    def stores(self, one: str, other: str) -> bool:
        tracks = self.world.live.by_vehicle
        return self.holders.stores(tracks[one], tracks[other])

    def close(self) -> None:
        session = next(iter(self.world.engine.hub.by_vehicle["mine"]))
        self.world.engine.closed(session)


@pytest.fixture
def known() -> Iterator[Known]:
    known = Known()
    yield known
    known.relay.publisher.close(0.0)


def test_what_happens_between_two_is_stored_by_the_holder_of_the_lower_key(known: Known) -> None:
    known.told(LAST, "theirs")
    known.told(LAST, "theirs too")
    assert known.stores("theirs", "mine")
    assert not known.stores("theirs", "theirs too")


def test_of_two_processes_that_hold_a_vehicle_one_keeps_it(known: Known) -> None:
    assert known.keeps("mine")
    known.told(LAST, "mine")
    assert known.keeps("mine")
    known.told(FIRST, "mine")
    assert not known.keeps("mine")


def test_who_held_a_vehicle_last_keeps_it_until_another_holds_it(known: Known) -> None:
    known.close()
    assert known.keeps("mine")
    known.told(LAST, "mine")
    assert not known.keeps("mine")
    known.told(LAST, "mine", "offline")
    assert not known.keeps("mine")


async def test_of_a_process_that_died_the_first_that_is_left_keeps_the_vehicles(known: Known) -> None:
    known.told(FIRST, "theirs")
    known.members._look_at({FIRST, LAST})
    known.relay._heed(Left(FIRST))
    assert known.world.engine.presence.entries["theirs"].status == "offline"
    assert known.keeps("theirs")


def test_what_was_said_before_says_nothing_any_more(known: Known) -> None:
    known.told(LAST, "theirs")
    known.told(LAST, "theirs", "offline")
    known.version = 0
    known.told(LAST, "theirs")
    assert known.world.engine.presence.entries["theirs"].status == "offline"


def test_who_has_lost_a_vehicle_to_another_fleet_does_not_bring_it_back(known: Known) -> None:
    known.told(LAST, "theirs", fleet=2)
    known.told(FIRST, "theirs", "offline", fleet=1)
    assert known.world.engine.presence.entries["theirs"].fleet == 2
    assert known.world.live.by_vehicle["theirs"].fleet == 2
