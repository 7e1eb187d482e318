"""Redis goes away, stands still, or forgets: local service goes on, and afterwards nobody has missed anything."""

import asyncio
import json
import os
import signal
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis as redis_client

from tests.faults.conftest import RecordFigure
from tests.servers import redis, v2v
from tests.servers.run import Run, Server
from tests.servers.v2v import V2VServer
from tests.sockets import Socket, dispatcher, vehicle, vehicle_socket

pytestmark = pytest.mark.timeout(240)
WITHIN_S = 30.0
DISABLE = (
    "from django.utils import timezone; from v2v.vehicles.models import Vehicle; "
    "from v2v.vehicles.services import vehicle_disable; "
    "vehicle_disable(vehicle=Vehicle.objects.get(vehicle_id='{}'), now=timezone.now())"
)


@dataclass
class Pair:
    """Two server processes and their Redis."""

    servers: list[V2VServer]
    redis: Server
    prefix: str


@pytest.fixture(scope="module")
def pair(run: Run) -> Iterator[Pair]:
    own = redis.start(run)
    prefix = f"test-{uuid.uuid4().hex}:"
    first = v2v.start(run, REDIS_URL=own.url, REDIS_PREFIX=prefix)
    pair = Pair([first, v2v.start_beside(run, first)], own, prefix)
    yield pair
    for server in reversed(pair.servers):
        server.stop()


@dataclass
class Scene:
    """A vehicle on each process, and a dispatcher on each."""

    one: Socket
    other: Socket
    other_id: str
    consoles: list[Socket]


@asynccontextmanager
async def scene(pair: Pair) -> AsyncIterator[Scene]:
    async with AsyncExitStack() as stack:
        consoles = [(await stack.enter_async_context(dispatcher(server)))[0] for server in pair.servers]
        one, _ = await stack.enter_async_context(vehicle(pair.servers[0]))
        other, other_id = await stack.enter_async_context(vehicle(pair.servers[1]))
        await consoles[0].next("presence_update", vehicleId=other_id)  # the two know each other
        yield Scene(one, other, other_id, consoles)


async def told(socket: Socket, event: str, key: str, value: str) -> dict[str, Any]:
    """The part about one thing, as an event of its own or in a fresh snapshot, whichever comes first."""
    parts = {"message": "messages", "emergency_alert": "alerts"}
    read = 0
    async with asyncio.timeout(WITHIN_S):
        while True:
            for frame in socket.seen[read:]:
                inside = frame["data"].get(parts[event], []) if frame["event"] == "registered" else []
                found = [frame["data"]] if frame["event"] == event else inside
                for part in found:
                    if part[key] == value:
                        return dict(part)
            read = len(socket.seen)
            await socket.more()


async def work(scene: Scene) -> tuple[str, str]:
    """An alert and a message to the other process's vehicle; their ids, acked."""
    await scene.one.send("emergency_alert", {"message": "help", "lat": 1.0, "lng": 1.0}, id=f"a-{uuid.uuid4().hex}")
    alert_id = (await scene.one.next("ack"))["alertId"]
    await scene.one.send("send_message", {"recipientId": scene.other_id, "content": "hello"}, id=uuid.uuid4().hex)
    return alert_id, (await scene.one.next("ack"))["messageId"]


async def is_healthy(server: V2VServer, status: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        while (await asyncio.to_thread(_health, server))["status"] != status:  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.1)


def _health(server: V2VServer) -> Any:
    with urllib.request.urlopen(f"{server.url}/health", timeout=10) as answer:
        return json.load(answer)


async def test_redis_is_killed_and_comes_back(run: Run, pair: Pair, record_figure: RecordFigure) -> None:
    async with scene(pair) as on, AsyncExitStack() as stack:
        os.kill(pair.redis.pid, signal.SIGKILL)
        await is_healthy(pair.servers[0], "degraded")
        alert_id, message_id = await work(on)
        await on.consoles[0].next("emergency_alert", alertId=alert_id)  # of the same process: at once
        vehicle_id, token = pair.servers[0].vehicle()
        doomed = await stack.enter_async_context(vehicle_socket(pair.servers[1]))
        await doomed.register(vehicle_id, token)
        await asyncio.to_thread(pair.servers[0].shell, DISABLE.format(vehicle_id))
        pair.redis = await asyncio.to_thread(redis.start, run, port=urlsplit(pair.redis.url).port)
        back = time.monotonic()
        await told(on.other, "message", "messageId", message_id)
        await told(on.consoles[1], "emergency_alert", "alertId", alert_id)
        took = time.monotonic() - back
        assert await doomed.closed() == 4410
        await on.one.send("location_update", {"lat": 2.0, "lng": 2.0})
        await on.other.send("location_update", {"lat": 2.0, "lng": 2.0})
        await on.other.next("proximity_event")
    record_figure("SIGKILL of Redis, back again", "acked lost = 0, recovery <= 5 s", f"lost 0, {took:.1f} s")


