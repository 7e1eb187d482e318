"""Connections that break in a call, a killed server, a stopped database: no call is stuck, none is doubled."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.calls.conftest import own_database
from tests.integration.calls.phone import SDP, answered, command, refused, ring, state, talk
from tests.servers import postgres, v2v
from tests.servers.run import Run, Server
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, opened, vehicle, vehicle_socket


@asynccontextmanager
async def known(server: V2VServer, vehicle_id: str, token: str) -> AsyncIterator[tuple[Socket, Any]]:
    """A socket of this vehicle, and the calls of its snapshot."""
    async with vehicle_socket(server) as socket:
        yield socket, (await socket.register(vehicle_id, token))["calls"]


@asynccontextmanager
async def page(server: V2VServer, device_id: str) -> AsyncIterator[tuple[Socket, Any]]:
    """A dispatcher's page that names itself, and the calls of its snapshot."""
    cookie = await asyncio.to_thread(server.login, "alpha_dispatcher")
    options = {"additional_headers": {"Cookie": cookie}, "origin": server.url}
    async with opened(f"{server.ws_url}/ws/dispatch/?deviceId={device_id}", **options) as socket:
        yield socket, (await socket.next("registered"))["calls"]


async def test_it_rings_in_vain_and_is_missed(hasty: V2VServer) -> None:
    async with vehicle(hasty) as (a, _), vehicle(hasty) as (b, b_id):
        call_id = await ring(a, b_id)
        for socket in (a, b):
            assert (await state(socket, call_id, "missed"))["endReason"] == "timeout"


async def test_a_caller_who_is_lost_stops_the_ringing(hasty: V2VServer) -> None:
    async with vehicle(hasty) as (b, b_id):
        async with vehicle(hasty) as (a, _):
            call_id = await ring(a, b_id)
        assert (await state(b, call_id, "missed"))["endReason"] == "connection_lost"


