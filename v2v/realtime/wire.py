"""How a connection's frames reach its socket: through a server that offers the short way, or through plain ASGI."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Protocol

DIRECT = "v2v.direct"  # the ASGI extension under which `v2v.realtime.server` offers itself as a Wire
_LOW_WATER = 16


class Receiver(Protocol):
    """What a wire tells about its socket. All calls come from the event loop and must not block."""

    def frame_received(self, payload: bytes) -> None:
        """A whole text message came."""

    def binary_received(self) -> None:
        """A binary message came."""

    def writing_resumed(self) -> None:
        """The socket takes frames again."""

    def abused(self) -> None:
        """Far too many frames came that are no messages."""

    def server_stopping(self) -> None:
        """The server stops: the connection has to be closed now."""


class Wire(Protocol):
    """One socket's way out."""

    can_write: bool

    def attach(self, receiver: Receiver) -> None:
        """Tell `receiver` from now on."""

    def send_frame(self, payload: bytes) -> None:
        """Send one text frame; the caller looks at `can_write` first."""

    def close_with(self, code: int, reason: str, *, linger_s: float) -> None:
        """Send a close frame; drop the connection after `linger_s` seconds whatever the peer does."""


class AsgiWire:
    """The way through ASGI's `send`, for servers without the short way, such as Daphne.

    A task sends what waits. `can_write` is a small window on it: such a server does not tell when its peer is slow.
    """

    WINDOW = 64

    def __init__(self, send: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        self.can_write = True
        self._send = send
        self._waiting: deque[dict[str, Any]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._receiver: Receiver | None = None
        self._closed = False

    def attach(self, receiver: Receiver) -> None:
        """Tell `receiver` from now on."""
        self._receiver = receiver

    def send_frame(self, payload: bytes) -> None:
        """Queue one text frame."""
        self._put({"type": "websocket.send", "text": payload.decode()})

    def close_with(self, code: int, reason: str, *, linger_s: float) -> None:
        """Queue the close frame behind what waits."""
        self._put({"type": "websocket.close", "code": int(code), "reason": reason})  # Daphne takes no IntEnum
        self._closed = True

    def _put(self, message: dict[str, Any]) -> None:
        if self._closed:
            return
        self._waiting.append(message)
        self.can_write = len(self._waiting) < self.WINDOW
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        try:
            while self._waiting:
                await self._send(self._waiting.popleft())
                if not self.can_write and len(self._waiting) <= _LOW_WATER:
                    self.can_write = True
                    if self._receiver is not None:
                        self._receiver.writing_resumed()
        except Exception:
            was_closing, self._closed = self._closed, True
            self._waiting.clear()
            if was_closing:  # Daphne sends 1000 and from 3000 on, and raises at 1003, 1007, 1012, 1013
                with suppress(Exception):
                    await self._send({"type": "websocket.close"})
        finally:
            self._task = None
