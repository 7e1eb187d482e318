"""A server that does what a test tells it, step by step: a real one, on a port of its own."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

DEADLINE_S = 10.0


class Side:
    """The server's side of one connection."""

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        self.over = asyncio.Event()
        self.seq = 0

    async def read(self, event: str | None = None) -> dict[str, Any]:
        """The next message; it has to be this event. Heartbeats are passed over unless asked for."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                message: dict[str, Any] = json.loads(await self.socket.recv())
                if message["event"] == event or message["event"] != "heartbeat":
                    assert event in (None, message["event"])
                    return message

    async def send(self, event: str, **data: Any) -> None:
        """Send a numbered event."""
        self.seq += 1
        await self.socket.send(json.dumps({"event": event, "data": data, "seq": self.seq}))

    async def welcome(self, **more: Any) -> None:
        """Send `registered`."""
        snapshot = {"sessionId": "s", "heartbeatIntervalMs": 15_000, "serverTs": 1, "limits": {}}
        await self.send("registered", **(snapshot | more))

    async def register(self, **more: Any) -> dict[str, Any]:
        """Take the registration, and answer it."""
        message = await self.read("register")
        await self.welcome(**more)
        return message

    async def close(self, code: int = 1011) -> None:
        await self.socket.close(code)

    async def drop(self) -> None:
        """Break the connection without a word."""
        self.socket.transport.abort()
        await self.socket.wait_closed()


class Peer:
    """Takes connections; a test gets one after the other from `accept`."""

    def __init__(self) -> None:
        self.statuses: list[HTTPStatus] = []  # for the next upgrades, instead of a connection
        self.upgrades: list[Request] = []
        self._sides: asyncio.Queue[Side] = asyncio.Queue()
        self._server: Server

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}/"

    async def accept(self) -> Side:
        async with asyncio.timeout(DEADLINE_S):
            return await self._sides.get()

    async def accept_registered(self, **more: Any) -> Side:
        side = await self.accept()
        await side.register(**more)
        return side

    async def _serve(self, socket: ServerConnection) -> None:
        self._sides.put_nowait(Side(socket))
        await socket.wait_closed()

    def _upgrade(self, socket: ServerConnection, request: Request) -> Response | None:
        self.upgrades.append(request)
        return socket.respond(self.statuses.pop(0), "no") if self.statuses else None


@asynccontextmanager
async def running_peer() -> AsyncIterator[Peer]:
    peer = Peer()
    async with serve(
        peer._serve, "127.0.0.1", 0, process_request=peer._upgrade, close_timeout=0.5, ping_interval=None
    ) as server:
        peer._server = server
        yield peer
