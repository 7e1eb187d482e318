"""Vehicles report and hear of each other, through a running server."""

import asyncio
import re
from collections.abc import Callable

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle

LNG = 55.27
METERS = 1 / 111_195  # in degrees of latitude


async def test_neighbors_hear_of_each_other_and_of_nobody_far_away(server: V2VServer) -> None:
    async with vehicle(server) as (a, a_id), vehicle(server) as (b, b_id), vehicle(server) as (far, _):
        await far.send("location_update", {"lat": -26.0, "lng": LNG})
        await a.send("location_update", {"lat": -25.0, "lng": LNG, "speed": 12.5, "heading": 360})
        await b.send("location_update", {"lat": -25.0 + 300 * METERS, "lng": LNG})
        heard = await b.next("peer_locations")
        assert heard["peers"][0] | {"ts": 0} == {
            "vehicleId": a_id, "lat": -25.0, "lng": LNG, "ts": 0, "speed": 12.5, "heading": 0.0,
        }  # fmt: skip
        event = await a.next("proximity_event")
        assert (event["type"], event["peerVehicleId"]) == ("enter", b_id)
        assert abs(event["distanceM"] - 300) < 1
        assert not [message for message in await far.drain(0.6) if message["event"] == "peer_locations"]


async def test_one_who_stands_still_is_heard_of_by_one_who_arrives(server: V2VServer) -> None:
    async with vehicle(server) as (parked, parked_id), vehicle(server) as (arriving, _):
        await parked.send("location_update", {"lat": -30.0, "lng": LNG})
        await asyncio.sleep(0.5)
        await arriving.send("location_update", {"lat": -30.0, "lng": LNG})
        assert (await arriving.next("peer_locations"))["peers"][0]["vehicleId"] == parked_id


async def test_fleets_at_one_place_do_not_see_each_other(server: V2VServer) -> None:
    async with vehicle(server, "alpha") as (a, _), vehicle(server, "beta") as (b, _):
        for _ in range(3):
            await a.send("location_update", {"lat": -35.0, "lng": LNG})
            await b.send("location_update", {"lat": -35.0, "lng": LNG})
            await asyncio.sleep(0.25)
        assert not [m for socket in (a, b) for m in await socket.drain(0.4) if m["event"] != "heartbeat_ack"]
        await a.send("nearby_refresh")
        assert (await a.next("nearby_snapshot"))["peers"] == []


async def test_they_part_only_beyond_the_wider_radius_and_after_the_hold(
    start_server: Callable[..., V2VServer], database_url: str
) -> None:
    server = start_server(PROXIMITY_HOLD_MS="1000", database_url=database_url)
    async with vehicle(server) as (a, a_id), vehicle(server) as (b, _):
        await a.send("location_update", {"lat": 10.0, "lng": LNG})
        await b.send("location_update", {"lat": 10.0, "lng": LNG})
        await b.next("proximity_event", type="enter", peerVehicleId=a_id)
        await asyncio.sleep(1.2)
        await b.send("location_update", {"lat": 10.0 + 550 * METERS, "lng": LNG})  # past R, within 1.2 R
        assert not [m for m in await b.drain(0.6) if m["event"] == "proximity_event"]
        await b.send("location_update", {"lat": 10.0 + 650 * METERS, "lng": LNG})
        event = await b.next("proximity_event")
        assert event["type"] == "exit"
        assert abs(event["distanceM"] - 650) < 1
    await asyncio.sleep(1.2)
    stored = server.shell(
        "from v2v.proximity.models import ProximityEvent as E;"
        "print(*E.objects.order_by('id').values_list('type', 'distance_m'))"
    )
    assert re.fullmatch(r"\('enter', 0\.0\) \('exit', 6(49|50)\.\d+\)", stored), stored


async def test_nearby_refresh_is_computed_now_and_sorted_by_distance(server: V2VServer) -> None:
    async with vehicle(server) as (me, me_id), vehicle(server) as (near, near_id), vehicle(server) as (next_, next_id):
        await next_.send("location_update", {"lat": -40.0 + 800 * METERS, "lng": LNG})
        await near.send("location_update", {"lat": -40.0 + 200 * METERS, "lng": LNG})
        await me.send("location_update", {"lat": -40.0, "lng": LNG})
        await asyncio.sleep(0.5)
        await me.send("nearby_refresh", {"radiusM": 1000}, id="n1")
        snapshot = await me.next("nearby_snapshot")
        assert (snapshot["vehicleId"], snapshot["radiusM"]) == (me_id, 1000)
        assert [peer["vehicleId"] for peer in snapshot["peers"]] == [near_id, next_id]
        assert snapshot["peers"][0]["bearing"] == 0.0
        assert (await me.next("ack"))["id"] == "n1"


async def test_positions_that_come_too_fast_are_coalesced_to_the_newest(server: V2VServer) -> None:
    async with vehicle(server) as (a, a_id), vehicle(server) as (b, _):
        await b.send("location_update", {"lat": -45.0, "lng": LNG})
        for step in range(8):
            await a.send("location_update", {"lat": -45.0, "lng": LNG, "ts": 1_795_000_000_000 + step, "speed": step})
        refused = await a.drain(0.2)
        assert not refused or all(m["event"] != "error" for m in refused)
        heard = [peer for m in await b.drain(0.8) if m["event"] == "peer_locations" for peer in m["data"]["peers"]]
        assert [peer["vehicleId"] for peer in heard] == [a_id] * len(heard)
        assert len(heard) <= 2


async def test_late_and_duplicate_positions_never_move_the_live_one_back(server: V2VServer) -> None:
    async with vehicle(server) as (a, a_id), dispatcher(server) as (console, _):
        now = await _server_now(a)
        for ts, lat, outcome in ((now, -50.0, None), (now - 2000, -51.0, "late"), (now, -52.0, "duplicate")):
            await a.send("location_update", {"lat": lat, "lng": LNG, "ts": ts}, id=f"f{lat}")
            assert (await a.next("ack")).get("outcome") == outcome
        await a.send("location_update", {"lat": -53.0, "lng": LNG, "ts": now - 400_000}, id="old")
        assert (await a.next("ack"))["outcome"] == "late"
        await asyncio.sleep(0.5)
        lats = {
            p["lat"]
            for m in await console.drain(0.3)
            if m["event"] == "locations"
            for p in m["data"]["peers"]
            if p["vehicleId"] == a_id
        }
        assert lats == {-50.0}


async def test_a_clock_that_runs_ahead_is_refused(server: V2VServer) -> None:
    async with vehicle(server) as (a, _):
        now = await _server_now(a)
        await a.send("location_update", {"lat": 0, "lng": LNG, "ts": now + 600_000}, id="ahead")
        error = await a.next("error")
        assert (error["code"], error["id"], error["details"]["field"]) == ("clock_skew", "ahead", "ts")


async def _server_now(socket: Socket) -> int:
    await socket.send("heartbeat")
    return int((await socket.next("heartbeat_ack"))["ts"])
