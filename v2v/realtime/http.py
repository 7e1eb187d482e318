"""uvicorn's HTTP protocol with a limit on the head of a request, which it leaves open in size and time."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_MAX_HEAD_BYTES = 64 * 1024
_HEAD_WITHIN_S = 10.0


class BoundedHttpProtocol(HttpToolsProtocol):
    """Closes a connection whose request's head does not end: a handshake that trickles in, a header without an end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deadline: asyncio.TimerHandle | None = None  # set as long as a head is awaited
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Await the first request."""
        super().connection_made(transport)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone."""
        self._end_of_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse, then look whether the head has grown too long."""
        super().data_received(data)
        if self._deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request's head is too long.")

    def on_message_begin(self) -> None:
        """The next request of a connection begins."""
        super().on_message_begin()
        if self._deadline is None:
            self._await_head()

    def on_headers_complete(self) -> None:
        """The head is there; a body has the limits of whoever reads it."""
        self._end_of_head()
        super().on_headers_complete()

    def _await_head(self) -> None:
        self._head_bytes = 0
        self._deadline = self.loop.call_later(_HEAD_WITHIN_S, self.transport.abort)

    def _end_of_head(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
