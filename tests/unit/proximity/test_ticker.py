"""One tick: who is told of whom."""

import asyncio
import logging
import threading
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.unit.world import METERS, World
from v2v.proximity.engine import Positions, ProximityEngine, Tick
from v2v.proximity.ticker import INLINE_VEHICLES
from v2v.realtime.engine import Periodic, _repeat


async def test_each_receiver_gets_one_frame_with_all_neighbors_that_moved() -> None:
    world = World()
    a, b, c, far = (world.vehicle(name) for name in ("a", "b", "c", "far"))
    world.report("far", lat=20.0)
    for name in ("a", "b", "c"):
        world.report(name)
    await world.tick()
    assert [len(wire.data("peer_locations")) for wire in (a, b, c, far)] == [1, 1, 1, 0]
    assert (sorted(a.heard_of()), sorted(b.heard_of())) == (["b", "c"], ["a", "c"])
    world.report("a")
    await world.tick()
    assert a.heard_of().count("a") == 0
    assert b.heard_of()[2:] == ["a"]
    assert world.engine.tally.delivered == 8


async def test_both_devices_of_a_vehicle_get_the_frames() -> None:
    world = World()
    phone, tablet = world.vehicle("a", device="phone"), world.vehicle("a", device="tablet")
    world.vehicle("b")
    world.report("a")
    world.report("b")
    await world.tick()
    assert phone.heard_of() == tablet.heard_of() == ["b"]


async def test_one_who_stands_still_is_told_of_when_somebody_comes_near() -> None:
    world = World()
    world.vehicle("parked")
    coming = world.vehicle("coming")
    world.report("parked")
    world.report("coming", lat=11.0)
    await world.tick()
    world.report("coming")
    await world.tick()
    assert coming.data("proximity_event")[0]["peerVehicleId"] == "parked"
    assert coming.heard_of() == ["parked"]
    await world.tick()
    assert coming.heard_of() == ["parked"]


async def test_comings_and_goings_are_told_to_both_and_stored_once_with_their_distance() -> None:
    world = World()
    a, b = world.vehicle("a"), world.vehicle("b")
    world.report("a")
    world.report("b", lat=10.0 + 300 * METERS)
    await world.tick()
    world.report("b", lat=10.0 + 700 * METERS)
    await world.tick()
    for wire, peer in ((a, "b"), (b, "a")):
        told = wire.data("proximity_event")
        assert [(event["type"], event["peerVehicleId"], round(event["distanceM"])) for event in told] == [
            ("enter", peer, 300),
            ("exit", peer, 700),
        ]
        assert "vehicleId" not in told[0]
    await world.crossings.flush()
    assert [(crossing.type, crossing.fleet) for crossing in world.stored] == [("enter", 1), ("exit", 1)]


async def test_an_exit_by_silence_has_no_distance() -> None:
    world = World()
    a = world.vehicle("a")
    world.vehicle("b")
    world.report("a")
    world.report("b")
    await world.tick()
    world.live.set_active(world.live.by_vehicle["b"], False)
    await world.tick()
    assert a.data("proximity_event")[1] == {"type": "exit", "peerVehicleId": "b", "ts": world.time.now_ms()}


async def test_a_dispatcher_who_watches_a_vehicle_hears_who_comes_near_it_and_others_do_not() -> None:
    world = World()
    watching, other, beta = world.dispatcher(1, watched="a"), world.dispatcher(1), world.dispatcher(2, watched="a")
    for name in ("a", "b", "c", "d"):
        world.vehicle(name)
    for name in ("a", "b"):
        world.report(name)
    for name in ("c", "d"):
        world.report(name, lat=20.0)
    await world.tick()
    told = watching.data("proximity_event")
    assert [(event["vehicleId"], event["peerVehicleId"]) for event in told] == [("a", "b")]
    assert other.data("proximity_event") == beta.data("proximity_event") == []


async def test_dispatchers_get_the_vehicles_of_their_fleets_that_are_in_their_view() -> None:
    world = World()
    alpha, both, everything = world.dispatcher(1), world.dispatcher(1, 2), world.dispatcher()
    north = world.dispatcher(1, view=(0.0, 30.0, 90.0, 90.0))
    for name, fleet, lat in (("a", 1, 10.0), ("a-north", 1, 40.0), ("b", 2, 10.0), ("c", 3, 10.0)):
        world.vehicle(name, fleet)
        world.report(name, lat=lat)
    await world.tick()
    assert alpha.heard_of() == ["a", "a-north"]
    assert both.heard_of() == ["a", "a-north", "b"]
    assert everything.heard_of() == ["a", "a-north", "b", "c"]
    assert north.heard_of() == ["a-north"]


