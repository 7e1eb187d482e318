"""Who is connected, and fan-out."""

import asyncio
import threading

import pytest

from tests.unit.realtime.parts import End, Time, connect, make_engine, register
from v2v.protocol import events
from v2v.protocol.codes import CloseCode
from v2v.protocol.decode import Refusal
from v2v.realtime.engine import Engine
from v2v.realtime.notices import RightLost

EVENT = events.HeartbeatAck(data=events.HeartbeatAck.Data(ts=1))


@pytest.fixture
def engine() -> Engine:
    return make_engine(Time())


def test_an_event_reaches_every_device_of_a_vehicle_and_nobody_else(engine: Engine) -> None:
    ends = []
    for vehicle, device, slot in (("a", "phone", 0), ("a", "tablet", 0), ("b", "phone", 1)):
        session, end = connect(engine)
        register(session, vehicle, device_id=device, slot=slot)
        ends.append(end)
    assert engine.hub.to_vehicles(["a", "nobody"], EVENT) == 2
    assert [len(end.frames) for end in ends] == [1, 1, 0]
    assert engine.hub.by_slot[0] is engine.hub.by_vehicle["a"]


def test_a_newer_connection_of_the_device_replaces_the_older(engine: Engine) -> None:
    older, older_end = connect(engine)
    register(older, "a")
    newer, newer_end = connect(engine)
    register(newer, "a")
    assert older_end.closed is not None
    assert older_end.closed[0] == CloseCode.REPLACED
    engine.closed(older)
    assert engine.hub.by_vehicle["a"] == [newer]
    assert engine.presence.entries["a"].status == "online"
    engine.hub.to_fleet(1, EVENT)
    assert (len(older_end.frames), len(newer_end.frames)) == (0, 1)


def test_a_vehicle_is_offline_when_its_last_device_is_gone(engine: Engine) -> None:
    sessions = []
    for device in ("phone", "tablet"):
        session, _ = connect(engine)
        register(session, "a", device_id=device)
        sessions.append(session)
    engine.closed(sessions[0])
    statuses = [engine.presence.entries["a"].status]
    engine.closed(sessions[1])
    statuses.append(engine.presence.entries["a"].status)
    assert statuses == ["online", "offline"]
    assert (engine.hub.by_vehicle, engine.hub.by_slot, engine.hub.sessions) == ({}, {}, set())


def test_a_fleet_is_its_vehicles_and_the_dispatchers_who_may_see_it(engine: Engine) -> None:
    mine, _ = connect(engine)
    register(mine, "a", fleet=1)
    other, _ = connect(engine)
    register(other, "b", fleet=2, slot=1)
    ends = []
    for fleets in (frozenset({1}), frozenset({2}), None):
        dispatcher, end = connect(engine)
        engine.hub.register_dispatcher(dispatcher, name="d", fleets=fleets)
        ends.append(end)
    assert engine.hub.to_fleet(1, EVENT) == 3
    assert engine.hub.to_dispatchers(1, EVENT) == 2
    assert [len(end.frames) for end in ends] == [2, 0, 2]


def test_sockets_that_have_not_registered_are_counted_by_address(engine: Engine) -> None:
    first, _ = connect(engine, address="10.0.0.1")
    second, _ = connect(engine, address="10.0.0.1")
    connect(engine, address="10.0.0.2")
    assert engine.hub.unregistered_from("10.0.0.1") == 2
    register(first, "a")
    assert engine.hub.unregistered_from("10.0.0.1") == 1
    engine.closed(first)
    engine.closed(second)
    engine.closed(second)
    assert engine.hub.unregistered_from("10.0.0.1") == 0
    assert engine.hub.unregistered_from("10.0.0.2") == 1


def test_a_register_that_outlives_its_socket_leaves_no_ghost(engine: Engine) -> None:
    gone, _ = connect(engine)
    connect(engine)
    engine.closed(gone)
    with pytest.raises(Refusal):
        register(gone, "a")
    assert engine.hub.by_vehicle == {}
    assert engine.presence.entries == {}
    assert engine.hub.unregistered_from("10.0.0.1") == 1


def test_registering_again_may_change_device_and_fleet(engine: Engine) -> None:
    session, end = connect(engine)
    register(session, "a", device_id="phone", fleet=1)
    register(session, "a", device_id="tablet", fleet=2)
    assert end.closed is None
    assert engine.hub.by_vehicle["a"] == [session]
    assert (engine.hub.to_fleet(1, EVENT), engine.hub.to_fleet(2, EVENT)) == (0, 1)
    replacing, _ = connect(engine)
    register(replacing, "a", device_id="tablet", fleet=2)
    assert end.closed is not None


async def test_a_notice_is_heeded_on_the_event_loop_whichever_thread_tells_it(engine: Engine) -> None:
    heard: list[tuple[RightLost, int]] = []
    engine.relay.on(RightLost, lambda notice: heard.append((notice, threading.get_ident())))
    engine.relay.start()
    await asyncio.to_thread(engine.relay.tell, RightLost(7, None, "vehicle_deleted"))
    await asyncio.sleep(0)
    await engine.relay.stop()
    assert heard == [(RightLost(7, None, "vehicle_deleted"), threading.get_ident())]


def test_who_is_ended_is_gone_at_once_for_everybody_else(engine: Engine) -> None:
    session, end = connect(engine)
    register(session, "a")
    engine.end(session, CloseCode.REMOVED)
    assert end.closed == (CloseCode.REMOVED, "account or device removed")
    assert engine.hub.by_vehicle == {}


WORKS: dict[str, frozenset[int] | None] = {
    "dora": frozenset({1}),
    "vera": frozenset(),
    "dan": frozenset({2}),
    "admin": None,
}


def dispatcher_of(engine: Engine, name: str, device_id: str, works: frozenset[int] | None) -> End:
    session, end = connect(engine)
    fleets = frozenset({1, 2})
    engine.hub.register_dispatcher(session, name=name, fleets=fleets, works=works, device_id=device_id)
    return end


def test_what_is_for_those_who_work_does_not_reach_those_who_may_only_look(engine: Engine) -> None:
    ends = [dispatcher_of(engine, name, "", works) for name, works in WORKS.items()]
    assert engine.hub.to_workers(1, EVENT) == 2
    assert [len(end.frames) for end in ends] == [1, 0, 0, 1]


def test_what_is_for_one_device_reaches_it_alone(engine: Engine) -> None:
    cab, phone = connect(engine), connect(engine)
    for (session, _), device_id in ((cab, "cab"), (phone, "phone")):
        register(session, "dora", device_id=device_id)  # a vehicle that is called as a dispatcher is
    left, right = (dispatcher_of(engine, "dora", device_id, None) for device_id in ("left", "phone"))
    assert engine.hub.to_device(is_vehicle=True, name="dora", device_id="phone", event=EVENT) == 1
    assert [len(end.frames) for end in (cab[1], phone[1], left, right)] == [0, 1, 0, 0]
    assert engine.hub.to_device(is_vehicle=False, name="dora", device_id="left", event=EVENT) == 1
    assert [len(end.frames) for end in (cab[1], phone[1], left, right)] == [0, 1, 1, 0]
    assert engine.hub.to_device(is_vehicle=True, name="dora", device_id="left", event=EVENT) == 0


def test_who_listens_is_told_of_each_socket_that_is_gone(engine: Engine) -> None:
    gone: list[str] = []
    engine.closed_listeners.append(lambda session: gone.append(session.name))
    session, _ = connect(engine)
    register(session, "a")
    engine.closed(session)
    assert gone == ["a"]
