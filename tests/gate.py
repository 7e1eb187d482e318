"""A gate before a server: shut, it cuts every connection and refuses new ones, as a server that is not running does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Gate:
    """Forwards connections to the server at `target` (a URL with host and port) while it is open."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        self._server: asyncio.Server | None = None
        self._port = 0
        self._ends: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        """The target's address through the gate."""
        login, _, _ = self._target.netloc.rpartition("@")
        return urlunsplit(self._target._replace(netloc=f"{login}@127.0.0.1:{self._port}"))

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    def shut(self) -> None:
        if self._server is not None:
            self._server.close()
        for end in self._ends:
            end.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, to_there = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._ends |= {writer, to_there}
        await asyncio.gather(_forward(reader, to_there), _forward(there, writer))
        self._ends -= {writer, to_there}


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def gate(target: str) -> AsyncIterator[Gate]:
    """An open gate before the target."""
    made = Gate(target)
    await made.open()
    try:
        yield made
    finally:
        made.shut()
