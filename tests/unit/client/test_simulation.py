import asyncio
import json
import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from shapely import Point as ShapelyPoint
from shapely import Polygon, unary_union
from shapely.geometry.base import BaseGeometry

from tests.unit.client.peer import DEADLINE_S, Peer
from v2v.client.simulation import fleet as fleet_module
from v2v.client.simulation import incidents
from v2v.client.simulation.fleet import SimulatedFleet
from v2v.client.simulation.paths import path_between, to_degrees, to_meters
from v2v.client.simulation.roads import HIGHWAY, HUBS, PLACES, ROADS
from v2v.client.simulation.run import run_fleet
from v2v.client.simulation.truck import HURRIED_HASTE, Truck
from v2v.protocol.decode import decode_vehicle_command

ATLAS = Path(__file__).parents[3] / "static" / "vendor" / "world-atlas" / "countries-10m.json"
HARSH = 4.4  # m/s2, from which on braking counts as harsh


@pytest.fixture(scope="module")
def trucks() -> list[Truck]:
    return [Truck(f"demo-{number:05d}") for number in range(60)]


def states(truck: Truck, seconds: int) -> list[tuple[tuple[float, float], float, float]]:
    """Position, speed and heading of every second."""
    seen = []
    for _ in range(seconds):
        truck.advance(1.0)
        seen.append((truck.position, truck.speed, truck.heading))
    return seen


def test_the_same_seed_drives_the_same_way() -> None:
    assert states(Truck("demo-1", seed=7), 900) == states(Truck("demo-1", seed=7), 900)
    assert states(Truck("demo-1", seed=7), 9) != states(Truck("demo-1", seed=8), 9)
    assert states(Truck("demo-1", seed=7), 9) != states(Truck("demo-2", seed=7), 9)


def test_trucks_drive_as_trucks_can(trucks: list[Truck]) -> None:
    for truck in trucks:
        for (before, speed, _), (after, next_speed, _) in pairwise(states(truck, 900)):
            assert 0 <= next_speed <= HIGHWAY * (HURRIED_HASTE[1] if truck.is_hurried else 1.0)
            assert abs(next_speed - speed) < HARSH or truck.is_hurried
            assert math.dist(to_meters(before), to_meters(after)) < 2 * HIGHWAY


def test_a_few_are_hurried_and_drive_too_fast_and_brake_hard(trucks: list[Truck]) -> None:
    hurried = [truck for truck in trucks if truck.is_hurried]
    assert 1 <= len(hurried) <= 12
    driven = [states(truck, 3600) for truck in hurried]
    speeds = [[speed for _, speed, _ in drive] for drive in driven]
    assert all(max(each) > 1.03 * HIGHWAY for each in speeds)
    braked = [before - after for each in speeds for before, after in pairwise(each) if before - after > HARSH]
    assert 0 < len(braked) < 60 * len(hurried)


def test_the_heading_is_that_of_the_movement(trucks: list[Truck]) -> None:
    along = []
    for truck in trucks:
        for (before, speed, _), (after, next_speed, heading) in pairwise(states(truck, 300)):
            if min(speed, next_speed) > 5:
                (x, y), (next_x, next_y) = to_meters(before), to_meters(after)
                moved = math.degrees(math.atan2(next_x - x, next_y - y))
                along.append(abs((moved - heading + 180) % 360 - 180) < 20)
    assert sum(along) > 0.98 * len(along) > 1000


def test_trucks_stop_at_hubs_for_a_while_and_go_on(trucks: list[Truck]) -> None:
    hubs = [to_meters(PLACES[hub]) for hub in HUBS]
    stops = []
    for truck in trucks[:20]:
        standing = 0
        for position, speed, _ in states(truck, 3600):
            if speed == 0:
                standing += 1
                assert min(math.dist(to_meters(position), hub) for hub in hubs) < 10
            elif standing:
                stops.append(standing)
                standing = 0
    assert len(stops) >= 10
    assert all(10 <= stop <= 122 for stop in stops)


def test_a_long_step_is_as_many_short_ones() -> None:
    leaps, walks = Truck("demo-1"), Truck("demo-1")
    leaps.advance(60.0)
    for _ in range(60):
        walks.advance(1.0)
    assert leaps.position == walks.position


def test_some_vehicles_report_telemetry_and_some_do_not(trucks: list[Truck]) -> None:
    for gauges in ([truck.battery for truck in trucks], [truck.signal for truck in trucks]):
        assert {gauge.value is None for gauge in gauges} == {True, False}
        assert all(gauge.rounded is None or 0 <= gauge.rounded <= 100 for gauge in gauges)


def test_every_hub_can_be_reached_from_every_other() -> None:
    for start in HUBS:
        for goal in HUBS:
            if start != goal:
                path = path_between(start, goal)
                ends = [to_degrees(path.xs[i], path.ys[i]) for i in (0, -1)]
                assert ends == [pytest.approx(PLACES[start]), pytest.approx(PLACES[goal])]
                assert path.speeds[-1] == 0


