"""The client gives each message once, and says by itself that it came."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.client.peer import DEADLINE_S, Peer
from v2v.client import VehicleClient

Make = Callable[..., VehicleClient]


def message(number: int) -> dict[str, Any]:
    return {
        "messageId": f"m{number}", "senderId": "dispatch", "content": str(number), "contentType": "text",
        "ts": 1, "via": "ws",
    }  # fmt: skip


async def test_a_message_that_comes_again_is_given_once_and_said_again_to_have_come(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        inbox = client.messages()
        side = await peer.accept_registered(messages=[message(1)])
        assert (await side.read("message_delivered"))["data"] == {"messageIds": ["m1"]}
        await side.send("message", **message(2))
        await side.read("message_delivered")
        await side.drop()
        side = await peer.accept_registered(messages=[message(1), message(2)])
        assert (await side.read("message_delivered"))["data"] == {"messageIds": ["m1", "m2"]}
        await side.send("message", **message(3))
        async with asyncio.timeout(DEADLINE_S):
            assert [(await anext(inbox)).content for _ in range(3)] == ["1", "2", "3"]
    with pytest.raises(StopAsyncIteration):
        await anext(inbox)


async def test_who_asks_later_gets_what_came_before(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered(messages=[message(1)])
        await side.read("message_delivered")
        async with asyncio.timeout(DEADLINE_S):
            assert (await anext(client.messages())).message_id == "m1"


async def test_a_server_that_cannot_store_a_message_is_asked_again(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.send_message("Late", to="dispatch"))
        first = await side.read("send_message")
        await side.send("error", id=first["id"], code="unavailable", message="Not now.", ts=1)
        again = await side.read("send_message")
        assert again == first
        await side.send("ack", id=again["id"], messageId="m1")
        assert await sending == "m1"
