"""The database refuses connections: who comes is told to come again, who is there goes on, and all is well after it."""

import asyncio
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import psycopg
import pytest

from tests.gate import Gate, gate
from tests.servers.v2v import V2VServer
from tests.sockets import dispatcher, opened, vehicle, vehicle_socket

AWAY_S = 6.0
BACK_WITHIN_S = 15.0


@pytest.fixture
async def database(postgres_url: str) -> AsyncIterator[Gate]:
    """A database of the test's own behind a gate."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    async with gate(f"{postgres_url.rpartition('/')[0]}/{name}") as made:
        yield made


async def test_a_database_that_refuses_is_said_to_be_away_to_everybody_and_then_is_back(
    database: Gate, start_server: Callable[..., V2VServer]
) -> None:
    server = await asyncio.to_thread(start_server, database_url=database.url)
    vehicle_id, token = server.vehicle()
    cookie = await asyncio.to_thread(server.login, "alpha_dispatcher")
    console: dict[str, Any] = {"additional_headers": {"Cookie": cookie}, "origin": server.url}
    async with vehicle(server) as (there, _), dispatcher(server) as (watching, _):
        database.shut()
        began = time.monotonic()
        while time.monotonic() - began < AWAY_S:
            answer = await _register(server, vehicle_id, token)
            assert (answer["event"], answer["data"]["code"], answer["data"]["id"]) == ("error", "unavailable", "r")
            await there.send("heartbeat")
            await there.next("heartbeat_ack")
        async with opened(f"{server.ws_url}/ws/dispatch/", **console) as late:
            assert (await late.next("error"))["code"] == "unavailable"
            assert await late.closed() == 1013
        assert await asyncio.to_thread(_status, f"{server.url}/api/v1/presence", token) == 503
        assert not [m for m in watching.seen if m["event"] == "error"]
        await database.open()
        back = time.monotonic()
        while (await _register(server, vehicle_id, token))["event"] != "registered":
            assert time.monotonic() - back < BACK_WITHIN_S
        async with opened(f"{server.ws_url}/ws/dispatch/", **console) as late:
            await late.next("registered")


async def _register(server: V2VServer, vehicle_id: str, token: str) -> dict[str, Any]:
    """The first answer to a register on a socket of its own."""
    async with vehicle_socket(server) as socket:
        await socket.send("register", {"vehicleId": vehicle_id, "token": token}, id="r")
        return json.loads(await socket.connection.recv())


def _status(url: str, token: str) -> int:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    try:
        return int(urllib.request.urlopen(request, timeout=15).status)
    except urllib.error.HTTPError as error:
        return error.code
