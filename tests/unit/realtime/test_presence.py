"""Who is online, silent, or gone."""

import pytest

from tests.unit.realtime.parts import EPOCH_MS, Time, connect, make_engine, register
from v2v.protocol.codes import CloseCode
from v2v.protocol.events import PresenceStatus
from v2v.realtime.engine import Engine
from v2v.realtime.presence import Elsewhere

TIMEOUT_S = 45.0


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def engine(time: Time) -> Engine:
    engine = make_engine(time, heartbeat_timeout_s=TIMEOUT_S, stale_s=90.0, register_timeout_s=10.0)
    engine.presence_listeners.append(lambda entry: told.append((entry.vehicle_id, entry.status)))
    told.clear()
    return engine


told: list[tuple[str, str]] = []
HEARTBEAT = b'{"event":"heartbeat","data":{}}'


def test_a_vehicle_comes_falls_silent_is_heard_again_and_goes(engine: Engine, time: Time) -> None:
    session, _ = connect(engine)
    register(session, "a")
    time.forward(TIMEOUT_S + 1)
    engine.sweep()
    assert engine.presence.last_seen("a", [session]) == EPOCH_MS
    session.frame_received(HEARTBEAT)
    engine.closed(session)
    assert told == [("a", "online"), ("a", "timeout"), ("a", "online"), ("a", "offline")]
    assert engine.presence.last_seen("a", []) == EPOCH_MS + 46_000


def test_one_device_that_speaks_keeps_the_vehicle_online(engine: Engine, time: Time) -> None:
    phone, _ = connect(engine)
    register(phone, "a", device_id="phone")
    tablet, _ = connect(engine)
    register(tablet, "a", device_id="tablet")
    time.forward(TIMEOUT_S - 1)
    phone.frame_received(HEARTBEAT)
    time.forward(2.0)
    engine.sweep()
    assert told == [("a", "online")]


def test_the_sweep_closes_who_was_not_heard_for_long(engine: Engine, time: Time) -> None:
    silent, silent_end = connect(engine)
    register(silent, "a")
    speaking, speaking_end = connect(engine)
    register(speaking, "b", slot=1)
    for _ in range(4):
        time.forward(30.0)
        speaking.frame_received(HEARTBEAT)
        engine.sweep()
    assert silent_end.closed is not None
    assert silent_end.closed[0] == CloseCode.TIMED_OUT
    assert speaking_end.closed is None
    assert engine.stale_total == 1


def test_who_does_not_register_in_time_is_closed(engine: Engine, time: Time) -> None:
    _, end = connect(engine)
    time.forward(9.0)
    engine.every_second()
    assert end.closed is None
    time.forward(2.0)
    engine.every_second()
    assert end.closed == (CloseCode.TIMED_OUT, "no register, or no sign of life, in time")


def test_a_reader_that_takes_nothing_for_long_is_closed_and_one_that_recovers_is_not(
    engine: Engine, time: Time
) -> None:
    ends = []
    for slot, vehicle in enumerate("ab"):
        session, end = connect(engine)
        register(session, vehicle, slot=slot)
        end.can_write = False
        ends.append((session, end))
    engine.every_second()
    time.forward(4.0)
    recovers, recovered_end = ends[0]
    recovered_end.can_write = True
    recovers.writing_resumed()
    engine.every_second()
    recovered_end.can_write = False
    time.forward(4.0)
    engine.every_second()
    assert ends[1][1].closed == (CloseCode.SLOW_READER, "too slow a reader")
    assert recovered_end.closed is None


def test_a_token_is_warned_of_once_and_then_ends_the_session(engine: Engine, time: Time) -> None:
    session, end = connect(engine)
    register(session, "a")
    session.expires_at_ms = EPOCH_MS + 50_000
    engine.sweep()
    engine.sweep()
    assert end.names == ["token_expiring"]
    time.forward(50.0)
    engine.sweep()
    assert end.messages[-1]["data"]["code"] == "auth_failed"
    assert end.closed is not None
    assert end.closed[0] == CloseCode.AUTH_FAILED


STANDINGS: tuple[tuple[str, PresenceStatus], ...] = (
    ("p", "online"), ("q", "timeout"), ("q", "online"), ("p", "offline"), ("q", "timeout"),
)  # fmt: skip


def test_a_vehicle_is_as_present_as_the_best_of_its_processes_says(engine: Engine) -> None:
    for version, (process, status) in enumerate(STANDINGS):
        engine.presence.told(
            "a", fleet=1, slot=0, process=process, at=Elsewhere(status, version), last_seen=5, driver_name=None
        )
    assert told == [("a", "online"), ("a", "timeout")]
    assert engine.presence.entries["a"].holders == ["q"]
    engine.presence.process_gone("q")
    assert told == [("a", "online"), ("a", "timeout"), ("a", "offline")]


def test_a_vehicle_that_leaves_this_process_and_stays_with_another_is_online(engine: Engine) -> None:
    session, _ = connect(engine)
    register(session, "a")
    engine.presence.told("a", fleet=1, slot=0, process="p", at=Elsewhere("online", 1), last_seen=5, driver_name=None)
    engine.closed(session)
    assert told == [("a", "online")]
    engine.presence.not_with("p", "a")
    assert told == [("a", "online"), ("a", "offline")]
