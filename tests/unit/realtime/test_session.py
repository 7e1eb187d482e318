"""One connection from frames to answers."""

import asyncio
from dataclasses import replace

import pytest

from tests.unit.realtime.parts import KIND, End, Time, connect, make_engine, register
from v2v.protocol import events
from v2v.protocol.codes import CloseCode, ErrorCode
from v2v.protocol.commands import Heartbeat, Register, SendMessage
from v2v.protocol.decode import Refusal
from v2v.realtime.engine import Engine
from v2v.realtime.session import Answer, Session

HEARTBEAT = b'{"event":"heartbeat","data":{}}'


def beat(session: Session, command: Heartbeat) -> Answer:
    session.take_other()
    return events.HeartbeatAck(data=events.HeartbeatAck.Data(ts=1))


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def engine(time: Time) -> Engine:
    return make_engine(time)


@pytest.fixture
def vehicle(engine: Engine) -> tuple[Session, End]:
    session, end = connect(engine, kind=replace(KIND, at_once={Heartbeat: beat}))
    register(session, "a")
    return session, end


def codes(end: End) -> list[str]:
    return [message["data"]["code"] for message in end.messages if message["event"] == "error"]


def test_a_command_with_an_id_is_answered_by_one_ack_that_repeats_it(vehicle: tuple[Session, End]) -> None:
    session, end = vehicle
    session.frame_received(b'{"event":"heartbeat","data":{},"id":"x1"}')
    assert end.names == ["heartbeat_ack", "ack"]
    assert end.messages[1]["data"] == {"id": "x1"}


def test_ten_malformed_messages_in_a_row_close_it(vehicle: tuple[Session, End]) -> None:
    session, end = vehicle
    for _ in range(9):
        session.frame_received(b"{")
    session.frame_received(HEARTBEAT)
    for _ in range(9):
        session.frame_received(b"[]")
    assert end.closed is None
    session.frame_received(b"nonsense")
    assert end.closed is not None
    assert end.closed[0] == CloseCode.MALFORMED


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff",
        b'{"event":"\xc3\x28"}',
        b'{"event":"register","data":{"vehicleId":"abc","driverName":"\xed\xa0\x80"}}',
        b'{"event":"heartbeat","data":{"\xff":1}}',
        b'{"event":"heartbeat","data":{},"\xfe":1}',
        b'{"event":"heartbeat","data":{},"id":"\xf5"}',
        b'{"event":"made_up","data":"\x80"}',
    ],
)
def test_invalid_utf8_closes_it_wherever_it_is(vehicle: tuple[Session, End], payload: bytes) -> None:
    session, end = vehicle
    session.frame_received(payload)
    assert end.closed == (CloseCode.INVALID_UTF8, "invalid UTF-8")


def test_a_flood_of_refused_messages_closes_it_and_is_not_answered_with_a_flood(
    vehicle: tuple[Session, End], time: Time
) -> None:
    session, end = vehicle
    for _ in range(1_000):
        session.frame_received(HEARTBEAT)
        time.forward(0.001)
        if end.closed:
            break
    assert end.closed is not None
    assert end.closed[0] == CloseCode.ABUSE
    assert len(codes(end)) <= 3


def test_frames_that_are_no_messages_are_limited_too(vehicle: tuple[Session, End]) -> None:
    session, end = vehicle
    session.abused()
    assert codes(end) == ["rate_limited"]
    assert end.closed is not None
    assert end.closed[0] == CloseCode.ABUSE


def test_before_register_nothing_is_taken(engine: Engine) -> None:
    async def run() -> list[str]:
        session, end = connect(engine, kind=replace(KIND, at_once={Heartbeat: beat}))
        session.frame_received(HEARTBEAT)
        await asyncio.sleep(0)
        return codes(end)

    assert asyncio.run(run()) == ["not_registered"]


async def test_commands_that_wait_are_handled_one_after_the_other_and_bounded(engine: Engine) -> None:
    seen: list[str] = []
    go_on = asyncio.Event()

    async def handler(session: Session, command: SendMessage) -> Answer:
        await go_on.wait()
        seen.append(command.data.content)
        return None

    session, end = connect(engine, kind=replace(KIND, in_turn={SendMessage: handler}))
    register(session, "a")
    for number in range(70):
        session.frame_received(
            b'{"event":"send_message","data":{"content":"%d","broadcast":true},"id":"m%d"}' % (number, number)
        )
        await asyncio.sleep(0)
    refused = [m["data"]["id"] for m in end.messages if m["event"] == "error"]
    assert set(codes(end)) == {ErrorCode.RATE_LIMITED}
    go_on.set()
    await asyncio.sleep(0.01)
    assert seen == [str(number) for number in range(65)]  # one under way, 64 waiting
    assert refused == [f"m{number}" for number in range(65, 70)]


async def test_a_fault_in_a_handler_is_an_answer_and_the_connection_goes_on(engine: Engine) -> None:
    async def broken(session: Session, command: Register) -> Answer:
        raise ZeroDivisionError

    session, end = connect(engine, kind=replace(KIND, in_turn={Register: broken}, at_once={Heartbeat: beat}))
    register(session, "a")
    session.frame_received(b'{"event":"register","data":{"vehicleId":"abc"},"id":"r"}')
    await asyncio.sleep(0.01)
    session.frame_received(HEARTBEAT)
    assert end.messages[0]["data"] | {"ts": 0} == {
        "code": "internal_error", "message": "Something went wrong in the server.", "ts": 0, "id": "r",
    }  # fmt: skip
    assert end.names[-1] == "heartbeat_ack"


def test_a_refusal_says_which_command_it_answers(engine: Engine) -> None:
    def refuse(session: Session, command: Heartbeat) -> Answer:
        raise Refusal(ErrorCode.FORBIDDEN)

    session, end = connect(engine, kind=replace(KIND, at_once={Heartbeat: refuse}))
    register(session, "a")
    session.frame_received(b'{"event":"heartbeat","data":{},"id":"q"}')
    assert (codes(end), end.messages[0]["data"]["id"]) == (["forbidden"], "q")


def test_when_the_server_stops_it_says_when_to_come_back_and_closes(vehicle: tuple[Session, End]) -> None:
    session, end = vehicle
    session.server_stopping()
    assert 500 <= end.messages[-1]["data"]["reconnectInMs"] <= 5_000
    assert end.closed == (CloseCode.RESTARTING, "the server restarts")
