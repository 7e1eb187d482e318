"""A client that stays connected: registers, sends commands, and gives what the server sends as typed events."""

import asyncio
import enum
import logging
import time
import uuid
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self
from weakref import WeakSet

import msgspec

from v2v.client.backoff import Backoff
from v2v.client.calls import CallCommands
from v2v.client.connection import POSITIONS, Connection, Lost, open_connection
from v2v.client.errors import CommandRefused, NotConnected, Stopped
from v2v.client.inbox import Inbox, MessageStream
from v2v.client.pending import Pending, PendingCommands
from v2v.client.stream import EventStream
from v2v.protocol import commands
from v2v.protocol.codes import ErrorCode
from v2v.protocol.events import Ack, Error, Event, HeartbeatAck, Message, Registered, ServerShutdown

REGISTER_DEADLINE_S = 10.0
COMMAND_DEADLINE_S = 10.0
MESSAGE_TTL_MS = 24 * 3600 * 1000
UNAVAILABLE_WAIT_S = 1.0  # before a durable command is sent again to a server that cannot store it
STEADY_S = 10.0  # a connection that held for so long ends a row of failures
OFFLINE_AFTER_FAILURES = 3
_HOPELESS = {ErrorCode.AUTH_FAILED, ErrorCode.FORBIDDEN, ErrorCode.INVALID_REGISTER}
_HEARTBEAT = msgspec.json.encode(commands.Heartbeat(data=commands.HeartbeatData()))

Duty = Callable[[Connection], Coroutine[Any, Any, None]]
log = logging.getLogger(__name__)


class State(enum.StrEnum):
    """How the client is connected; `offline` after three failed tries in a row, `stopped` is for good."""

    CONNECTING = "connecting"
    ONLINE = "online"
    RECONNECTING = "reconnecting"
    OFFLINE = "offline"
    STOPPED = "stopped"


