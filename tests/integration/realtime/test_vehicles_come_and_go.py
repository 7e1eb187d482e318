"""Vehicles that are added, changed, disabled, deleted: dispatchers are told, and know no ghosts."""

import asyncio
import urllib.request
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.faults.rest import CSRF, Rest
from tests.integration.realtime.test_isolation import vehicles_in
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle, vehicle_socket

HERE = {"lat": -31.0, "lng": 62.0}


@pytest.fixture(scope="module")
def admin(server: V2VServer) -> Rest:
    return Rest(server, "alpha_fleet_admin")


async def call(function: Any, *arguments: Any) -> Any:
    return await asyncio.to_thread(function, *arguments)


async def test_a_vehicle_that_is_added_or_changed_is_told_to_its_dispatchers_alone(
    server: V2VServer, admin: Rest
) -> None:
    async with dispatcher(server) as (alpha, _), dispatcher(server, "beta_dispatcher") as (beta, _):
        made = await call(admin.post, "vehicles", {"vehicleId": "added-1", "fleet": "alpha", "type": "van"})
        told = await alpha.next("vehicle_updated", vehicleId="added-1")
        assert told == {"vehicleId": "added-1", "fleet": "alpha", "type": "van"}
        change = {"driverName": "Noor", "version": made["version"]}
        await call(admin.patch, "vehicles/added-1", change)
        told = await alpha.next("vehicle_updated", vehicleId="added-1")
        assert told == {"vehicleId": "added-1", "fleet": "alpha", "type": "van", "driverName": "Noor"}
        assert vehicles_in(await beta.drain(0.3)) == set()


async def test_what_a_vehicle_says_of_itself_is_told_when_it_is_new(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with dispatcher(server) as (console, _), vehicle_socket(server) as socket:
        await socket.register(vehicle_id, token, vehicleInfo={"type": "tanker"})
        assert (await console.next("vehicle_updated", vehicleId=vehicle_id))["type"] == "tanker"
        await socket.register(vehicle_id, token, vehicleInfo={"type": "tanker"})
        again = await console.drain(0.3)
        assert not [m for m in again if m["event"] == "vehicle_updated" and m["data"]["vehicleId"] == vehicle_id]


async def removed(console: Socket, vehicle_id: str) -> list[str]:
    """The events about the vehicle up to its removal and shortly after, in order."""
    await console.next("vehicle_removed", vehicleId=vehicle_id)
    await console.drain(0.6)
    return [m["event"] for m in console.seen if vehicle_id in vehicles_in([m]) and m["event"] != "registered"]


async def test_a_vehicle_that_is_deleted_while_it_drives_is_gone_for_good(server: V2VServer, admin: Rest) -> None:
    async with dispatcher(server) as (console, _), vehicle(server) as (socket, vehicle_id):
        await socket.send("location_update", HERE)
        await console.next("locations")
        await call(admin.delete, f"vehicles/{vehicle_id}")
        assert await socket.closed() == 4410
        events = await removed(console, vehicle_id)
        # It goes offline before it goes away: nothing but a position that was on its way comes behind.
        assert [event for event in events if event != "locations"] == [
            "presence_update",
            "presence_update",
            "vehicle_removed",
        ]
    async with dispatcher(server) as (_, snapshot):
        assert vehicle_id not in vehicles_in([{"data": snapshot}])


def admin_action(server: V2VServer, action: str, vehicle_pk: str) -> None:
    """Choose an action of the admin's list of vehicles."""
    headers = {"Cookie": f"{server.login('admin')}; csrftoken={CSRF}", "Referer": server.url}
    form = {"action": action, "_selected_action": vehicle_pk, "csrfmiddlewaretoken": CSRF}
    url = f"{server.url}/admin/vehicles/vehicle/"
    urllib.request.urlopen(urllib.request.Request(url, urlencode(form).encode(), headers), timeout=15).close()


async def test_a_disabled_vehicle_is_gone_until_it_is_enabled(server: V2VServer) -> None:
    vehicle_id, _ = server.vehicle()
    code = f"from v2v.vehicles.models import Vehicle; print(Vehicle.objects.get(vehicle_id='{vehicle_id}').pk)"
    vehicle_pk = await call(server.shell, code)
    async with dispatcher(server) as (console, _):
        await call(admin_action, server, "disable", vehicle_pk)
        assert await console.next("vehicle_removed") == {"vehicleId": vehicle_id}
        async with dispatcher(server) as (_, snapshot):
            assert vehicle_id not in vehicles_in([{"data": snapshot}])
        await call(admin_action, server, "enable", vehicle_pk)
        assert await console.next("vehicle_updated") == {"vehicleId": vehicle_id, "fleet": "alpha"}
        async with dispatcher(server) as (_, snapshot):
            assert vehicle_id in vehicles_in([{"data": snapshot}])


async def test_a_vehicle_that_goes_to_another_fleet_goes_from_one_console_to_the_other(
    server: V2VServer, admin: Rest
) -> None:
    vehicle_id, _ = server.vehicle()
    root = await call(Rest, server, "admin")
    async with dispatcher(server) as (alpha, _), dispatcher(server, "beta_dispatcher") as (beta, _):
        known = await call(admin.get, f"vehicles/{vehicle_id}")
        await call(root.patch, f"vehicles/{vehicle_id}", {"fleet": "beta", "version": known["version"]})
        assert await alpha.next("vehicle_removed") == {"vehicleId": vehicle_id}
        assert await beta.next("vehicle_updated") == {"vehicleId": vehicle_id, "fleet": "beta"}
