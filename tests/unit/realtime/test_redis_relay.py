"""The relay between processes, on a real Redis: nothing twice, nothing missed unseen, nothing taken that is none."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import get_args

import pytest
import pytest_asyncio

from v2v.protocol import events
from v2v.realtime.audience import ToVehicles
from v2v.realtime.between import MAX_BYTES, Envelope, Relayed, Told, encode_envelope
from v2v.realtime.clock import Clock
from v2v.realtime.hub import Hub
from v2v.realtime.notices import RightLost
from v2v.realtime.publisher import EVENTS, Publisher
from v2v.realtime.redis import RedisAddress
from v2v.realtime.redis_relay import RedisRelay

WITHIN_S = 10.0
EVENT = events.RadioText(data=events.RadioText.Data(sender_short=1, content="hello"))
ANSWER = events.HeartbeatAck(data=events.HeartbeatAck.Data(ts=1))


class NotedHub(Hub):
    """Notes what it is to send."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[tuple[str, ...], events.Event]] = []

    def to_vehicles(self, vehicle_ids: tuple[str, ...], event: events.Event) -> int:  # type: ignore[override]
        self.sent.append((vehicle_ids, event))
        return 1


@dataclass
class Process:
    """A relay, what came out of it, and why it wanted its clients brought up to date."""

    relay: RedisRelay
    hub: NotedHub
    resyncs: list[str] = field(default_factory=list)

    @property
    def sent(self) -> list[tuple[tuple[str, ...], events.Event]]:
        return self.hub.sent


def process(address: RedisAddress) -> Process:
    hub, resyncs = NotedHub(), list[str]()
    return Process(RedisRelay(hub, address, Clock(), resync=resyncs.append), hub, resyncs)


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():  # noqa: ASYNC110 - another thread changes it
            await asyncio.sleep(0.01)


@pytest.fixture
def address(redis_url: str, redis_prefix: str) -> RedisAddress:
    return RedisAddress(redis_url, redis_prefix)


@pytest_asyncio.fixture
async def two(address: RedisAddress) -> AsyncIterator[tuple[Process, Process]]:
    one, other = process(address), process(address)
    for each in (one, other):
        each.relay.start()
    await until(lambda: one.relay.is_up and other.relay.is_up)
    yield one, other
    for each in (one, other):
        await each.relay.stop()


async def test_an_event_comes_out_once_on_each_process(two: tuple[Process, Process]) -> None:
    one, other = two
    for number in range(20):
        one.relay.publish(ToVehicles((f"v{number}",)), EVENT)
    wanted = [((f"v{number}",), EVENT) for number in range(20)]
    await until(lambda: len(other.sent) >= 20)
    other.relay.publish(ToVehicles(("last",)), EVENT)
    await until(lambda: len(one.sent) >= 21)
    assert one.sent == other.sent == [*wanted, (("last",), EVENT)]


async def test_a_process_without_an_engine_reaches_all(two: tuple[Process, Process], address: RedisAddress) -> None:
    heard: list[RightLost] = []
    for each in two:
        each.relay.on(RightLost, heard.append)
    command = Publisher(address)
    command.tell_event(ToVehicles(("a",)), EVENT)
    command.tell_notice(RightLost(7, None, "vehicle_deleted"))
    command.close()
    await until(lambda: len(heard) == 2)
    assert [each.sent for each in two] == [[(("a",), EVENT)]] * 2


async def test_what_is_sent_again_is_dropped_and_a_missing_number_brings_clients_up_to_date(
    two: tuple[Process, Process], address: RedisAddress
) -> None:
    one, _ = two
    told = Told(ToVehicles(("a",)), events.encode_event(EVENT))
    async with address.async_client() as client:
        for number in (1, 2, 2, 1):
            await client.publish(address.name(EVENTS), encode_envelope(Envelope("stranger", number, told)))
        await client.publish(address.name(EVENTS), encode_envelope(Envelope("other", 9, told)))
        await until(lambda: len(one.sent) >= 3)
        assert len(one.sent) == 3
        assert one.resyncs == []
        await client.publish(address.name(EVENTS), encode_envelope(Envelope("stranger", 4, told)))
        await until(lambda: len(one.sent) >= 4)
    assert one.resyncs == ["gap"]


async def test_what_is_none_of_ours_is_left_and_the_rest_goes_on(
    two: tuple[Process, Process], address: RedisAddress
) -> None:
    one, _ = two
    too_large = Told(ToVehicles(("a",)), b" " * MAX_BYTES + events.encode_event(EVENT))
    forbidden = Told(ToVehicles(("a",)), events.encode_event(ANSWER))
    channel = address.name(EVENTS)
    async with address.async_client() as client:
        await client.publish(channel, b"\xff\x00garbage")
        await client.publish(channel, b"\x91" * 5_000)
        await client.publish(channel, encode_envelope(Envelope("a", 1, too_large)))
        await client.publish(channel, encode_envelope(Envelope("b", 1, forbidden)))
        await client.publish(
            channel, encode_envelope(Envelope("c", 1, Told(ToVehicles(("a",)), events.encode_event(EVENT))))
        )
        await until(lambda: one.sent)
    assert one.sent == [(("a",), EVENT)]
    assert one.relay.is_up


async def test_a_cut_connection_is_made_anew_and_clients_are_brought_up_to_date(
    two: tuple[Process, Process], address: RedisAddress
) -> None:
    one, other = two
    async with address.async_client() as client:
        await client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    await until(lambda: "reconnected" in one.resyncs and "reconnected" in other.resyncs)
    one.relay.publish(ToVehicles(("a",)), EVENT)
    await until(lambda: other.sent)
    assert other.sent == [(("a",), EVENT)]


async def test_positions_come_on_the_channels_that_are_listened_to(
    two: tuple[Process, Process], address: RedisAddress
) -> None:
    one, other = two
    heard: list[bytes] = []
    other.relay.positions = heard.append
    near, far = address.name("moves", "near"), address.name("moves", "far")

    def has_heard(message: bytes) -> bool:
        one.relay.publisher.positions([(far, b"far"), (near, b"near")])
        return message in heard

    await other.relay.listen_to(frozenset({near}))
    await until(lambda: has_heard(b"near"))
    await other.relay.listen_to(frozenset({far}))
    await until(lambda: has_heard(b"far"))
    assert set(heard[: heard.index(b"far")]) == {b"near"}


async def test_without_redis_what_is_told_reaches_this_process_and_waits_for_the_others(redis_prefix: str) -> None:
    alone = process(RedisAddress("redis://127.0.0.1:9/0", redis_prefix))
    alone.relay.start()
    alone.relay.publish(ToVehicles(("a",)), EVENT)
    await until(lambda: alone.sent)
    assert not alone.relay.is_up
    await alone.relay.stop()


# Answers, snapshots, what concerns one connection, and what each process finds out by itself.
STAYS = {
    events.Registered, events.Ack, events.HeartbeatAck, events.PresenceUpdate, events.PeerLocations, events.Locations,
    events.NearbySnapshot, events.ProximityEvent, events.LockDenied, events.ServerShutdown, events.TokenExpiring,
    events.Error,
}  # fmt: skip


def test_of_each_event_it_is_said_whether_it_goes_to_other_processes() -> None:
    assert set(get_args(Relayed)) | STAYS == set(get_args(events.ServerEvent))
    assert not set(get_args(Relayed)) & STAYS