def emirates() -> BaseGeometry:
    """The United Arab Emirates and Oman of the map that the console shows."""
    topology: dict[str, Any] = json.loads(ATLAS.read_text())
    (scale_x, scale_y), (x_0, y_0) = topology["transform"]["scale"], topology["transform"]["translate"]

    def arc(number: int) -> list[tuple[float, float]]:
        points, x, y = [], 0, 0
        for dx, dy in topology["arcs"][number if number >= 0 else ~number]:
            x, y = x + dx, y + dy
            points.append((x * scale_x + x_0, y * scale_y + y_0))
        return points if number >= 0 else points[::-1]

    countries = [
        country
        for country in topology["objects"]["countries"]["geometries"]
        if country["properties"]["name"] in ("United Arab Emirates", "Oman")
    ]
    shells = [
        [point for number in polygon[0] for point in arc(number)]
        for country in countries
        for polygon in (country["arcs"] if country["type"] == "MultiPolygon" else [country["arcs"]])
    ]
    return unary_union([Polygon(shell).buffer(0) for shell in shells])


def test_roads_are_on_land_but_for_the_bridge_over_the_creek() -> None:
    land = emirates()
    corners = {PLACES[item] if isinstance(item, str) else item for road in ROADS for item in road.line}
    assert {corner for corner in corners if not land.contains(ShapelyPoint(corner[::-1]))} == {(25.227, 55.326)}


# ---- The fleet


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not is_so():  # noqa: ASYNC110 - the fleet's counters tell nobody
            await asyncio.sleep(0.01)


async def test_a_fleet_connects_reports_and_counts(peer: Peer) -> None:
    fleet = SimulatedFleet(peer.url, {f"demo-{n}": f"token {n}" for n in range(3)}, hz=5)
    lines: list[str] = []
    running = asyncio.create_task(run_fleet(fleet, seconds=DEADLINE_S, say=lines.append))
    for number in range(3):
        side = await peer.accept()
        registration = (await side.register())["data"]
        assert registration["vehicleId"] == f"demo-{number}"
        assert registration["token"] == f"token {number}"
        assert registration["driverName"]
        assert registration["vehicleInfo"]["plate"].startswith("Dubai ")
        await side.socket.send('{"event":"peer_locations","data":{"peers":[{"vehicleId":"a"},{"vehicleId":"b"}]}}')
        await side.send("error", code="rate_limited", message="Slower.", ts=1)
        report = (await side.read("location_update"))["data"]
        assert report.keys() >= {"lat", "lng", "ts", "speed", "heading"}
    await until(lambda: fleet.errors.total() == 3)
    assert (fleet.online, fleet.peers_heard, fleet.errors) == (3, 6, {"rate_limited": 3})
    assert fleet.reports >= 3
    await side.close(4410)
    await until(lambda: bool(fleet.stopped))
    assert fleet.online == 2
    running.cancel()
    await asyncio.wait([running])
    assert fleet.online == 0


async def test_only_so_many_connect_at_a_time(peer: Peer) -> None:
    extra = 5
    together = fleet_module.CONNECT_TOGETHER
    fleet = SimulatedFleet(peer.url, {f"demo-{n}": "token" for n in range(together + extra)})
    running = asyncio.create_task(fleet.run())
    sides = [await peer.accept() for _ in range(together)]
    await asyncio.sleep(0.05)
    assert len(peer.upgrades) == together
    for side in sides[:extra]:
        await side.register()
    for _ in range(extra):
        await peer.accept()
    running.cancel()
    await asyncio.wait([running])


async def test_things_happen_on_the_road(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "ALERT_S", (0.0, 0.0))
    monkeypatch.setattr(incidents, "RING_S", (0.0, 0.0))
    fleet = SimulatedFleet(peer.url, {"demo-1": "token"}, hz=0.1, incidents_per_minute=6_000)
    running = asyncio.create_task(fleet.run())
    side = await peer.accept_registered()
    seen: dict[str, Any] = {}
    while not seen.keys() >= {"send_message", "emergency_alert", "alert_cancel", "call_initiate", "call_end"}:
        command = await side.read()
        seen[command["event"]] = command["data"]
        decode_vehicle_command(json.dumps(command).encode())
        if "id" in command:
            await side.send("ack", id=command["id"], alertId="a1", callId="c1")
    assert seen["alert_cancel"] == {"alertId": "a1"}
    assert seen["call_end"] == {"callId": "c1"}
    assert seen["send_message"]["recipientId"] == seen["call_initiate"]["calleeId"] == "dispatch"
    running.cancel()
    await asyncio.wait([running])


async def test_what_the_server_refuses_is_counted(peer: Peer) -> None:
    fleet = SimulatedFleet(peer.url, {"demo-1": "token"}, hz=0.1, incidents_per_minute=6_000)
    running = asyncio.create_task(fleet.run())
    side = await peer.accept_registered()
    while not fleet.errors["forbidden"]:
        command = await side.read()
        if "id" in command:
            await side.send("error", id=command["id"], code="forbidden", message="Not you.", ts=1)
    running.cancel()
    await asyncio.wait([running])
