"""From services, on whatever thread or process they run, to the connections that are concerned."""

import asyncio
from collections.abc import Callable
from typing import Any

from v2v.protocol.codes import CloseCode
from v2v.protocol.decode import Refusal
from v2v.realtime.hub import Hub
from v2v.realtime.session import Session


class MemoryRelay:
    """The relay of a server that is alone: straight to the hub, on the event loop's thread."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Deliver on the running loop from now on."""
        self._loop = asyncio.get_running_loop()

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._loop = None

    def end_sessions(
        self, concerns: Callable[[Session], bool], code: CloseCode, refusal: Refusal | None = None
    ) -> None:
        """Close every session that `concerns` picks; from any thread."""
        self._on_loop(self._end_sessions, concerns, code, refusal)

    def _end_sessions(self, concerns: Callable[[Session], bool], code: CloseCode, refusal: Refusal | None) -> None:
        for session in [session for session in self._hub.sessions if concerns(session)]:
            session.close(code, refusal)

    def _on_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)
