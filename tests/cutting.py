"""A proxy that cuts a WebSocket connection at a chosen frame, in either direction, before, within or after it.

What else goes over HTTP passes.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

Direction = Literal["up", "down"]


@dataclass(frozen=True)
class Cut:
    """Where to cut a connection: at its frame `number` (from 0) that goes up or down.

    `lost`: half of the frame's bytes go on, so that the peer never gets it. `taken`: the peer gets it, and no more.
    """

    direction: Direction
    number: int
    where: Literal["lost", "taken"]


@dataclass
class CuttingProxy:
    """Forwards connections to `target`; how many frames went each way, and whether it has cut.

    While `opened` is not set, sockets wait to be let in.
    """

    target: str
    cut: Cut | None = None
    has_cut: bool = False
    frames: dict[Direction, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    url: str = ""
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    _sockets: tuple[asyncio.StreamWriter, ...] = ()

    def again(self, cut: Cut | None) -> None:
        """Drop the connection that there is, and cut the next one there, once it is let in; count frames from 0."""
        self.opened.clear()
        self.cut, self.has_cut, self.frames = cut, False, {"up": 0, "down": 0}
        for writer in self._sockets:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(self.target)
        server_reader, server_writer = await asyncio.open_connection(parts.hostname, parts.port)
        writers = (writer, server_writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            head = await reader.readuntil(b"\r\n\r\n")
            is_socket = b"upgrade: websocket" in head.lower()
            if is_socket:
                await self.opened.wait()
                self._sockets = writers
            server_writer.write(head)
            if is_socket:
                writer.write(await server_reader.readuntil(b"\r\n\r\n"))
                up, down = self._forward("up", reader, server_writer), self._forward("down", server_reader, writer)
            else:
                up, down = _pass(reader, server_writer), _pass(server_reader, writer)
            ways = [asyncio.create_task(up), asyncio.create_task(down)]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        for each in writers:
            each.transport.abort()

    async def _forward(self, direction: Direction, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                frame = await _frame(reader)
                cut = None if self.has_cut else self.cut
                is_it = cut is not None and (cut.direction, cut.number) == (direction, self.frames[direction])
                self.frames[direction] += 1
                if cut is None or not is_it:
                    writer.write(frame)
                    await writer.drain()
                    continue
                self.has_cut = True
                writer.write(frame if cut.where == "taken" else frame[: len(frame) // 2])
                await writer.drain()
                return  # and with it both sides
        except (asyncio.IncompleteReadError, ConnectionError):
            return


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pages and what belongs to them: as they are."""
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """The bytes of one frame (RFC 6455, 5.2)."""
    head = await reader.readexactly(2)
    length = head[1] & 0x7F
    more = b""
    if length >= 126:
        more = await reader.readexactly(2 if length == 126 else 8)
        length = int.from_bytes(more)
    mask = await reader.readexactly(4) if head[1] & 0x80 else b""
    return head + more + mask + await reader.readexactly(length)


@asynccontextmanager
async def cutting_proxy(target: str, cut: Cut | None = None) -> AsyncIterator[CuttingProxy]:
    """A proxy before the server at `target` (ws://...)."""
    proxy = CuttingProxy(target, cut)
    proxy.opened.set()
    server = await asyncio.start_server(proxy._serve, "127.0.0.1", 0)
    proxy.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
