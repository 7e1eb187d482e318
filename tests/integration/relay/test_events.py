"""What is told on one process reaches who is connected to another, once."""

from tests.servers.v2v import V2VServer
from tests.sockets import vehicle


async def test_a_message_reaches_a_vehicle_on_another_process(two: list[V2VServer]) -> None:
    async with vehicle(two[0]) as (sender, sender_id), vehicle(two[1]) as (receiver, receiver_id):
        await sender.send("send_message", {"recipientId": receiver_id, "content": "hello"}, id="m1")
        await sender.next("ack")
        message = await receiver.next("message")
        assert (message["senderId"], message["content"]) == (sender_id, "hello")