async def test_presence_is_told_to_the_fleets_dispatchers_and_to_the_vehicles_near() -> None:
    world = World(heartbeat_timeout_s=45.0)
    alpha, beta = world.dispatcher(1), world.dispatcher(2)
    a, far = world.vehicle("a"), world.vehicle("far")
    world.vehicle("b")
    world.report("far", lat=20.0)
    for name in ("a", "b"):
        world.report(name)
    await world.tick()
    heard_ms = world.time.now_ms() - 200
    world.time.seconds += 45
    for name in ("a", "far"):
        for session in world.engine.hub.by_vehicle[name]:
            session.heard_at = world.time.seconds
    world.engine.sweep()
    silent = {"vehicleId": "b", "status": "timeout", "lastSeen": heard_ms}
    assert a.data("presence_update") == [silent]
    assert alpha.data("presence_update")[-1] == silent
    assert far.data("presence_update") == beta.data("presence_update") == []


async def test_a_vehicle_that_goes_to_another_fleet_is_parted_from_the_old_one_at_once() -> None:
    world = World()
    alpha, beta = world.dispatcher(1, watched="a"), world.dispatcher(2)
    old_neighbor = world.vehicle("b", fleet=1)
    world.vehicle("a", fleet=1)
    for name in ("a", "b"):
        world.report(name)
    await world.tick()
    before = len(old_neighbor.frames)
    moved = world.vehicle("a", fleet=2)
    assert beta.data("presence_update")[-1]["status"] == "online"
    assert alpha.data("presence_update")[-1]["status"] == "offline"
    told_alpha = len(alpha.frames)
    assert world.proximity.peers_of(0).tolist() == []
    for name in ("a", "b"):
        world.report(name, lat=10.001)
    await world.tick()
    await world.tick()
    assert len(old_neighbor.frames) == before
    assert moved.frames == []
    assert alpha.heard_of()[-1] == "b"
    assert [frame["event"] for frame in alpha.frames[told_alpha:]] == ["locations"]
    assert beta.heard_of() == ["a"]


class Watched(ProximityEngine):
    """Notes on which thread its ticks run, and waits in them when it is told to."""

    def __init__(self, **limits: Any) -> None:
        super().__init__(radius_m=500, hold_s=0, **limits)
        self.threads: list[str] = []
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def tick(self, positions: Positions, *, now: float) -> Tick:
        self.threads.append(threading.current_thread().name)
        self.entered.set()
        assert self.go_on.wait(10)
        return super().tick(positions, now=now)


def crowd(world: World, vehicles: int) -> None:
    """Vehicles spread over the world, each alone."""
    for number in range(vehicles):
        track = world.track(f"lone-{number}")
        world.live.set_active(track, True)
        world.report(track.vehicle_id, lat=-80 + number / 100)


async def test_a_long_tick_runs_on_a_thread_and_a_short_one_where_it_is() -> None:
    small, large = Watched(), Watched()
    for proximity, vehicles in ((small, 10), (large, INLINE_VEHICLES + 1)):
        world = World(proximity)
        crowd(world, vehicles)
        await world.tick()
        await world.ticker.close()
    assert small.threads == ["MainThread"]
    assert large.threads == ["proximity_0"]


async def test_a_vehicle_that_changes_its_fleet_during_a_long_tick_hears_nothing_of_its_old_neighbors() -> None:
    proximity = Watched()
    world = World(proximity)
    old_neighbor = world.vehicle("b", fleet=1)
    world.vehicle("a", fleet=1)
    crowd(world, INLINE_VEHICLES + 1)
    for name in ("a", "b"):
        world.report(name, lng=-100.0)
    proximity.go_on.clear()
    proximity.entered.clear()
    ticking = asyncio.create_task(world.tick())
    await asyncio.to_thread(proximity.entered.wait, 10)
    moved = world.vehicle("a", fleet=2)
    proximity.go_on.set()
    await ticking
    assert moved.frames == []
    assert old_neighbor.data("proximity_event") == []
    await world.tick()
    assert (moved.frames, proximity.peers_of(0).tolist()) == ([], [])
    await world.ticker.close()


async def test_a_crowd_that_narrows_the_radius_is_counted_each_tick_and_logged_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def narrowed() -> float:
        return REGISTRY.get_sample_value("v2v_spatial_ticks_narrowed_total") or 0.0

    world = World(ProximityEngine(radius_m=500, hold_s=0, max_pairs=3))
    before = narrowed()
    for number in range(10):
        world.vehicle(f"v{number}")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            for number in range(10):
                world.report(f"v{number}", lat=10.0 + number * 100 * METERS)
            await world.tick()
    assert narrowed() - before == 3
    assert len([record for record in caplog.records if "looked less far" in str(record.msg)]) == 1


async def test_ticks_that_were_missed_are_left_out() -> None:
    begun: list[float] = []
    enough = asyncio.Event()

    async def step() -> None:
        begun.append(asyncio.get_running_loop().time())
        if len(begun) == 1:
            await asyncio.sleep(0.5)
        if len(begun) == 5:
            enough.set()

    task = asyncio.create_task(_repeat(Periodic("tick", 0.05, step)))
    await asyncio.wait_for(enough.wait(), 10)
    task.cancel()
    # The second comes at once and the others keep their distance; ten that had piled up would all come at once.
    assert begun[4] - begun[0] >= 0.5 + 3 * 0.05 - 0.001


async def test_a_tick_without_vehicles_does_nothing() -> None:
    world = World()
    dispatcher = world.dispatcher()
    await world.tick()
    assert dispatcher.frames == []
