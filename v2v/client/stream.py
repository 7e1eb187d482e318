"""What a reader has not taken yet."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from typing import Generic, TypeVar

from v2v.protocol import events

MAX_WAITING = 1024
_POSITIONS = (events.PeerLocations, events.Locations)
T = TypeVar("T")


class Stream(AsyncIterator[T], Generic[T]):
    """Asynchronous iterator of what is added, until it is finished."""

    def __init__(self, items: Iterable[T] = ()) -> None:
        self._items = deque(items)
        self._changed = asyncio.Event()
        self._end: Exception | None = None

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: T) -> None:
        """Add one."""
        self._items.append(item)
        self._changed.set()

    def finish(self, error: Exception) -> None:
        """There will be no more; the reader gets `error` after the last."""
        self._end = error
        self._changed.set()

    async def __anext__(self) -> T:
        while not self._items:
            if self._end is not None:
                raise self._end
            self._changed.clear()
            await self._changed.wait()
        return self._items.popleft()


class EventStream(Stream[events.Event]):
    """Asynchronous iterator of events; begins with the last `registered`, if the client is online.

    Holds MAX_WAITING events. When it is full positions are dropped, since newer ones follow; for anything else
    the client connects again, and the stream goes on with the new `registered`, which holds all that was missed.
    """

    def offer(self, event: events.Event) -> bool:
        """Add an event; False if one was lost that nothing makes up for."""
        if isinstance(event, events.Registered):
            self._items.clear()
        elif len(self) >= MAX_WAITING:
            return isinstance(event, _POSITIONS)
        self.add(event)
        return True
