"""Messages that came: each once, whatever was lost on the way, and the word to the server that they are here."""

import asyncio
from weakref import WeakSet

import msgspec

from v2v.client.connection import Connection
from v2v.client.stream import Stream
from v2v.protocol import commands, events
from v2v.protocol.fields import DISPATCH, MAX_DELIVERED_AT_ONCE

MAX_KNOWN = 4096  # the server brings the newest 1,000 that are not read
MAX_WAITING = 4096
_encode = msgspec.json.Encoder().encode


class MessageStream(Stream[events.MessagePart]):
    """Asynchronous iterator of messages to this side, each once."""

    @property
    def is_full(self) -> bool:
        """Whether it holds as many as it can."""
        return len(self) >= MAX_WAITING


class Inbox:
    """What came so far, newest MAX_KNOWN, and what the server has not been told of."""

    def __init__(self, *, is_dispatch: bool) -> None:
        self.streams: WeakSet[MessageStream] = WeakSet()
        self._is_dispatch = is_dispatch
        self._known: dict[str, events.MessagePart] = {}
        self._untold: dict[str, None] = {}
        self._changed = asyncio.Event()

    def stream(self) -> MessageStream:
        """What is known so far, and all that comes."""
        stream = MessageStream(self._known.values())
        self.streams.add(stream)
        return stream

    def finish(self, error: Exception) -> None:
        """There will be no more messages."""
        for stream in self.streams:
            stream.finish(error)

    def take(self, message: events.MessagePart) -> bool:
        """Keep a message; False when no more of them can be held, so that it has to come again."""
        if not self._is_for_us(message):
            return True
        if message.message_id not in self._known:
            if any(stream.is_full for stream in self.streams):
                return False
            self._known[message.message_id] = message
            if len(self._known) > MAX_KNOWN:
                del self._known[next(iter(self._known))]
            for stream in self.streams:
                stream.add(message)
        # One that comes again comes because the server has not heard that it came, perhaps.
        self._untold[message.message_id] = None
        self._changed.set()
        return True

    async def tell(self, connection: Connection) -> None:
        """Tell the server what has come, for as long as the connection holds. Raises Lost."""
        while True:
            while self._untold:
                ids = list(self._untold)[:MAX_DELIVERED_AT_ONCE]
                data = commands.MessageDeliveredData(message_ids=ids)
                await connection.send(_encode(commands.MessageDelivered(data=data)))
                for message_id in ids:
                    self._untold.pop(message_id, None)
            self._changed.clear()
            await self._changed.wait()

    def _is_for_us(self, message: events.MessagePart) -> bool:
        """Dispatchers see what others say to each other, too."""
        if not self._is_dispatch:
            return True
        return message.recipient_id == DISPATCH or (message.broadcast and message.sender_id != DISPATCH)
