"""What is told on one process reaches who is connected to another, once."""

import asyncio
from contextlib import AsyncExitStack

from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle


async def test_a_message_reaches_a_vehicle_on_another_process(two: list[V2VServer]) -> None:
    async with vehicle(two[0]) as (sender, sender_id), vehicle(two[1]) as (receiver, receiver_id):
        await sender.send("send_message", {"recipientId": receiver_id, "content": "hello"}, id="m1")
        await sender.next("ack")
        message = await receiver.next("message")
        assert (message["senderId"], message["content"]) == (sender_id, "hello")


async def test_an_alert_a_message_and_a_call_reach_each_connection_of_three_processes_once(
    three: list[V2VServer],
) -> None:
    async with AsyncExitStack() as stack:
        consoles = [(await stack.enter_async_context(dispatcher(server)))[0] for server in three]
        sender, _ = await stack.enter_async_context(vehicle(three[0]))
        others = [(await stack.enter_async_context(vehicle(server)))[0] for server in three]
        await sender.send("emergency_alert", {"message": "help", "lat": -45.0, "lng": 20.0}, id="a1")
        alert_id = (await sender.next("ack", id="a1"))["alertId"]
        await sender.send("send_message", {"broadcast": True, "content": "all"}, id="m1")
        message_id = (await sender.next("ack", id="m1"))["messageId"]
        await sender.send("call_initiate", {"calleeId": "dispatch", "media": "audio"}, id="c1")
        call_id = (await sender.next("ack", id="c1"))["callId"]
        for socket in (*consoles, *others):
            await socket.next("message", messageId=message_id)
        for console in consoles:
            await console.next("call_incoming", callId=call_id)
        await sender.send("call_end", {"callId": call_id}, id="c2")
        for socket in (*consoles, *others):
            await socket.drain(0.5)
            assert _count(socket, "emergency_alert", alertId=alert_id) == 1
            assert _count(socket, "message", messageId=message_id) == 1
        for console in consoles:
            assert _count(console, "call_incoming", callId=call_id) == 1
        await consoles[2].send("alert_resolve", {"alertId": alert_id, "disposition": "valid"}, id="r1")
        for socket in (sender, *others):
            assert (await socket.next("alert_updated", alertId=alert_id))["state"] == "resolved"


def _count(socket: Socket, event: str, **data: str) -> int:
    return sum(m["event"] == event and data.items() <= m["data"].items() for m in socket.seen)


async def test_what_a_command_does_is_told_by_every_server(two: list[V2VServer]) -> None:
    async with dispatcher(two[0]) as (one, _), dispatcher(two[1]) as (other, _), vehicle(two[0]) as (_, vehicle_id):
        await asyncio.to_thread(
            two[0].shell,
            "from django.utils import timezone; from v2v.vehicles.models import Vehicle; "
            "from v2v.alerts.services import *; from v2v.alerts.models import Alert; "
            f"v = Vehicle.objects.get(vehicle_id='{vehicle_id}'); now = timezone.now(); "
            "origin = Origin(fleet_pk=v.fleet_id, via=Alert.Via.RULE, client_id='rule-1', "
            "vehicle_pk=v.pk, vehicle_id=v.vehicle_id); "
            "alert_raise(origin=origin, report=Report(type='crash', severity='high', message=None, lat=1.0, lng=1.0, "
            "fix_at=now, radius_m=None, drill=False, detected_at=now), now=now)",
        )
        for console in (one, other):
            assert (await console.next("emergency_alert", senderId=vehicle_id))["via"] == "rule"
