"""Messages through a running server: to vehicles, dispatchers, everybody, and those who are away."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle, vehicle_socket


async def say(socket: Socket, **data: Any) -> dict[str, Any]:
    """Send a message; the data of the ack."""
    command_id = uuid.uuid4().hex
    await socket.send("send_message", data, id=command_id)
    return await socket.next("ack", id=command_id)


async def refused(socket: Socket, **data: Any) -> dict[str, Any]:
    """Send a message that is not taken; the data of the error."""
    command_id = uuid.uuid4().hex
    await socket.send("send_message", data, id=command_id)
    return await socket.next("error", id=command_id)


@asynccontextmanager
async def known(server: V2VServer, vehicle_id: str, token: str, **data: Any) -> AsyncIterator[tuple[Socket, Any]]:
    """A socket of this vehicle, and the snapshot's messages."""
    async with vehicle_socket(server) as socket:
        registered = await socket.register(vehicle_id, token, **data)
        yield socket, registered["messages"]


async def test_a_message_comes_and_its_sender_hears_of_it(server: V2VServer) -> None:
    async with vehicle(server) as (a, a_id), vehicle(server) as (b, b_id), vehicle(server) as (other, _):
        message_id = (await say(a, recipientId=b_id, content="Hello"))["messageId"]
        came = await b.next("message")
        assert came | {"ts": 0} == {
            "messageId": message_id, "senderId": a_id, "content": "Hello", "contentType": "text", "ts": 0,
            "via": "ws", "recipientId": b_id, "fleet": "alpha",
        }  # fmt: skip
        await b.send("message_delivered", {"messageIds": [message_id]})
        assert (await a.next("message_status"))["status"] == "delivered"
        await b.send("message_read", {"messageId": message_id}, id="r")
        await b.next("ack", id="r")
        status = await a.next("message_status")
        assert (status["status"], status["recipientId"]) == ("read", b_id)
        assert not [m for m in await other.drain(0.3) if m["event"] == "message"]


async def test_dispatch_and_a_vehicle_talk(server: V2VServer) -> None:
    async with dispatcher(server) as (desk, _), vehicle(server) as (a, a_id):
        to_desk = (await say(a, recipientId="dispatch", content="Ten minutes late"))["messageId"]
        came = await desk.next("message", senderId=a_id)
        assert (came["messageId"], came["recipientId"]) == (to_desk, "dispatch")
        await desk.send("message_read", {"messageId": to_desk}, id="r")
        await desk.next("ack", id="r")
        assert (await a.next("message_status", messageId=to_desk))["status"] == "read"
        await say(desk, recipientId=a_id, content="Take the next exit")
        came = await a.next("message")
        assert (came["senderId"], came["senderName"]) == ("dispatch", "alpha_dispatcher")


