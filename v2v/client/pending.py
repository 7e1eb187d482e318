"""Commands that wait for their answer."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from v2v.client.connection import Connection
from v2v.client.errors import CommandRefused, TooManyPending
from v2v.protocol import commands, events

MAX_PENDING = 100
# Stored by the server before it acks them, and applied once however often they come with the same id.
DURABLE = (
    commands.SendMessage,
    commands.MessageRead,
    commands.EmergencyAlert,
    commands.AlertCancel,
    commands.AlertDisplayed,
    commands.AlertAck,
    commands.AlertAssign,
    commands.AlertResolve,
    commands.AlertNegate,
    commands.AlertNote,
    commands.CallInitiate,
    commands.CallAnswer,
    commands.CallReject,
    commands.CallEnd,
    commands.SettingsUpdate,
)
_encode = msgspec.json.Encoder().encode


class Pending:
    """One command on its way: the same bytes, and so the same id, each time that it is sent."""

    def __init__(self, command: commands.Command) -> None:
        self.id = command.id or uuid.uuid4().hex
        self.durable = isinstance(command, DURABLE)
        self.answer: asyncio.Future[events.Ack] = asyncio.get_running_loop().create_future()
        self._raw = _encode(msgspec.structs.replace(command, id=self.id))
        self._sent_on: Connection | None = None

    async def send(self, connection: Connection) -> None:
        """Send it, unless it went out on this connection already. Raises Lost."""
        if self._sent_on is not connection:
            self._sent_on = connection
            await connection.send(self._raw)

    def renew(self) -> None:
        """Have it sent again, and wait for another answer."""
        self._sent_on = None
        self.answer = asyncio.get_running_loop().create_future()


class PendingCommands:
    """All commands without an answer, in the order in which they were given; MAX_PENDING at the most."""

    def __init__(self) -> None:
        self._by_id: dict[str, Pending] = {}

    @contextmanager
    def waiting(self, command: commands.Command) -> Iterator[Pending]:
        """Keep `command` here for as long as its sender waits. Raises TooManyPending."""
        if len(self._by_id) >= MAX_PENDING:
            raise TooManyPending(f"{MAX_PENDING} commands wait for their answer")
        pending = Pending(command)
        if pending.id in self._by_id:
            raise ValueError(f"a command with the id {pending.id} is under way")
        self._by_id[pending.id] = pending
        try:
            yield pending
        finally:
            del self._by_id[pending.id]
            if not pending.answer.cancel() and not pending.answer.cancelled():
                pending.answer.exception()  # nobody is to be told any more, asyncio neither

    def __iter__(self) -> Iterator[Pending]:
        return iter(tuple(self._by_id.values()))

    def resolve(self, answer: events.Ack | events.Error) -> bool:
        """Hand an answer to who waits for it; False if nobody does."""
        pending = self._by_id.get(answer.data.id or "")
        if pending is None or pending.answer.done():
            return False
        if isinstance(answer, events.Error):
            pending.answer.set_exception(CommandRefused(answer.data))
        else:
            pending.answer.set_result(answer)
        return True

    def fail(self, error: Exception, *, durable: bool) -> None:
        """Tell the waiting that there will be no answer; those of durable commands only if `durable`."""
        for pending in self:
            if not pending.answer.done() and (durable or not pending.durable):
                pending.answer.set_exception(error)
