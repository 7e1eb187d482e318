import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.client.peer import DEADLINE_S, Peer
from v2v.client import CommandRefused, NotConnected, Stopped, TooManyPending, VehicleClient
from v2v.client.pending import DURABLE, MAX_PENDING
from v2v.protocol import commands
from v2v.protocol.commands import (
    EmergencyAlert,
    EmergencyAlertData,
    NearbyRefresh,
    NearbyRefreshData,
    SendMessage,
    SendMessageData,
)

Make = Callable[..., VehicleClient]


def message(text: str = "On my way") -> SendMessage:
    return SendMessage(data=SendMessageData(content=text, recipient_id="dispatch"))


def refresh() -> NearbyRefresh:
    return NearbyRefresh(data=NearbyRefreshData())


async def test_a_command_gives_what_the_server_made(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.command(message()))
        sent = await side.read("send_message")
        await side.send("ack", id=sent["id"], messageId="m1")
        assert (await sending).data.message_id == "m1"
        assert sent["data"] == {"content": "On my way", "recipientId": "dispatch"}


async def test_an_id_of_ones_own_is_kept(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.command(NearbyRefresh(id="mine", data=NearbyRefreshData(radius_m=100))))
        sent = await side.read("nearby_refresh")
        assert sent["id"] == "mine"
        with pytest.raises(ValueError, match="mine"):
            await client.command(NearbyRefresh(id="mine", data=NearbyRefreshData()))
        await side.send("ack", id="mine")
        await sending


async def test_each_answer_finds_its_command(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = [asyncio.create_task(client.command(message(str(n)))) for n in range(3)]
        sent = [await side.read("send_message") for _ in range(3)]
        for command in reversed(sent):
            await side.send("ack", id=command["id"], messageId=f"made of {command['data']['content']}")
        answers = await asyncio.gather(*sending)
        assert [answer.data.message_id for answer in answers] == ["made of 0", "made of 1", "made of 2"]


async def test_a_refusal_tells_what_the_server_said(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.command(refresh()))
        sent = await side.read("nearby_refresh")
        error: dict[str, Any] = {"code": "rate_limited", "message": "Slower.", "ts": 1, "id": sent["id"]}
        await side.send("error", **error, details={"retryAfterMs": 250})
        with pytest.raises(CommandRefused) as caught:
            await sending
    refusal = caught.value
    assert (refusal.code, refusal.message, refusal.retry_after_ms) == ("rate_limited", "Slower.", 250)
    assert refusal.details == {"retryAfterMs": 250}


async def test_a_durable_command_goes_out_again_with_its_id_after_a_lost_connection(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        first = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.command(message()))
        sent = await first.read("send_message")
        await first.drop()
        second = await peer.accept_registered()
        assert await second.read("send_message") == sent
        await second.send("ack", id=sent["id"], messageId="m1")
        assert (await sending).data.message_id == "m1"


async def test_durable_commands_wait_for_the_connection_in_their_order(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        sending = [asyncio.create_task(client.command(message(str(n)))) for n in range(5)]
        side = await peer.accept_registered()
        sent = [await side.read("send_message") for _ in range(5)]
        assert [command["data"]["content"] for command in sent] == ["0", "1", "2", "3", "4"]
        for command in sent:
            await side.send("ack", id=command["id"])
        await asyncio.gather(*sending)


async def test_a_durable_command_over_its_rate_goes_out_again_when_the_server_says(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.command(EmergencyAlert(data=EmergencyAlertData(type="crash"))))
        sent = await side.read("emergency_alert")
        error: dict[str, Any] = {"code": "rate_limited", "message": "Slower.", "ts": 1, "id": sent["id"]}
        await side.send("error", **error, details={"retryAfterMs": 5})
        assert await side.read("emergency_alert") == sent
        await side.send("ack", id=sent["id"], alertId="a1")
        assert (await sending).data.alert_id == "a1"


async def test_a_durable_command_is_given_up_at_its_deadline(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        with pytest.raises(TimeoutError):
            await client.command(message(), deadline_s=0.05)
        await side.drop()
        again = await peer.accept_registered()
        await client.wait_online()
        with pytest.raises(TimeoutError):
            await client.command(message("another"), deadline_s=0.05)
        assert (await again.read("send_message"))["data"]["content"] == "another"


async def test_a_command_that_is_not_durable_needs_a_connection_now(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        await peer.accept()
        with pytest.raises(NotConnected):
            await client.command(refresh())


async def test_a_command_that_is_not_durable_fails_with_its_connection(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.command(refresh()))
        await side.read("nearby_refresh")
        await side.drop()
        with pytest.raises(NotConnected):
            await sending


async def test_only_so_many_commands_may_wait(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        waiting = [asyncio.create_task(client.command(message(str(n)))) for n in range(MAX_PENDING)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyPending):
            await client.command(message())
        waiting[0].cancel()
        await asyncio.wait([waiting[0]])
        with pytest.raises(TimeoutError):  # there is room again
            await client.command(message(), deadline_s=0.01)
    assert all(isinstance(end, Stopped) for end in await asyncio.gather(*waiting[1:], return_exceptions=True))


async def test_closing_tells_those_who_wait(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.command(message()))
        await side.read("send_message")
    with pytest.raises(Stopped, match="closed"):
        await sending
    with pytest.raises(Stopped):
        await client.command(message())


async def test_a_server_that_sends_the_client_away_tells_those_who_wait_why(peer: Peer, vehicle: Make) -> None:
    async with vehicle() as client:
        side = await peer.accept_registered()
        await client.wait_online()
        sending = asyncio.create_task(client.command(message()))
        await side.read("send_message")
        await side.close(4410)
        with pytest.raises(Stopped) as caught:
            async with asyncio.timeout(DEADLINE_S):
                await sending
    assert caught.value.code == 4410


def test_the_durable_commands_are_those_of_the_contract() -> None:
    names = {kind.__struct_config__.tag for kind in DURABLE}
    assert names == {
        *("send_message", "message_read", "emergency_alert", "alert_cancel", "settings_update"),
        *("call_initiate", "call_answer", "call_reject", "call_end"),
        *("alert_displayed", "alert_ack", "alert_assign", "alert_resolve", "alert_negate", "alert_note"),
    }
    assert all(issubclass(kind, commands.Command) for kind in DURABLE)
