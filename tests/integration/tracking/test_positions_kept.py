"""What vehicles report on a server is in the database, in its place, and what is odd about it is listed."""

import asyncio
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import psycopg
import pytest

from tests import databases
from tests.integration.tracking.stored import rows, until
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer
from tests.sockets import vehicle

ServerMaker = Callable[..., V2VServer]


@pytest.fixture
def a_server(run: Run) -> Iterator[ServerMaker]:
    """Starts a server on the database that this half of the run is for."""
    started: list[V2VServer] = []

    def start(**settings: str) -> V2VServer:
        url = os.environ.get(databases.VARIABLE, "")
        if url:
            name = f"tracking_{uuid.uuid4().hex}"
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}")
            url = urlsplit(url)._replace(path=f"/{name}").geturl()
        started.append(v2v.start(run, database_url=url, **settings))
        return started[-1]

    yield start
    for server in started:
        with suppress(ProcessLookupError):
            server.stop()


def of(vehicle_id: str, columns: str, table: str = "position") -> str:
    return (
        f"SELECT {columns} FROM tracking_{table} AS kept JOIN vehicles_vehicle ON vehicles_vehicle.id = kept.vehicle_id"
        f" WHERE vehicles_vehicle.vehicle_id = '{vehicle_id}' ORDER BY recorded_at"
    )


async def test_positions_are_stored_in_their_place_and_conflicts_are_listed(a_server: ServerMaker) -> None:
    server = a_server()
    now = int(time.time() * 1000)
    async with vehicle(server, deviceId="tablet") as (socket, name):
        for number, (after, lat) in enumerate([(0, 25.0), (-2_000, 25.0001), (0, 25.0002), (-600_000, 24.0)]):
            fix = {"lat": lat, "lng": 55.0, "ts": now + after, "speed": float(number)}
            await socket.send("location_update", fix, id=f"n{number}")
            await socket.next("ack", id=f"n{number}")
        stored = await until(server, of(name, "speed, device_id, source"), 3)
    assert stored == [(3.0, "tablet", "socket"), (1.0, "tablet", "socket"), (0.0, "tablet", "socket")]
    conflicts = await until(server, of(name, "kind, stood_lat", "positionconflict"), 3)
    assert sorted(conflicts) == [("duplicate", 25.0), ("late", 25.0), ("late", 25.0)]
    figures = server.metrics()
    assert figures["v2v_ingest_written_total"] == 3
    assert figures["v2v_ingest_out_of_order_total"] == 3
    assert '"positions stored"' in server.log()


async def test_a_server_that_is_told_to_end_stores_what_it_has_taken(a_server: ServerMaker) -> None:
    server = a_server()
    taken = []
    for _ in range(5):
        async with vehicle(server) as (socket, name):
            for number in range(8):
                await socket.send("location_update", {"lat": 25.0, "lng": 55.0, "alarm": "hazard"}, id=f"n{number}")
                await socket.next("ack", id=f"n{number}")
            taken.append(name)
    os.kill(server.pid, signal.SIGTERM)
    async with asyncio.timeout(20):
        while (server.directory / "pid").exists():  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)
    last = [rows(server, of(name, "alarm")) for name in taken]
    assert all(found and set(found) == {("hazard",)} for found in last)


async def test_over_redis_the_writer_in_the_server_stores_the_same(a_server: ServerMaker, redis_url: str) -> None:
    server = a_server(REDIS_URL=f"{redis_url.rpartition('/')[0]}/5")
    async with vehicle(server) as (socket, name):
        await socket.send("location_update", {"lat": 25.0, "lng": 55.0, "battery": 50.0}, id="n")
        await socket.next("ack", id="n")
        assert await until(server, of(name, "battery"), 1) == [(50.0,)]
