"""Fleets never see each other on the sockets, and a right that is taken away is gone soon."""

import asyncio
from typing import Any

from tests.integration.realtime.test_presence import beating
from tests.servers.prepare import PASSWORD
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, opened, vehicle

LNG = 61.0


def vehicles_in(messages: list[dict[str, Any]]) -> set[str]:
    """Every vehicle that these events name."""
    named = set()
    for message in messages:
        data = message["data"]
        parts = [data, *data.get("peers", ()), *data.get("vehicles", ())]
        named |= {part[key] for part in parts for key in ("vehicleId", "peerVehicleId") if key in part}
    return named


async def test_a_viewer_gets_everything_of_his_own_fleet_and_never_anything_of_another(server: V2VServer) -> None:
    async with (
        dispatcher(server, "alpha_viewer") as (viewer, _),
        dispatcher(server, "admin") as (admin, _),
        vehicle(server, "alpha") as (a, a_id),
        vehicle(server, "beta") as (b, b_id),
        vehicle(server, "beta") as (c, c_id),
    ):
        for socket in (a, b, c):
            await socket.send("location_update", {"lat": -27.0, "lng": LNG, "battery": 5})
        await viewer.send("nearby_refresh", {"vehicleId": b_id}, id="theirs")
        error = await viewer.next("error")
        assert (error["code"], error["id"]) == ("not_found", "theirs")
        await viewer.send("nearby_refresh", {"vehicleId": a_id})
        assert (await viewer.next("nearby_snapshot"))["peers"] == []
        await b.connection.close()
        await admin.next("presence_update", vehicleId=b_id, status="offline")
        await asyncio.gather(viewer.drain(0.6), admin.drain(0.6))
    assert a_id in vehicles_in([m for m in viewer.seen if m["event"] == "locations"])
    assert vehicles_in(viewer.seen) <= set(server.tokens["alpha"])
    assert {a_id, b_id, c_id} <= vehicles_in([m for m in admin.seen if m["event"] == "locations"])
    # Other tests of the same server may have made fleets of their own: an admin sees those, too.
    assert vehicles_in(admin.seen[:1]) >= set(server.tokens["alpha"]) | set(server.tokens["beta"])


async def test_a_dispatcher_sees_only_his_view_also_across_the_date_line(server: V2VServer) -> None:
    async with (
        dispatcher(server) as (console, _),
        vehicle(server) as (west, west_id),
        vehicle(server) as (east, east_id),
        vehicle(server) as (away, away_id),
    ):
        await console.send("view_set", {"bbox": [170, -30, -170, -20]}, id="v")
        assert (await console.next("ack"))["id"] == "v"
        seen = await _driven(console, (west, 179.9), (east, -179.9), (away, 169.0))
        assert {west_id, east_id, away_id} & seen == {west_id, east_id}
        await console.send("view_set", {"bbox": [160, -30, 175, -20]}, id="w")
        await console.next("ack")
        seen = await _driven(console, (west, 179.9), (east, -179.9), (away, 169.0))
        assert {west_id, east_id, away_id} & seen == {away_id}
        await console.send("view_set", {}, id="all")
        await console.next("ack")
        seen = await _driven(console, (west, 179.9), (east, -179.9), (away, 169.0))
        assert {west_id, east_id, away_id} <= seen


async def _driven(console: Socket, *places: tuple[Socket, float]) -> set[str]:
    """Whom the console hears of each of three times that these report; what is out of view comes once in 10 s."""
    await console.drain(0.5)  # what was on its way
    rounds = []
    for _ in range(3):
        for socket, lng in places:
            await socket.send("location_update", {"lat": -28.0, "lng": lng})
        rounds.append(vehicles_in([m for m in await console.drain(0.8) if m["event"] == "locations"]))
    return set.intersection(*rounds)


async def test_two_vehicles_on_both_sides_of_the_date_line_are_neighbors(server: V2VServer) -> None:
    async with vehicle(server) as (west, _), vehicle(server) as (east, east_id):
        await west.send("location_update", {"lat": -29.0, "lng": 179.999})
        await east.send("location_update", {"lat": -29.0, "lng": -179.999})
        event = await west.next("proximity_event")
        assert (event["peerVehicleId"], round(event["distanceM"])) == (east_id, 194)


MEMBERSHIP = "from v2v.fleets.models import Membership as M; M.objects.filter(user__username='{}').{}"


async def test_a_membership_that_is_taken_away_ends_the_socket(impatient: V2VServer) -> None:
    async with dispatcher(impatient, "beta_viewer") as (socket, _), beating(socket):
        await asyncio.to_thread(impatient.shell, MEMBERSHIP.format("beta_viewer", "delete()"))
        error = await socket.next("error")
        assert error["code"] == "forbidden"
        assert await socket.closed() == 4403


async def test_a_role_that_changes_makes_the_console_connect_again(impatient: V2VServer) -> None:
    async with dispatcher(impatient, "beta_fleet_admin") as (socket, _), beating(socket):
        await asyncio.to_thread(impatient.shell, MEMBERSHIP.format("beta_fleet_admin", "update(role='viewer')"))
        assert await socket.closed() == 1012


async def test_a_log_in_that_ended_ends_the_socket(impatient: V2VServer) -> None:
    cookie = await asyncio.to_thread(impatient.login, "alpha_fleet_admin")
    options: dict[str, Any] = {"additional_headers": {"Cookie": cookie}, "origin": impatient.url}
    async with opened(f"{impatient.ws_url}/ws/dispatch/", **options) as socket, beating(socket):
        await socket.next("registered")
        key = cookie.partition("=")[2]
        delete = f"from django.contrib.sessions.models import Session as S; S.objects.filter(pk='{key}').delete()"
        await asyncio.to_thread(impatient.shell, delete)
        assert (await socket.next("error"))["code"] == "auth_failed"
        assert await socket.closed() == 4401


async def test_nobody_and_a_member_of_no_fleet_are_turned_away(impatient: V2VServer) -> None:
    make = "from django.contrib.auth.models import User; User.objects.create_user('loner', password={!r})"
    await asyncio.to_thread(impatient.shell, make.format(PASSWORD))
    for cookie, code, close in (
        ("sessionid=nonsense", "auth_failed", 4401),
        (await asyncio.to_thread(impatient.login, "loner"), "forbidden", 4403),
    ):
        options: dict[str, Any] = {"additional_headers": {"Cookie": cookie}, "origin": impatient.url}
        async with opened(f"{impatient.ws_url}/ws/dispatch/", **options) as socket:
            assert (await socket.next("error"))["code"] == code
            assert await socket.closed() == close
