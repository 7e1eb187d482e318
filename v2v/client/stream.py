"""The events that a reader has not taken yet."""

import asyncio
from collections import deque

from v2v.protocol import events

MAX_WAITING = 1024
_POSITIONS = (events.PeerLocations, events.Locations)


class EventStream:
    """Asynchronous iterator of events; begins with the last `registered`, if the client is online.

    Holds MAX_WAITING events. When it is full positions are dropped, since newer ones follow; for anything else
    the client connects again, and the stream goes on with the new `registered`, which holds all that was missed.
    """

    def __init__(self) -> None:
        self._events: deque[events.Event] = deque()
        self._changed = asyncio.Event()
        self._end: Exception | None = None

    def offer(self, event: events.Event) -> bool:
        """Add an event; False if one was lost that nothing makes up for."""
        if isinstance(event, events.Registered):
            self._events.clear()
        elif len(self._events) >= MAX_WAITING:
            return isinstance(event, _POSITIONS)
        self._events.append(event)
        self._changed.set()
        return True

    def finish(self, error: Exception) -> None:
        """There will be no more events; the reader gets `error` after the last."""
        self._end = error
        self._changed.set()

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> events.Event:
        while not self._events:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        return self._events.popleft()
