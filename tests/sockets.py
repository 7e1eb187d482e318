"""A bare socket for tests of the wire: what is sent is sent as it is, what comes is shown as it came."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.servers.v2v import V2VServer

WAIT_S = 10.0  # on two busy cores


class Socket:
    """One connection. Events that nobody has asked for yet are kept."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[dict[str, Any]] = []
        self._read = 0

    async def send(self, event: str, data: dict[str, Any] | None = None, **envelope: Any) -> None:
        await self.connection.send(json.dumps({"event": event, "data": data or {}, **envelope}))

    async def send_raw(self, text: str | bytes) -> None:
        await self.connection.send(text)

    async def next(self, event: str, **wanted: Any) -> dict[str, Any]:
        """The data of the next event of that name, with `wanted` in its data; what comes before it is passed over."""
        async with asyncio.timeout(WAIT_S):
            while True:
                while self._read < len(self.seen):
                    message = self.seen[self._read]
                    self._read += 1
                    if message["event"] == event and wanted.items() <= message["data"].items():
                        return dict(message["data"])
                await self.more()

    async def more(self) -> None:
        """Wait for one more event, and keep it."""
        self.seen.append(json.loads(await self.connection.recv()))

    async def drain(self, seconds: float) -> list[dict[str, Any]]:
        """Everything that comes in the next `seconds`."""
        begin = len(self.seen)
        try:
            async with asyncio.timeout(seconds):
                while True:
                    self.seen.append(json.loads(await self.connection.recv()))
        except TimeoutError:
            self._read = len(self.seen)
            return self.seen[begin:]

    async def closed(self) -> int:
        """Wait for the end; its close code."""
        async with asyncio.timeout(WAIT_S):
            with suppress(ConnectionClosed):
                while True:
                    self.seen.append(json.loads(await self.connection.recv()))
        return int(self.connection.close_code or 1006)

    async def register(self, vehicle_id: str, token: str, **data: Any) -> dict[str, Any]:
        await self.send("register", {"vehicleId": vehicle_id, "token": token, **data})
        return await self.next("registered")


@asynccontextmanager
async def opened(url: str, **options: Any) -> AsyncIterator[Socket]:
    """A socket at a full address."""
    # Without a bound on the queue a socket that nobody asks would keep its own close frame from being read.
    async with connect(url, max_queue=None, **options) as connection:
        yield Socket(connection)


@asynccontextmanager
async def vehicle_socket(server: V2VServer, **options: Any) -> AsyncIterator[Socket]:
    """A vehicle's socket that has not registered."""
    async with opened(f"{server.ws_url}/ws/vehicle/", **options) as socket:
        yield socket


@asynccontextmanager
async def vehicle(server: V2VServer, fleet: str = "alpha", **data: Any) -> AsyncIterator[tuple[Socket, str]]:
    """The socket of a fresh vehicle that has registered, and its id."""
    vehicle_id, token = server.vehicle(fleet)
    async with vehicle_socket(server) as socket:
        await socket.register(vehicle_id, token, **data)
        yield socket, vehicle_id


@asynccontextmanager
async def dispatcher(server: V2VServer, user: str = "alpha_dispatcher") -> AsyncIterator[tuple[Socket, dict[str, Any]]]:
    """A dispatcher's socket, and the snapshot that it began with."""
    cookie = await asyncio.to_thread(server.login, user)
    options = {"additional_headers": {"Cookie": cookie}, "origin": server.url}
    async with opened(f"{server.ws_url}/ws/dispatch/", **options) as socket:
        yield socket, await socket.next("registered")