class Client(CallCommands):
    """What vehicles and dispatchers have in common. Use it as an asynchronous context manager, or await `run()`.

    `on_state` is told of each change of state, `on_event` of each event, which `events()` gives too. `on_positions`
    gets frames of positions as they came, undecoded; the other two then go without them.
    """

    _is_dispatch = False

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        on_state: Callable[[State], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_positions: Callable[[bytes], None] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self.state = State.CONNECTING
        self.registered: Registered.Data | None = None
        """The last snapshot; None before the first."""
        self._url = url
        self._headers = headers or {}
        self._on_state = on_state
        self._on_event = on_event
        self._on_positions = on_positions
        self._backoff = backoff or Backoff()
        self._connection: Connection | None = None  # while online
        self._pending = PendingCommands()
        self._streams: WeakSet[EventStream] = WeakSet()
        self._inbox = Inbox(is_dispatch=self._is_dispatch)
        self._online_or_stopped = asyncio.Event()
        self._wait_s: float | None = None  # how long the server asked to wait before the next try
        self._stopped: Stopped | None = None
        self._task: asyncio.Task[None] | None = None

    # ---- For who uses it

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection and stop. Who still waits for an answer gets Stopped."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait([self._task])
        with suppress(asyncio.CancelledError, Stopped):
            self._task.result()

    async def run(self) -> None:
        """Stay connected until cancelled. Raises Stopped when the server says not to come back."""
        try:
            await self._stay_connected()
        except Stopped as stopped:
            self._stopped = stopped
            raise
        finally:
            self._stop()

    async def wait_online(self, deadline_s: float = 30.0) -> Registered.Data:
        """The snapshot, once the client is online. Raises Stopped, or TimeoutError after the deadline."""
        async with asyncio.timeout(deadline_s):
            await self._online_or_stopped.wait()
        if self.registered is None or self.state is State.STOPPED:
            raise self._why_stopped()
        return self.registered

    def events(self) -> EventStream:
        """All events from now on, `registered` first when online. Ends when the client is closed.

        Answers to commands are not among them. Raises Stopped at the end if the server ended it.
        """
        stream = EventStream()
        self._streams.add(stream)
        if self.state is State.ONLINE and self.registered is not None:
            stream.offer(Registered(data=self.registered))
        if self.state is State.STOPPED:
            stream.finish(self._stopped or StopAsyncIteration())
        return stream

    def messages(self) -> MessageStream:
        """The messages to this side, each once: those that came already, and all that will come.

        The server is told by itself that they came; say `message_read` once somebody has read one. Ends as `events`.
        """
        stream = self._inbox.stream()
        if self.state is State.STOPPED:
            stream.finish(self._stopped or StopAsyncIteration())
        return stream

    async def send_message(
        self,
        content: str,
        *,
        to: str | None = None,
        content_type: Literal["text", "json"] = "text",
        fleet: str | None = None,
        ttl_ms: int = MESSAGE_TTL_MS,
        deadline_s: float = COMMAND_DEADLINE_S,
    ) -> str:
        """Send a message to a vehicle or `dispatch`, or without `to` to the whole fleet; gives its id once stored.

        Once, however often the connection is lost meanwhile. Raises as `command` does.
        """
        data = commands.SendMessageData(
            content=content, content_type=content_type, recipient_id=to, broadcast=to is None, fleet=fleet
        )
        command = commands.SendMessage(id=uuid.uuid4().hex, ts=time.time_ns() // 1_000_000, ttl_ms=ttl_ms, data=data)
        ack = await self.command(command, deadline_s=deadline_s)
        return ack.data.message_id or ""

    async def message_read(self, message_id: str, *, deadline_s: float = COMMAND_DEADLINE_S) -> None:
        """Say that somebody has read a message. Raises as `command` does."""
        data = commands.MessageReadData(message_id=message_id)
        await self.command(commands.MessageRead(data=data), deadline_s=deadline_s)

    async def command(self, command: commands.Command, *, deadline_s: float = COMMAND_DEADLINE_S) -> Ack:
        """Send a command and give the server's ack.

        A durable command waits for a connection, and is sent again with the same id after the connection was lost,
        its rate limit is over, or the server could not store it, until the deadline; so it is done once, or not known
        to be done. Any other raises NotConnected at once when there is no connection or it is lost. Raises
        CommandRefused for an error, TimeoutError after the deadline, TooManyPending, Stopped.
        """
        with self._pending.waiting(command) as pending:
            async with asyncio.timeout(deadline_s):
                return await self._answer(pending)

    # ---- Connecting

    async def _stay_connected(self) -> None:
        failures = 0
        clock = asyncio.get_running_loop().time
        while True:
            self._wait_s = None
            began = clock()
            lost = await self._connect_once()
            log.debug("%s: %s", self._url, lost.reason)
            if lost.final:
                raise Stopped(lost.reason, lost.code)
            failures = 0 if self.state is State.ONLINE else failures + 1
            if self.state is State.ONLINE and clock() - began >= STEADY_S:
                self._backoff.reset()
            self._leave_online(State.OFFLINE if failures >= OFFLINE_AFTER_FAILURES else State.RECONNECTING)
            wait_s = self._backoff.next_s()
            await asyncio.sleep(wait_s if self._wait_s is None else self._wait_s)

    async def _connect_once(self) -> Lost:
        """Connect, and stay so for as long as it lasts; gives how it ended."""
        try:
            async with open_connection(self._url, self._headers) as connection:
                registered = await self._register(connection)
                return await self._work(connection, registered)
        except Lost as lost:
            return lost

    async def _register(self, connection: Connection) -> Registered.Data:
        """Send who this is, and wait for the snapshot. Raises Lost."""
        greeting = self._greeting()
        try:
            async with asyncio.timeout(REGISTER_DEADLINE_S):
                if greeting is not None:
                    await connection.send(msgspec.json.encode(greeting))
                while True:
                    event = connection.event(await connection.receive())
                    if isinstance(event, Registered):
                        self._enter_online(connection, event)
                        return event.data
                    if isinstance(event, Error):
                        self._refused(CommandRefused(event.data))
        except TimeoutError as error:
            raise Lost("the server did not answer the registration") from error

    def _refused(self, refusal: CommandRefused) -> None:
        if refusal.code in _HOPELESS:
            raise Stopped(refusal.message, refusal.code)
        if refusal.retry_after_ms is not None:
            self._wait_s = refusal.retry_after_ms / 1000
        raise Lost(str(refusal))

    def _greeting(self) -> commands.Command | None:
        """What to send first."""
        return None

    # ---- While online

    async def _work(self, connection: Connection, registered: Registered.Data) -> Lost:
        """Everything that goes on while online, until the connection is lost."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_until_lost(duty, connection)) for duty in self._duties(registered)]
            lost = await self._receive(connection)
            for task in tasks:
                task.cancel()
        return lost

    def _duties(self, registered: Registered.Data) -> list[Duty]:
        return [
            partial(self._heartbeats, registered.heartbeat_interval_ms / 1000),
            self._send_pending,
            self._inbox.tell,
        ]

    async def _receive(self, connection: Connection) -> Lost:
        try:
            while True:
                raw = await connection.receive()
                if raw.startswith(POSITIONS):
                    self._positions(connection, raw)
                elif event := connection.event(raw):
                    self._handle(event)
        except Lost as lost:
            return lost

    def _positions(self, connection: Connection, raw: bytes) -> None:
        if self._on_positions is not None:
            self._on_positions(raw)
        elif (self._streams or self._on_event is not None) and (event := connection.event(raw)):
            self._publish(event)

    def _handle(self, event: Event) -> None:
        if isinstance(event, Ack | Error) and self._pending.resolve(event):
            return
        if isinstance(event, Message) and not self._inbox.take(event.data):
            raise Lost("the reader of the messages is too slow")
        if isinstance(event, Registered):  # again, after a new token
            self.registered = event.data
            self._take_all(event.data)
        elif isinstance(event, ServerShutdown):
            self._wait_s = event.data.reconnect_in_ms / 1000
        if not isinstance(event, HeartbeatAck):
            self._publish(event)

    def _take_all(self, registered: Registered.Data) -> None:
        for message in registered.messages or ():
            if not self._inbox.take(message):
                raise Lost("the reader of the messages is too slow")

    def _publish(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)
        full = [stream for stream in self._streams if not stream.offer(event)]
        if full:
            raise Lost("the reader of the events is too slow")

    async def _heartbeats(self, interval_s: float, connection: Connection) -> None:
        """Give a sign of life, and notice when the server gives none: it answers each."""
        clock = asyncio.get_running_loop().time
        while clock() - connection.received_at < 2.5 * interval_s:
            await asyncio.sleep(interval_s)
            await connection.send(_HEARTBEAT)
        raise Lost("the server is silent")

    async def _send_pending(self, connection: Connection) -> None:
        for pending in self._pending:
            await pending.send(connection)

    # ---- Commands

    async def _answer(self, pending: Pending) -> Ack:
        while True:
            if self.state is State.STOPPED:
                raise self._why_stopped()
            if self._connection is not None:
                with suppress(Lost):  # the receiver sees it too, and fails what is not durable
                    await pending.send(self._connection)
            elif not pending.durable:
                raise NotConnected("there is no connection")
            try:
                return await pending.answer
            except CommandRefused as refusal:
                wait_s = _wait_before_again(refusal)
                if not pending.durable or wait_s is None:
                    raise
                await asyncio.sleep(wait_s)
                pending.renew()

    # ---- State

    def _enter_online(self, connection: Connection, event: Registered) -> None:
        self.registered = event.data
        self._connection = connection
        self._set_state(State.ONLINE)
        self._online_or_stopped.set()
        self._publish(event)
        self._take_all(event.data)

    def _leave_online(self, state: State) -> None:
        self._connection = None
        self._online_or_stopped.clear()
        self._set_state(state)
        self._pending.fail(NotConnected("the connection was lost"), durable=False)

    def _stop(self) -> None:
        self._pending.fail(self._why_stopped(), durable=True)
        self._leave_online(State.STOPPED)
        self._online_or_stopped.set()
        end = self._stopped or StopAsyncIteration()
        for stream in self._streams:
            stream.finish(end)
        self._inbox.finish(end)

    def _set_state(self, state: State) -> None:
        if state is not self.state:
            self.state = state
            if self._on_state is not None:
                self._on_state(state)

    def _why_stopped(self) -> Stopped:
        if self._stopped is None:
            return Stopped("the client is closed")
        return Stopped(self._stopped.reason, self._stopped.code)


def _wait_before_again(refusal: CommandRefused) -> float | None:
    """How long to wait before a refused command has a chance; None if it has none."""
    if refusal.code == ErrorCode.RATE_LIMITED and refusal.retry_after_ms:
        return refusal.retry_after_ms / 1000
    return UNAVAILABLE_WAIT_S if refusal.code == ErrorCode.UNAVAILABLE else None


async def _until_lost(duty: Duty, connection: Connection) -> None:
    """Do it; if it loses the connection, let the receiver know."""
    try:
        await duty(connection)
    except Lost as lost:
        await connection.give_up(lost)
