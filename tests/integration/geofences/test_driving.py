"""A truck drives in and out, and everybody who should hears of it: through a running server."""

import asyncio
import os
import signal
import urllib.error
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Any

import pytest

from tests.faults.rest import Rest
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle, vehicle_socket

LNG = 20.0
METERS = 1 / 111_195  # in degrees of latitude
_places = count(-40)


@pytest.fixture
def lat() -> float:
    """A place of the test's own."""
    return float(next(_places))


@pytest.fixture(scope="module")
def rest(server: V2VServer) -> Rest:
    """A dispatcher, whose fleet has a geofence where nobody drives: so all vehicles are judged."""
    rest = Rest(server, "alpha_dispatcher")
    asyncio.run(make(rest, 60.0, name="Far away"))
    return rest


async def make(rest: Rest, lat: float, **more: Any) -> dict[str, Any]:
    """A circle of 100 meters whose crossings need not last."""
    body = {
        "fleet": "alpha",
        "name": "Depot",
        "kind": "circle",
        "geometry": {"type": "Point", "coordinates": [LNG, lat]},
        "radiusM": 100,
        "holdS": 0,
        **more,
    }
    made: dict[str, Any] = await asyncio.to_thread(rest.post, "geofences", body)
    return made


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(15):
        while True:
            if await is_so():
                return
            await asyncio.sleep(0.1)


async def judged(server: V2VServer, before: float) -> None:
    """Wait until a vehicle has been judged once more: in a test only one moves at a time."""

    async def is_judged() -> bool:
        return await judgments(server) > before

    await until(is_judged)


async def judgments(server: V2VServer) -> float:
    return (await asyncio.to_thread(server.metrics))["v2v_geofence_vehicles_judged_total"]


async def at(server: V2VServer, socket: Socket, lat: float, **more: Any) -> None:
    """Report a place, and wait until it was judged. There must be a geofence."""
    before = await judgments(server)
    await socket.send("location_update", {"lat": lat, "lng": LNG, **more}, id=f"at{lat}{more}")
    await socket.next("ack")
    await judged(server, before)


async def events_of(rest: Rest, geofence: dict[str, Any]) -> list[dict[str, Any]]:
    found = await asyncio.to_thread(rest.get, f"geofence-events?geofenceId={geofence['id']}")
    return list(found["results"])


async def shown(rest: Rest, geofence: dict[str, Any], expected: list[str]) -> list[dict[str, Any]]:
    """The stored events, once they are of these types, newest first."""
    async with asyncio.timeout(15):
        while True:
            events = await events_of(rest, geofence)
            if [event["type"] for event in events] == expected:
                return events
            await asyncio.sleep(0.1)


async def inside(server: V2VServer, geofence: dict[str, Any], count: int) -> None:
    """Wait until so many vehicles are stored as inside."""

    async def is_so() -> bool:
        found = await sql(server, f"GeofencePresence.objects.filter(geofence={geofence['id']}).count()")
        return found == str(count)

    await until(is_so)


async def sql(server: V2VServer, expression: str) -> str:
    imports = "; ".join(f"from v2v.{app}.models import *" for app in ("alerts", "geofences", "vehicles"))
    code = f"{imports}; print({expression})"
    return await asyncio.to_thread(server.shell, code)


async def met(server: V2VServer, vehicle_id: str) -> None:
    """Wait until the vehicle's last state is stored."""
    expression = f"VehicleStatus.objects.filter(vehicle__vehicle_id='{vehicle_id}').exclude(lat=None).exists()"

    async def is_stored() -> bool:
        return await sql(server, expression) == "True"

    await until(is_stored)


async def test_a_truck_drives_in_and_out(server: V2VServer, rest: Rest, lat: float) -> None:
    async with (
        vehicle(server) as (truck, truck_id),
        dispatcher(server, "alpha_viewer") as (viewer, _),
        dispatcher(server, "beta_dispatcher") as (other, _),
    ):
        geofence = await make(rest, lat, onExit="high")
        assert (await viewer.next("geofence_updated", geofenceId=geofence["id"]))["radiusM"] == 100
        await at(server, truck, lat + 1_000 * METERS)
        await at(server, truck, lat)
        entered = await viewer.next("geofence_event")
        assert (entered["type"], entered["vehicleId"], entered["geofenceId"]) == ("enter", truck_id, geofence["id"])
        assert (entered["name"], entered["fleet"]) == ("Depot", "alpha")
        await at(server, truck, lat + 115 * METERS)  # past the border, within the margin
        await at(server, truck, lat + 130 * METERS)
        left = await viewer.next("geofence_event")
        assert (left["type"], left["vehicleId"], left["severity"]) == ("exit", truck_id, "high")
        assert left["value"] > 1
        alert = await truck.next("emergency_alert", senderId=truck_id)
        assert (alert["via"], alert["severity"], alert["message"]) == ("rule", "high", "Left Depot.")
        events = await events_of(rest, geofence)
        assert [(event["type"], event["vehicleId"]) for event in events] == [("exit", truck_id), ("enter", truck_id)]
        assert (
            await sql(server, f"Alert.objects.filter(client_id__startswith='geofence-{geofence['id']}-').count()")
            == "1"
        )
        assert [frame for frame in await other.drain(0.2) if frame["event"].startswith("geofence")] == []


