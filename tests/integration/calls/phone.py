"""What the tests of calls do over and over, on bare sockets."""

import asyncio
import itertools
import uuid
from typing import Any

from tests.sockets import Socket

SDP = "v=0\r\n"
CANDIDATE = "candidate:1 1 udp 2122260223 192.0.2.1 54400 typ host"
_numbers = itertools.count()


async def command(socket: Socket, event: str, **data: Any) -> dict[str, Any]:
    """Send it; the data of the ack."""
    answer = await answered(socket, event, **data)
    assert "code" not in answer, answer
    return answer


async def refused(socket: Socket, event: str, **data: Any) -> dict[str, Any]:
    """Send what is not taken; the data of the error."""
    answer = await answered(socket, event, **data)
    assert "code" in answer, answer
    return answer


async def answered(socket: Socket, event: str, *, id_: str | None = None, **data: Any) -> dict[str, Any]:
    """Send it; the data of the ack or the error. What comes before it can still be asked for."""
    id_ = id_ or f"{event}-{next(_numbers)}"
    begin = len(socket.seen)
    await socket.send(event, data, id=id_)
    async with asyncio.timeout(10):
        while True:
            for message in socket.seen[begin:]:
                if message["event"] in ("ack", "error") and message["data"].get("id") == id_:
                    return dict(message["data"])
            begin = len(socket.seen)
            await socket.more()


async def ring(caller: Socket, callee_id: str, **data: Any) -> str:
    """Begin a call; its id."""
    ack = await command(caller, "call_initiate", calleeId=callee_id, **data)
    assert ack["outcome"] == "ringing"
    return str(ack["callId"])


async def talk(caller: Socket, callee: Socket, callee_id: str) -> str:
    """A call that was answered; its id."""
    call_id = await ring(caller, callee_id)
    await callee.next("call_incoming", callId=call_id)
    await command(callee, "call_answer", callId=call_id)
    return call_id


async def state(socket: Socket, call_id: str, wanted: str) -> dict[str, Any]:
    """Wait until the socket hears that the call is so."""
    return await socket.next("call_state", callId=call_id, state=wanted)


def about(frames: list[dict[str, Any]], call_id: str) -> list[str]:
    """The events that name the call."""
    return [frame["event"] for frame in frames if frame["data"].get("callId") == call_id]


def some_id() -> str:
    return str(uuid.uuid4())
