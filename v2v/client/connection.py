"""One connection: frames out, events in, and the order of those that are numbered."""

import asyncio
import ipaddress
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from v2v.protocol.codes import CLOSES, CloseCode
from v2v.protocol.events import Event, ServerEvent

CONNECT_DEADLINE_S = 10.0
SEND_DEADLINE_S = 10.0
CLOSE_DEADLINE_S = 2.0
MAX_INCOMING_BYTES = 16 * 1024 * 1024  # a dispatcher's snapshot of a large fleet is one frame
# Past this the socket counts as congested and a fix waits, to be replaced by a newer one.
WRITE_LIMIT_BYTES = 4096
POSITIONS = (b'{"event":"peer_locations"', b'{"event":"locations"')
_REFUSED_STATUS = (401, 403)

log = logging.getLogger(__name__)


class Lost(Exception):
    """The connection is over. `code` is that of the close frame, if one came."""

    def __init__(self, reason: str, *, code: int | None = None, final: bool = False) -> None:
        self.reason = reason
        self.code = code
        self.final = final or (code in CLOSES and not CLOSES[CloseCode(code)].reconnect)
        super().__init__(reason)


class _Head(msgspec.Struct):
    event: str
    seq: int | None = None


_head = msgspec.json.Decoder(_Head).decode
_event: msgspec.json.Decoder[Any] = msgspec.json.Decoder(ServerEvent)


class Connection:
    """A socket that is open. Not for several receivers at once."""

    def __init__(self, socket: ClientConnection) -> None:
        self.received_at = asyncio.get_running_loop().time()
        self._clock = asyncio.get_running_loop().time
        self._socket = socket
        self._given_up: Lost | None = None
        self._seq = 0  # of the last numbered event

    async def send(self, raw: bytes) -> None:
        """Send one message; waits while the socket is congested. Raises Lost."""
        try:
            async with asyncio.timeout(SEND_DEADLINE_S):
                await self._socket.send(raw, text=True)
        except ConnectionClosed as error:
            raise _lost(error) from error
        except TimeoutError as error:
            raise Lost("the server does not read") from error

    async def receive(self) -> bytes:
        """The next message as it came. Raises Lost."""
        try:
            raw = await self._socket.recv(decode=False)
        except ConnectionClosed as error:
            raise self._given_up or _lost(error) from error
        self.received_at = self._clock()
        return raw

    def event(self, raw: bytes) -> Event | None:
        """The event in a message; None if it is one that this client does not know yet.

        Raises Lost when the message is none, or when its number shows that one before it is missing.
        """
        try:
            head = _head(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise Lost("the server sent what is no event") from error
        if head.seq is not None:
            if head.seq != self._seq + 1:
                raise Lost(f"event {self._seq + 1} is missing")
            self._seq = head.seq
        try:
            event: Event = _event.decode(raw)
        except msgspec.ValidationError as error:
            log.debug("skipped %s: %s", head.event, error)
            return None
        return event

    async def give_up(self, lost: Lost) -> None:
        """Close the socket from this side; the receiver gets `lost`."""
        self._given_up = self._given_up or lost
        await self._socket.close()


@asynccontextmanager
async def open_connection(url: str, headers: Mapping[str, str]) -> AsyncIterator[Connection]:
    """A connection to `url`, closed at the end. Raises Lost when there is none to be had."""
    # No deflate: messages are short, and memory a connection is what a server has least of.
    # No pings: heartbeats tell both sides that the other lives.
    opening = connect(
        url,
        additional_headers=headers,
        compression=None,
        ping_interval=None,
        open_timeout=CONNECT_DEADLINE_S,
        close_timeout=CLOSE_DEADLINE_S,
        max_size=MAX_INCOMING_BYTES,
        write_limit=WRITE_LIMIT_BYTES,
        proxy=None if _is_local(url) else True,
    )
    try:
        socket = await opening
    except InvalidStatus as error:
        status = error.response.status_code
        raise Lost(f"the server answered {status}", final=status in _REFUSED_STATUS) from error
    except (OSError, InvalidHandshake, ConnectionClosed, EOFError) as error:
        raise Lost(f"no connection: {error}") from error
    try:
        yield Connection(socket)
    finally:
        await socket.close()


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _lost(error: ConnectionClosed) -> Lost:
    if error.rcvd is None:
        return Lost("the connection broke")
    code = error.rcvd.code
    words = CLOSES[CloseCode(code)].reason if code in CLOSES else "closed by the server"
    return Lost(error.rcvd.reason or words, code=code)
