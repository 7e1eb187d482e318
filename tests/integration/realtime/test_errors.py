"""What is wrong is refused with a code, the field and the issue, and reaches nobody else."""

import json
from typing import Any

import pytest

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle, vehicle_socket

LNG = 57.0
HERE = {"lat": -16.0, "lng": LNG}
CONTENT = {"content": "x", "recipientId": "somebody"}

WRONG: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("no_such_event", {}, "unknown_event", None),
    ("location_update", {"lat": 91, "lng": LNG}, "invalid_location", "lat"),
    ("location_update", {"lat": "1", "lng": LNG}, "invalid_location", "lat"),
    ("location_update", {"lat": 1}, "invalid_location", "lng"),
    ("location_update", {**HERE, "heading": 360.5}, "invalid_location", "heading"),
    ("location_update", {**HERE, "speed": -1}, "invalid_location", "speed"),
    ("location_update", {**HERE, "battery": 101}, "invalid_location", "battery"),
    ("location_update", {**HERE, "ts": 1.5}, "invalid_location", "ts"),
    ("location_update", {**HERE, "colour": "red"}, "validation_error", "colour"),
    ("nearby_refresh", {"radiusM": 0}, "validation_error", "radiusM"),
    ("nearby_refresh", {"vehicleId": "somebody-else"}, "forbidden", None),
    ("send_message", {**CONTENT, "content": "x" * 513}, "validation_error", "content"),
    ("send_message", {**CONTENT, "content": "bell \x07"}, "validation_error", "content"),
    ("send_message", {**CONTENT, "contentType": "html"}, "validation_error", "contentType"),
    ("send_message", {**CONTENT, "contentType": "json"}, "validation_error", None),
    ("send_message", {"content": "to whom?"}, "validation_error", None),
    ("emergency_alert", {"type": "boredom"}, "validation_error", "type"),
    ("emergency_alert", {"lat": 1}, "validation_error", None),
    ("register", {"vehicleId": "a b"}, "invalid_register", "vehicleId"),
    ("alert_ack", {"alertId": "1"}, "unknown_event", None),  # dispatchers only
]


async def test_every_refusal_has_the_one_schema_its_code_and_the_field(server: V2VServer) -> None:
    async with vehicle(server) as (socket, _):
        for number, (event, data, code, named) in enumerate(WRONG):
            await socket.send(event, data, id=f"w{number}")
            error = await socket.next("error")
            assert (error["code"], error["id"]) == (code, f"w{number}"), (event, data)
            assert set(error) <= {"code", "message", "ts", "details", "id"}
            assert isinstance(error["message"], str)
            assert isinstance(error["ts"], int)
            if named is not None:
                assert error["details"]["field"] == named
                assert error["details"]["issue"]
        assert not [m for m in socket.seen if m["event"] == "ack"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400, "0x10", "null", "true", "[]"])
async def test_what_is_no_finite_number_is_refused_and_reaches_no_neighbor(server: V2VServer, number: str) -> None:
    async with vehicle(server) as (socket, _), vehicle(server) as (near, _):
        await near.send("location_update", {"lat": -17.0, "lng": LNG})
        await socket.send_raw('{"event":"location_update","id":"n","data":{"lng":57.0,"lat":' + number + "}}")
        assert (await socket.next("error"))["code"] in ("invalid_location", "validation_error")
        await socket.send("location_update", {"lat": -17.0, "lng": LNG}, id="good")  # the connection lives
        assert (await socket.next("ack"))["id"] == "good"
        heard = await near.next("peer_locations")
        assert [peer["lat"] for peer in heard["peers"]] == [-17.0]


async def test_before_register_nothing_else_is_taken(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle_socket(server) as socket:
        await socket.send("location_update", HERE, id="early")
        error = await socket.next("error")
        assert (error["code"], error["id"]) == ("not_registered", "early")
        await socket.register(vehicle_id, token)


ENVELOPES: list[tuple[dict[str, Any], str | None]] = [
    ({"ts": 0}, None),
    ({"ts": 290_000}, None),
    ({"ts": -290_000}, None),
    ({"ts": 310_000}, "clock_skew"),
    ({"ts": -310_000}, "clock_skew"),
    ({"ts": -310_000, "ttlMs": 60_000}, None),  # good until 250 s ago, within the tolerance
    ({"ts": -400_000, "ttlMs": 60_000}, "expired"),
    ({"ts": 310_000, "ttlMs": 60_000}, "clock_skew"),
    ({"ttlMs": 1}, None),  # of when, nobody said
    ({"ttlMs": 0}, "validation_error"),
    ({"ts": -(10**15)}, "validation_error"),
    ({"id": ""}, "validation_error"),
    ({"id": "x" * 65}, "validation_error"),
    ({"seq": 1}, "validation_error"),
]


async def test_the_envelopes_times_are_held_against_the_servers_clock(server: V2VServer) -> None:
    async with vehicle(server) as (socket, _):
        await socket.send("heartbeat")
        now = (await socket.next("heartbeat_ack"))["ts"]
        for number, (given, code) in enumerate(ENVELOPES):
            envelope: dict[str, Any] = {"id": f"e{number}", **given}
            if "ts" in given:
                envelope["ts"] += now
            await socket.send("heartbeat", {"battery": 50}, **envelope)
            if code is None:
                assert (await socket.next("ack"))["id"] == f"e{number}", given
            else:
                error = await socket.next("error")
                assert error["code"] == code, given
                assert error.get("id") == (None if "id" in given else f"e{number}")


async def test_a_command_with_an_id_is_answered_exactly_once_whatever_it_is(server: V2VServer) -> None:
    async with vehicle(server) as (socket, _):
        commands: list[tuple[str, dict[str, Any]]] = [
            ("heartbeat", {}), ("location_update", HERE), ("location_update", {**HERE, "ts": 1}),
            ("nearby_refresh", {}), ("location_update", {}), ("what", {}), ("register", {"vehicleId": "x"}),
        ]  # fmt: skip
        for number, (event, data) in enumerate(commands):
            await socket.send(event, data, id=f"c{number}")
        await socket.send("heartbeat", id="last")
        await socket.next("ack", id="last")
        await socket.drain(0.3)
        answered = [m["data"]["id"] for m in socket.seen if m["event"] in ("ack", "error")]
        assert sorted(answered) == sorted([*(f"c{number}" for number in range(len(commands))), "last"])


async def test_dispatchers_get_the_same_schema_and_only_their_own_events(server: V2VServer) -> None:
    async with dispatcher(server) as (socket, _):
        for event, data, code in (
            ("register", {"vehicleId": "abc", "token": "x"}, "unknown_event"),
            ("location_update", HERE, "unknown_event"),
            ("view_set", {"bbox": [0, 10, 1, 5]}, "validation_error"),
            ("view_set", {"bbox": [0, 10, 181, 20]}, "validation_error"),
            ("nearby_refresh", {}, "validation_error"),
            ("nearby_refresh", {"vehicleId": "nobody-has-this"}, "not_found"),
        ):
            await socket.send(event, data, id="d")
            error = await socket.next("error")
            assert (error["code"], error["id"]) == (code, "d"), event


async def test_errors_are_numbered_like_all_else(server: V2VServer) -> None:
    async with vehicle(server) as (socket, _):
        await _provoke(socket)
        assert [message["seq"] for message in socket.seen] == [1, 2, 3]


async def _provoke(socket: Socket) -> None:
    for _ in range(2):
        await socket.send_raw(json.dumps({"event": "x", "data": {}}))
        await socket.next("error")