async def test_what_a_vehicle_missed_comes_until_it_is_read(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with dispatcher(server) as (desk, _):
        for number in range(3):
            await say(desk, recipientId=vehicle_id, content=str(number))
        async with known(server, vehicle_id, token) as (_, messages):
            assert [message["content"] for message in messages] == ["0", "1", "2"]
        async with known(server, vehicle_id, token) as (socket, messages):
            assert len(messages) == 3, "nobody has said that they came"
            await socket.send("message_read", {"messageId": messages[1]["messageId"]}, id="r")
            await socket.next("ack", id="r")
        async with known(server, vehicle_id, token) as (_, messages):
            assert [message["content"] for message in messages] == ["0", "2"]


async def test_more_than_fit_in_a_snapshot_follow_behind_it(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    code = f"""
from django.utils import timezone
from v2v.fleets.policy import actor_of_user
from django.contrib.auth.models import User
from v2v.messaging.services import message_send
actor = actor_of_user(User.objects.get(username="alpha_dispatcher"))
for n in range(450):
    message_send(actor=actor, recipient_id="{vehicle_id}", content=str(n), via="api", now=timezone.now())
"""
    await asyncio.to_thread(server.manage, "shell", "-v0", "-c", code)
    async with known(server, vehicle_id, token) as (socket, messages):
        assert [message["content"] for message in messages] == [str(n) for n in range(200)]
        rest = [(await socket.next("message"))["content"] for _ in range(250)]
        assert rest == [str(n) for n in range(200, 450)]


async def test_every_device_gets_it_and_the_first_reader_counts(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with (
        vehicle(server) as (a, _),
        known(server, vehicle_id, token, deviceId="cab") as (cab, _),
        known(server, vehicle_id, token, deviceId="phone") as (phone, _),
    ):
        message_id = (await say(a, recipientId=vehicle_id, content="Hello"))["messageId"]
        for device in (cab, phone):
            assert (await device.next("message"))["messageId"] == message_id
        for device in (phone, cab):
            await device.send("message_read", {"messageId": message_id}, id="r")
            await device.next("ack", id="r")
        told = [m["data"]["status"] for m in cab.seen if m["event"] == "message_status"]
        assert told == ["read"]
        read = [m for m in await a.drain(0.5) if m["event"] == "message_status"]
        assert [m["data"]["status"] for m in read] == ["read"]


async def test_a_broadcast_reaches_the_fleet_and_is_summed_up(server: V2VServer) -> None:
    async with vehicle(server, "beta") as (a, _), vehicle(server, "beta") as (b, _), vehicle(server) as (alien, _):
        message_id = (await say(a, broadcast=True, content="Ice on the bridge"))["messageId"]
        assert (await b.next("message"))["broadcast"] is True
        await b.send("message_delivered", {"messageIds": [message_id]})
        status = await a.next("message_status")
        assert (status["status"], status["counts"]) == ("delivered", {"delivered": 1, "queued": 19})
        assert not [m for socket in (a, alien) for m in await socket.drain(0.3) if m["event"] == "message"]


async def test_nobody_reaches_another_fleet(server: V2VServer) -> None:
    async with vehicle(server) as (a, _), vehicle(server, "beta") as (_, b_id), dispatcher(server) as (desk, _):
        for socket in (a, desk):
            assert (await refused(socket, recipientId=b_id, content="Hello"))["code"] == "not_found"


async def test_a_viewer_may_not_send(server: V2VServer) -> None:
    async with vehicle(server) as (_, a_id), dispatcher(server, "alpha_viewer") as (desk, _):
        assert (await refused(desk, recipientId=a_id, content="Hello"))["code"] == "forbidden"


async def test_more_than_the_limit_is_refused_with_the_time_to_wait(server: V2VServer) -> None:
    async with vehicle(server) as (a, _):
        for number in range(12):
            await a.send("send_message", {"recipientId": "dispatch", "content": "x"}, id=str(number))
        heard = await a.drain(1.5)
        answers = [m["data"] for m in heard if m["event"] in ("ack", "error")]
        assert len(answers) == 12
        errors = [answer for answer in answers if "code" in answer]
        assert 1 <= len(errors) <= 6
        assert all(error["code"] == "rate_limited" and error["details"]["retryAfterMs"] > 0 for error in errors)


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"content": "a\x00b"}, "content"),
    ({"content": "a\x1bb"}, "content"),
    ({"content": "x" * 513}, "content"),
    ({"content": ""}, "content"),
    ({"content": "{not json", "contentType": "json"}, "data"),
    ({"content": "NaN", "contentType": "json"}, "data"),
    ({"content": "x", "contentType": "html"}, "contentType"),
    ({"content": "x", "broadcast": True}, "data"),
    ({"content": "x", "extra": 1}, "extra"),
]


@pytest.mark.parametrize(("data", "field"), HOSTILE, ids=range(len(HOSTILE)))
async def test_wrong_content_is_refused_and_reaches_nobody(server: V2VServer, data: dict[str, Any], field: str) -> None:
    async with vehicle(server, "beta") as (a, _), dispatcher(server, "beta_dispatcher") as (desk, _):
        error = await refused(a, recipientId="dispatch", **data)
        assert (error["code"], error["details"]["field"]) == ("validation_error", field)
        assert not [m for m in await desk.drain(0.1) if m["event"] == "message"]


async def test_content_comes_as_it_was_written(server: V2VServer) -> None:
    texts = ["<script>alert(1)</script> & \"'", "ü" * 512, "two\nlines\tand a tab", "🚚" * 512]
    async with vehicle(server) as (a, _), vehicle(server) as (b, b_id):
        for text in texts:
            await say(a, recipientId=b_id, content=text)
            assert (await b.next("message"))["content"] == text
        await say(a, recipientId=b_id, content=json.dumps({"a": [1, None]}), contentType="json")
        assert (await b.next("message"))["contentType"] == "json"


async def test_what_is_not_read_in_time_expires(start_server: Callable[..., V2VServer]) -> None:
    server = start_server()
    vehicle_id, token = server.vehicle()
    async with vehicle(server) as (a, _):
        await a.send("send_message", {"recipientId": vehicle_id, "content": "Quick"}, id="1", ttlMs=1)
        await a.next("ack", id="1")
        assert (await a.next("message_status"))["status"] == "expired"
        async with known(server, vehicle_id, token) as (_, messages):
            assert messages == []
