"""What the logs and the metrics tell."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.servers.v2v import V2VServer
from tests.sockets import dispatcher, vehicle, vehicle_socket

LNG = 63.0

METRICS = """\
v2v_active_vehicles v2v_messages_total v2v_message_delivery_latency_seconds_count
v2v_location_updates_received_total v2v_location_updates_processed_total v2v_location_updates_coalesced_total
v2v_location_updates_rejected_total v2v_spatial_tick_seconds_count v2v_ws_process_count v2v_ws_connections
v2v_ws_slow_closed_total v2v_rate_limited_total v2v_auth_failures_total v2v_stale_connections_total
v2v_sweep_seconds_count"""


def lines_of(server: V2VServer) -> list[dict[str, Any]]:
    """Every line of the log; each must be a JSON object."""
    return [json.loads(line) for line in server.log().splitlines()]


async def test_a_connection_can_be_followed_by_its_session_from_its_first_to_its_last_line(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle_socket(server) as socket:
        session = (await socket.register(vehicle_id, token, deviceId="phone"))["sessionId"]
        await socket.send("heartbeat", id="h")
        await socket.next("ack")
    mine: list[dict[str, Any]] = []
    async with asyncio.timeout(10):
        while not mine or mine[-1]["event"] != "disconnected":
            await asyncio.sleep(0.1)
            mine = [line for line in lines_of(server) if line.get("session") == session]
    first, registered, last = mine
    assert (first["event"], first["kind"], first["address"]) == ("connected", "vehicle", "127.0.0.1")
    assert registered["event"] == "vehicle registered"
    assert (registered["vehicle"], registered["device"], registered["fleet"]) == (vehicle_id, "phone", "alpha")
    assert (last["client"], last["code"], last["received"], last["posted"]) == (vehicle_id, 1000, 2, 3)
    assert last["seconds"] >= 0
    assert all(line["level"] == "info" and line["timestamp"] and line["logger"] for line in mine)
    assert token not in server.log()


async def test_what_a_service_logs_for_a_socket_carries_the_session(server: V2VServer) -> None:
    async with vehicle_socket(server) as socket:
        await socket.send("register", {"vehicleId": "nobody-has-this", "token": "v2v_wrong"})
        await socket.closed()
    await asyncio.sleep(0.2)
    refused = [line for line in lines_of(server) if line["event"] == "authentication refused"][-1]
    opened = {line["session"] for line in lines_of(server) if line["event"] == "connected"}
    assert refused["session"] in opened


async def test_a_dispatcher_is_named_in_the_log(server: V2VServer) -> None:
    async with dispatcher(server) as (_, snapshot):
        pass
    await asyncio.sleep(0.3)
    mine = [line for line in lines_of(server) if line.get("session") == snapshot["sessionId"]]
    assert [line["event"] for line in mine] == ["connected", "dispatcher registered", "disconnected"]
    assert mine[1]["user"] == mine[2]["client"] == "alpha_dispatcher"


def test_the_line_of_a_refused_request_has_its_id(server: V2VServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{server.url}/there-is-no-such-page", timeout=10)
    [line] = [line for line in lines_of(server) if "there-is-no-such-page" in json.dumps(line)]
    assert (line["request"], line["code"]) == ("GET /there-is-no-such-page", 404)
    assert len(line["request_id"]) == 36


async def test_the_metrics_have_their_names_and_move_when_something_happens(server: V2VServer) -> None:
    async with vehicle(server) as (a, _), vehicle(server) as (b, _), dispatcher(server):
        await asyncio.sleep(1.3)  # the counters are brought up to date once a second
        before = server.metrics()
        now = time.time_ns() // 1_000_000
        for step in range(12):  # ten are taken
            await a.send("location_update", {"lat": -32.0, "lng": LNG, "ts": now + step})
        await b.send("location_update", {"lat": -32.0, "lng": LNG})
        await a.next("peer_locations")
        await b.send("location_update", {"lat": -32.0, "lng": LNG, "ts": 1}, id="late")
        await b.next("ack")
        async with vehicle_socket(server) as stranger:
            await stranger.send("register", {"vehicleId": "nobody-has-this", "token": "v2v_wrong"})
            await stranger.closed()
        await asyncio.sleep(1.3)
        after = server.metrics()
    assert [name for name in METRICS.split() if name not in after] == []

    def grown(name: str) -> float:
        return after[name] - before.get(name, 0.0)

    assert grown("v2v_messages_total") == 15
    assert grown("v2v_auth_failures_total") == 1
    assert grown("v2v_location_updates_received_total") == 14
    live = grown("v2v_location_updates_processed_total") + grown("v2v_location_updates_coalesced_total")
    rejected = grown("v2v_location_updates_rejected_total")
    assert live + rejected == 14
    assert rejected >= grown("v2v_rate_limited_total") + 1 >= 2
    assert grown("v2v_location_updates_coalesced_total") >= 7
    assert grown("v2v_positions_delivered_total") >= 2
    assert grown("v2v_message_delivery_latency_seconds_count") >= 1
    assert grown("v2v_spatial_tick_seconds_count") >= 5
    assert after["v2v_ws_process_count"] == 1
    assert after["v2v_ws_connections"] >= 3
    assert after["v2v_active_vehicles"] >= 2


async def test_the_statistics_count_connections_and_each_vehicle_and_user_once(server: V2VServer) -> None:
    cookie = await asyncio.to_thread(server.login, "alpha_dispatcher")
    vehicle_id, token = server.vehicle()

    def stats() -> dict[str, Any]:
        request = urllib.request.Request(f"{server.url}/api/v1/websocket/stats", headers={"Cookie": cookie})
        with urllib.request.urlopen(request, timeout=10) as answer:
            counted: dict[str, Any] = json.load(answer)
            return counted

    await asyncio.sleep(0.5)  # for the connections of other tests to be gone
    before = await asyncio.to_thread(stats)
    async with (
        dispatcher(server),
        dispatcher(server),
        vehicle_socket(server) as phone,
        vehicle_socket(server) as tablet,
    ):
        await phone.register(vehicle_id, token, deviceId="phone")
        await tablet.register(vehicle_id, token, deviceId="tablet")
        now = await asyncio.to_thread(stats)
    grown = {name: now[name] - before[name] for name in ("totalConnections", "uniqueVehicles", "uniqueUsers")}
    assert grown == {"totalConnections": 4, "uniqueVehicles": 1, "uniqueUsers": 1}
    assert now["byTransport"] == {"websocket": now["totalConnections"]}
    assert now["staleConnections"] == before["staleConnections"]