async def test_redis_stands_still(pair: Pair, record_figure: RecordFigure) -> None:
    async with scene(pair) as on:
        os.kill(pair.redis.pid, signal.SIGSTOP)
        try:
            stopped = time.monotonic()
            await is_healthy(pair.servers[0], "degraded")
            degraded = time.monotonic() - stopped
            alert_id, message_id = await work(on)
            waits = []
            while time.monotonic() - stopped < 8.0:
                began = time.perf_counter()
                await on.one.send("heartbeat")
                await on.one.next("heartbeat_ack")
                waits.append(time.perf_counter() - began)
                await asyncio.sleep(0.25)  # within the limit of 5 a second
        finally:
            os.kill(pair.redis.pid, signal.SIGCONT)
        back = time.monotonic()
        await told(on.other, "message", "messageId", message_id)
        await told(on.consoles[1], "emergency_alert", "alertId", alert_id)
        took = time.monotonic() - back
        gone = [m for m in on.consoles[0].seen if m["event"] == "presence_update" and m["data"]["status"] == "offline"]
        assert on.other_id not in [m["data"]["vehicleId"] for m in gone]
    waits.sort()
    record_figure(
        "SIGSTOP of Redis for 8 s",
        "degraded <= 3 s, no false ack, heartbeats go on",
        f"{degraded:.1f} s; lost 0, recovery {took:.1f} s; heartbeat p99 {waits[len(waits) * 99 // 100] * 1000:.0f} ms",
    )


async def test_redis_forgets_everything(run: Run, pair: Pair) -> None:
    async with scene(pair) as on, vehicle(pair.servers[0]) as (_, vehicle_id):
        with redis_client.Redis.from_url(pair.redis.url, socket_timeout=5) as client:
            client.flushall()
            until = time.monotonic() + WITHIN_S
            while client.exists(f"{pair.prefix}processes") == 0 or len(client.keys(f"{pair.prefix}held:*")) < 2:
                assert time.monotonic() < until
                await asyncio.sleep(0.05)
        third = await asyncio.to_thread(v2v.start_beside, run, pair.servers[0])
        try:
            async with dispatcher(third) as (console, snapshot):
                online = {each["vehicleId"] for each in snapshot["vehicles"] if each["status"] == "online"}
                for missing in {vehicle_id, on.other_id} - online:
                    await console.next("presence_update", vehicleId=missing, status="online")
            _, message_id = await work(on)
            assert (await on.other.next("message", messageId=message_id))["content"] == "hello"
        finally:
            third.stop()


async def test_a_server_process_is_killed(run: Run, pair: Pair, record_figure: RecordFigure) -> None:
    third = await asyncio.to_thread(v2v.start_beside, run, pair.servers[0])
    async with AsyncExitStack() as stack:
        console, _ = await stack.enter_async_context(dispatcher(pair.servers[0]))
        ids = {(await stack.enter_async_context(vehicle(third)))[1] for _ in range(100)}
        for vehicle_id in ids:
            await told_presence(console, vehicle_id, "online")
        os.kill(third.pid, signal.SIGKILL)
        killed = time.monotonic()
        for vehicle_id in ids:
            await told_presence(console, vehicle_id, "offline")
        took = time.monotonic() - killed
    record_figure("kill -9 of a server with 100 sockets", "offline by lease", f"all offline after {took:.1f} s")


async def told_presence(console: Socket, vehicle_id: str, status: str) -> None:
    wanted = {"vehicleId": vehicle_id, "status": status}
    async with asyncio.timeout(WITHIN_S):
        while not any(m["event"] == "presence_update" and wanted.items() <= m["data"].items() for m in console.seen):
            await console.more()


async def test_a_flood_over_two_processes_stays_within_one_limit(pair: Pair) -> None:
    vehicle_id, token = pair.servers[0].vehicle()
    async with vehicle_socket(pair.servers[0]) as phone, vehicle_socket(pair.servers[1]) as tablet:
        await phone.register(vehicle_id, token, deviceId="phone")
        await tablet.register(vehicle_id, token, deviceId="tablet")
        began = time.monotonic()
        for number in range(12):
            for device, socket in (("p", phone), ("t", tablet)):
                await socket.send("send_message", {"broadcast": True, "content": "x"}, id=f"{device}{number}")
        passed = 0
        for socket in (phone, tablet):
            answered = 0
            while answered < 12:
                await socket.more()
                name = socket.seen[-1]["event"]
                answered += name in ("ack", "error")
                passed += name == "ack"
        assert 6 <= passed <= 6 + 3 * (time.monotonic() - began) + 1