async def test_who_is_inside_when_it_is_drawn_has_not_entered_and_who_leaves_has(
    server: V2VServer, rest: Rest, lat: float
) -> None:
    async with vehicle(server) as (truck, truck_id):
        await at(server, truck, lat)
        geofence = await make(rest, lat)
        await inside(server, geofence, 1)
        assert await events_of(rest, geofence) == []
        await at(server, truck, lat + 300 * METERS)
        (left,) = await shown(rest, geofence, ["exit"])
        assert left["vehicleId"] == truck_id
        await inside(server, geofence, 0)


async def test_a_lost_connection_is_no_second_coming(server: V2VServer, rest: Rest, lat: float) -> None:
    vehicle_id, token = server.vehicle()
    geofence = await make(rest, lat)
    async with vehicle_socket(server) as truck:
        await truck.register(vehicle_id, token)
        await at(server, truck, lat + 300 * METERS)
        await at(server, truck, lat)
        await shown(rest, geofence, ["enter"])
        await met(server, vehicle_id)
    async with vehicle_socket(server) as truck:
        await truck.register(vehicle_id, token)
        await at(server, truck, lat + 1 * METERS)
        await at(server, truck, lat + 300 * METERS)
        await shown(rest, geofence, ["exit", "enter"])
    async with vehicle_socket(server) as truck:  # it comes back inside: it was outside when it was seen last
        await truck.register(vehicle_id, token)
        await at(server, truck, lat)
        await shown(rest, geofence, ["enter", "exit", "enter"])


async def test_a_deleted_geofence_is_silent_and_a_restored_one_begins_anew(
    server: V2VServer, rest: Rest, lat: float
) -> None:
    async with vehicle(server) as (truck, _), dispatcher(server) as (desk, _):
        geofence = await make(rest, lat)
        path = f"geofences/{geofence['id']}"
        await at(server, truck, lat + 300 * METERS)
        await asyncio.to_thread(rest.delete, path)
        assert (await desk.next("geofence_removed"))["geofenceId"] == geofence["id"]
        with pytest.raises(urllib.error.HTTPError):
            await asyncio.to_thread(rest.get, path)
        await at(server, truck, lat)
        assert await events_of(rest, geofence) == []
        await asyncio.to_thread(rest.post, f"{path}/restore")
        await desk.next("geofence_updated", geofenceId=geofence["id"])
        await inside(server, geofence, 1)
        await at(server, truck, lat + 300 * METERS)
        await shown(rest, geofence, ["exit"])  # it was found inside


async def test_speed_inside_is_told(server: V2VServer, rest: Rest, lat: float) -> None:
    async with vehicle(server) as (truck, truck_id), dispatcher(server) as (desk, _):
        await make(rest, lat, onSpeed="event", speedLimit=10.0, onEnter="none", onExit="none")
        await desk.next("geofence_updated")
        await at(server, truck, lat, speed=25.0)
        await at(server, truck, lat + 2 * METERS, speed=26.0)
        told = await desk.next("geofence_event")
        assert (told["type"], told["vehicleId"]) == ("speed", truck_id)


async def test_a_restart_tells_nothing_twice_and_misses_nothing(
    run: Run, start_server: Callable[..., V2VServer], lat: float
) -> None:
    server = await asyncio.to_thread(partial(start_server, LAST_STATES_MS="300"))
    rest = await asyncio.to_thread(partial(Rest, server, "alpha_dispatcher"))
    geofence = await make(rest, lat)
    vehicles = [server.vehicle() for _ in range(2)]
    for index, (vehicle_id, token) in enumerate(vehicles):
        async with vehicle_socket(server) as truck:
            await truck.register(vehicle_id, token)
            await at(server, truck, lat + 300 * METERS)
            await met(server, vehicle_id)
            if index == 0:
                await at(server, truck, lat)
                await shown(rest, geofence, ["enter"])
    os.kill(server.pid, signal.SIGKILL)
    again = await asyncio.to_thread(v2v.start_again, run, server)
    try:
        for vehicle_id, token in vehicles:  # both are inside now: the first was before, the second was not
            async with vehicle_socket(again) as truck:
                await truck.register(vehicle_id, token)
                await at(again, truck, lat)
        events = await shown(rest, geofence, ["enter", "enter"])
        assert [event["vehicleId"] for event in events] == [vehicles[1][0], vehicles[0][0]]
    finally:
        await asyncio.to_thread(again.stop)
