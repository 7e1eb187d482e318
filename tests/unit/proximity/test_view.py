"""Whether a dispatcher has a vehicle on the map."""

import pytest

from tests.unit.world import World
from v2v.proximity.views import is_in_view
from v2v.tracking.live import Fix

DUBAI = (54.0, 24.0, 56.0, 26.0)
ACROSS_THE_DATE_LINE = (170.0, -20.0, -170.0, 20.0)
WORLD = (-180.0, -90.0, 180.0, 90.0)


@pytest.mark.parametrize(
    ("view", "lat", "lng", "is_seen"),
    [
        (None, 0.0, 0.0, True),
        (DUBAI, 25.0, 55.0, True),
        (DUBAI, 24.0, 54.0, True),  # on the edge
        (DUBAI, 26.0, 56.0, True),
        (DUBAI, 26.1, 55.0, False),
        (DUBAI, 23.9, 55.0, False),
        (DUBAI, 25.0, 53.9, False),
        (DUBAI, 25.0, 56.1, False),
        (ACROSS_THE_DATE_LINE, 0.0, 179.9, True),
        (ACROSS_THE_DATE_LINE, 0.0, -179.9, True),
        (ACROSS_THE_DATE_LINE, 0.0, 180.0, True),
        (ACROSS_THE_DATE_LINE, 0.0, 170.0, True),
        (ACROSS_THE_DATE_LINE, 0.0, 169.9, False),
        (ACROSS_THE_DATE_LINE, 0.0, 0.0, False),
        (ACROSS_THE_DATE_LINE, 0.0, -169.9, False),
        (ACROSS_THE_DATE_LINE, 21.0, 179.0, False),
        (WORLD, 90.0, -180.0, True),
        (WORLD, -90.0, 180.0, True),
    ],
)
def test_the_view_is_a_box_that_may_cross_the_date_line(
    view: tuple[float, float, float, float] | None, lat: float, lng: float, is_seen: bool
) -> None:
    world = World()
    world.dispatcher(1, view=view)
    [session] = world.engine.hub.dispatchers
    fix = Fix(lat=lat, lng=lng, ts=1, received_at=0.0)
    assert is_in_view(world.track("a", fleet=1), fix, session) is is_seen
    assert not is_in_view(world.track("b", fleet=2), fix, session)
    assert not is_in_view(world.track("a", fleet=1), None, session)


NORTH = (0.0, 30.0, 90.0, 90.0)


async def test_a_followed_vehicle_comes_wherever_the_dispatcher_looks_and_once_a_tick() -> None:
    world = World()
    follows = world.dispatcher(1, view=NORTH, followed=("south", "north", "other", "unknown"))
    other_fleet = world.dispatcher(2, view=NORTH, followed=("south",))
    looks = world.dispatcher(1, view=NORTH)
    for name, fleet, lat in (("south", 1, 10.0), ("north", 1, 40.0), ("other", 2, 10.0)):
        world.vehicle(name, fleet)
        world.report(name, lat=lat)
    await world.tick()
    assert sorted(follows.heard_of()) == ["north", "south"]
    assert looks.heard_of() == ["north"]
    assert other_fleet.heard_of() == []
    await world.tick()
    assert len(follows.data("locations")) == 1  # nobody moved


async def test_a_vehicle_outside_of_a_view_comes_every_ten_seconds_and_once_more_when_it_rests() -> None:
    world = World()
    looks, sees_all = world.dispatcher(1, view=NORTH), world.dispatcher(1)
    world.vehicle("a")
    world.vehicle("b", fleet=2)
    seconds = 35
    for tick in range(seconds):
        world.report("a", lat=10.0 + tick / 1000)
        world.report("b", lat=10.0)
        await world.tick(1.0)
    came = looks.data("locations")
    assert {peer["vehicleId"] for frame in came for peer in frame["peers"]} == {"a"}
    assert 2 <= len(came) <= 4
    last = sees_all.data("locations")[-1]["peers"][0]
    for _ in range(10):
        await world.tick(1.0)
    assert looks.data("locations")[-1]["peers"] == [last]
    told = len(looks.frames)
    for _ in range(20):
        await world.tick(1.0)
    assert len(looks.frames) == told


async def test_vehicles_outside_of_a_view_do_not_come_all_at_once() -> None:
    world = World()
    looks = world.dispatcher(1, view=NORTH)
    names = [f"v{number}" for number in range(100)]
    for name in names:
        world.vehicle(name)
    for _ in range(50):
        for name in names:
            world.report(name)
        await world.tick(0.2)
    frames = looks.data("locations")
    assert set(looks.heard_of()) == set(names)
    assert max(len(frame["peers"]) for frame in frames) <= 10


async def test_a_pause_of_the_server_makes_nobody_miss_his_turn() -> None:
    world = World()
    looks = world.dispatcher(1, view=NORTH)
    world.vehicle("a")
    world.report("a")
    await world.tick()
    await world.tick(3600.0)
    assert looks.heard_of() == ["a"]