async def test_a_callee_who_comes_while_it_rings_can_answer(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle(server) as (a, _):
        async with known(server, vehicle_id, token):
            call_id = await ring(a, vehicle_id)
        async with known(server, vehicle_id, token) as (b, calls):
            assert [(call["callId"], call["side"], call["state"]) for call in calls] == [(call_id, "callee", "ringing")]
            await command(b, "call_answer", callId=call_id)
            await command(a, "call_end", callId=call_id)


@pytest.mark.parametrize("lost", ["caller", "callee"])
async def test_a_side_that_comes_back_in_time_goes_on(server: V2VServer, lost: str) -> None:
    vehicle_id, token = server.vehicle()
    async with vehicle(server) as (a, a_id):
        async with known(server, vehicle_id, token) as (b, _):
            pair = (b, a, a_id) if lost == "caller" else (a, b, vehicle_id)
            call_id = await talk(*pair)
        async with known(server, vehicle_id, token) as (b, calls):
            [call] = calls
            assert (call["callId"], call["state"], call["side"]) == (call_id, "active", lost)
            await command(b, "webrtc_offer", callId=call_id, sdp=SDP)
            await a.next("webrtc_offer", callId=call_id)
            await command(b, "call_end", callId=call_id)
            await state(a, call_id, "ended")


async def test_a_call_whose_sides_stay_lasts_as_long_as_a_call_may(hasty: V2VServer) -> None:
    async with vehicle(hasty) as (a, _), vehicle(hasty) as (b, b_id):
        call_id = await talk(a, b, b_id)
        over = await state(a, call_id, "ended")
        assert over["endReason"] == "max_duration"
        assert over["endedAt"] - over["answeredAt"] >= 3_000


async def test_a_side_that_stays_away_ends_the_call(hasty: V2VServer) -> None:
    async with vehicle(hasty) as (a, _):
        async with vehicle(hasty) as (b, b_id):
            call_id = await talk(a, b, b_id)
        over = await state(a, call_id, "failed")
        assert over["endReason"] == "connection_lost"
        assert over["endedAt"] - over["answeredAt"] >= 700


async def test_a_page_comes_back_to_its_call_and_another_page_of_the_user_does_not(server: V2VServer) -> None:
    async with vehicle(server) as (a, _):
        async with page(server, "left") as (left, _):
            call_id = await ring(a, "dispatch")
            await command(left, "call_answer", callId=call_id)
        async with page(server, "right") as (right, calls), page(server, "left") as (left, _):
            [call] = [call for call in calls if call["callId"] == call_id]
            assert "side" not in call
            assert "iceServers" not in call
            assert (await refused(right, "webrtc_offer", callId=call_id, sdp=SDP))["code"] == "forbidden"
            await command(a, "webrtc_offer", callId=call_id, sdp=SDP)
            await left.next("webrtc_offer", callId=call_id)
            assert not [m for m in await right.drain(0.1) if m["event"] == "webrtc_offer"]
            await command(left, "call_end", callId=call_id)


@pytest.mark.timeout(180)
async def test_a_killed_server_comes_back_and_the_call_goes_on_or_ends(run: Run) -> None:
    patience = {"CALL_GRACE_MS": "4000", "RUN_SCHEDULER": "1"}
    server = v2v.start(run, database_url=own_database(), **patience)
    (stays, stays_token), (leaves, _) = [server.vehicle() for _ in range(2)]
    third, third_token = server.vehicle()
    fourth, fourth_token = server.vehicle()
    async with (
        known(server, stays, stays_token) as (a, _),
        known(server, leaves, server.tokens["alpha"][leaves]) as (b, _),
        known(server, third, third_token) as (c, _),
        known(server, fourth, fourth_token) as (d, _),
    ):
        goes_on = await talk(a, c, third)
        ends = await talk(d, b, leaves)
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.gather(*(socket.closed() for socket in (a, b, c, d)))
    again = await asyncio.to_thread(v2v.start_again, run, server)
    async with (
        known(again, stays, stays_token) as (a, a_calls),
        known(again, third, third_token) as (c, c_calls),
        known(again, fourth, fourth_token) as (d, _),
    ):
        assert [(call["callId"], call["side"]) for call in (*a_calls, *c_calls)] == [
            (goes_on, "caller"),
            (goes_on, "callee"),
        ]
        assert (await state(d, ends, "failed"))["endReason"] == "connection_lost"
        await command(c, "webrtc_offer", callId=goes_on, sdp=SDP)
        await a.next("webrtc_offer", callId=goes_on)
        await asyncio.sleep(2)  # more than a grace since the start
        await command(a, "call_end", callId=goes_on)
        assert (await state(c, goes_on, "ended"))["endReason"] == "hangup"
    again.stop()


@pytest.mark.timeout(180)
async def test_a_server_killed_while_it_rings_lets_it_ring_on_and_be_answered(run: Run) -> None:
    server = v2v.start(run, database_url=own_database(), RUN_SCHEDULER="1")
    caller, callee = server.vehicle(), server.vehicle()
    async with known(server, *caller) as (a, _), known(server, *callee) as (b, _):
        call_id = await ring(a, callee[0])
        await b.next("call_incoming", callId=call_id)
        os.kill(server.pid, signal.SIGKILL)
        await asyncio.gather(a.closed(), b.closed())
    again = await asyncio.to_thread(v2v.start_again, run, server)
    async with known(again, *caller) as (a, a_calls), known(again, *callee) as (b, b_calls):
        assert [(call["callId"], call["state"]) for call in (*a_calls, *b_calls)] == [(call_id, "ringing")] * 2
        await command(b, "call_answer", callId=call_id)
        await state(a, call_id, "active")
        await command(a, "call_end", callId=call_id)
        assert (await state(b, call_id, "ended"))["endReason"] == "hangup"
    again.stop()


@pytest.fixture
def database(run: Run) -> Iterator[Server]:
    """A PostgreSQL of the test's own, which it may stop."""
    own = postgres.start(run)
    yield own
    for pid in family(own.pid):
        os.kill(pid, signal.SIGCONT)
    os.kill(own.keeper_pid, signal.SIGTERM)


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


@pytest.mark.timeout(180)
async def test_while_the_database_stands_still_calls_are_unavailable_and_go_on_after_it(
    database: Server, start_server: Callable[..., V2VServer]
) -> None:
    server = start_server(database_url=database.url, RUN_SCHEDULER="1", CALL_GRACE_MS="6000")
    async with (
        vehicle(server) as (a, _),
        vehicle(server) as (b, b_id),
        vehicle(server) as (c, _),
        vehicle(server) as (d, d_id),
    ):
        call_id = await talk(a, b, b_id)
        rings = await ring(c, d_id)
        stopped = family(database.pid)
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        began = time.monotonic()
        error = await refused(d, "call_answer", callId=rings, id_="same")
        assert error["code"] == "unavailable"
        assert time.monotonic() - began < 3
        await asyncio.sleep(7)  # nobody can note that the two are there, for longer than a grace
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        while (answer := await answered(d, "call_answer", callId=rings, id_="same")).get("code") == "unavailable":
            await d.drain(0.5)
        assert answer.get("callId") == rings
        await c.drain(2)  # the sweep has run again
        await command(c, "webrtc_offer", callId=rings, sdp=SDP)
        await d.next("webrtc_offer", callId=rings)
        await command(a, "webrtc_offer", callId=call_id, sdp=SDP)
        await b.next("webrtc_offer", callId=call_id)
        assert (await command(a, "call_end", callId=call_id))["outcome"] == "ended"
    assert await asyncio.to_thread(stored, server) == "2"


def stored(server: V2VServer) -> str:
    return server.shell("from v2v.calls.models import CallSession; print(CallSession.objects.count())")
