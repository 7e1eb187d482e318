"""One connection from accept to close: decode, limit, hand to its handler, answer."""

import asyncio
import math
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from v2v.protocol import events
from v2v.protocol.codes import CloseCode, ErrorCode
from v2v.protocol.commands import Command, Register
from v2v.protocol.decode import CommandDecoder, Malformed, Refusal, check_time
from v2v.realtime import metrics
from v2v.realtime.address import network_of
from v2v.realtime.outbox import Outbox
from v2v.realtime.ratelimit import Bucket, Limit
from v2v.realtime.wire import Wire

if TYPE_CHECKING:
    from v2v.realtime.engine import Engine

log = structlog.get_logger(__name__)

_QUIET_S = 1.0  # between two `rate_limited` answers to messages without an id

Answer = events.Event | None
AtOnce = Callable[["Session", Any], Answer]
InTurn = Callable[["Session", Any], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of client: what it may send, who answers, and how its positions are framed.

    `at_once` handlers run inside the socket's callback and never wait; `in_turn` handlers may, one after the other.
    """

    name: str
    decode: CommandDecoder[Any]
    frame: Callable[[Any], bytes]
    at_once: Mapping[type[Command], AtOnce] = field(default_factory=dict)
    in_turn: Mapping[type[Command], InTurn] = field(default_factory=dict)


class Session:
    """One connection. Is a `v2v.realtime.wire.Receiver`.

    The register handler fills in who it is: `name` (vehicle id or user), `device_id`, `fleets` (None for all),
    `principal` (what the app knows of it); for a vehicle `slot`, its number among the live positions, and for a
    dispatcher `works`, the fleets in which he may not only look (None for all).
    """

    def __init__(self, engine: "Engine", kind: Kind, wire: Wire, *, address: str, bearer: str | None) -> None:
        now = engine.clock.monotonic()
        self.id = uuid.uuid4().hex
        self.engine = engine
        self.kind = kind
        self.address = address
        self.network = network_of(address)  # what limits by address go by
        self.bearer = bearer
        self.opened_at = self.heard_at = now
        self.registered_ms = 0
        self.silent = False  # presence says `timeout`; the next message says otherwise
        self.received = 0
        self.registered = False
        self.name = ""
        self.device_id = ""
        self.slot = -1
        self.fleets: frozenset[int] | None = frozenset()
        self.works: frozenset[int] | None = frozenset()
        self.principal: Any = None
        self.expires_at_ms: int | None = None
        self.warned_of_expiry = False
        self.blocked_since: float | None = None
        self.view: Any = None  # what a dispatcher looks at; the tracking app's
        self.followed: tuple[str, ...] = ()  # vehicles whose positions come wherever a dispatcher looks
        self.topics: set[str] = set()  # what it was told of, and so is told how it goes on
        self.watched = ""  # the vehicle whose neighbors a dispatcher looks at
        config = engine.config
        self.outbox = Outbox(
            wire, frame=kind.frame, limit_frames=config.control_frames, limit_bytes=config.control_bytes
        )
        self._refused = Bucket(config.refused, now)
        self._other = Bucket(config.other, now)
        self._malformed = 0
        self._answered_limit_at = -_QUIET_S
        self._backlog: deque[Command] = deque()
        self._task: asyncio.Task[None] | None = None
        self._make_snapshot: Callable[[], Awaitable[events.Event]] | None = None

    # ---- Receiver

    def frame_received(self, payload: bytes) -> None:
        """A whole text message came."""
        engine = self.engine
        self.heard_at = engine.clock.monotonic()
        self.received += 1
        engine.tally.messages += 1
        if self.silent:
            engine.presence.heard(self)
        try:
            command = self.kind.decode(payload)
        except Refusal as refusal:
            self._refuse(refusal, payload)
            return
        self._malformed = 0
        try:
            if command.ts is not None:
                check_time(command, now_ms=engine.clock.now_ms())
            handler = self.kind.at_once.get(type(command)) if self.registered else None
            if handler is None:
                self._put_in_turn(command)
            else:
                self._answer(command, handler(self, command))
        except Refusal as refusal:
            refusal.command_id = command.id
            self._refuse(refusal, payload)
        except Exception:  # one message's fault must not end the connection
            self._fail(command.id)

    def binary_received(self) -> None:
        """A binary message came."""
        self.close(CloseCode.BINARY)

    def writing_resumed(self) -> None:
        """The socket takes frames again."""
        self.outbox.flush()
        if not self.outbox.is_blocked:
            self.blocked_since = None

    def abused(self) -> None:
        """Far too many frames came that are no messages."""
        self._close_abuser(CloseCode.ABUSE, Refusal(ErrorCode.RATE_LIMITED))

    def server_stopping(self) -> None:
        """Tell when to come back: spread, so that not all come at once."""
        self.send(events.ServerShutdown(data=events.ServerShutdown.Data(reconnect_in_ms=self.engine.reconnect_in_ms())))
        self.close(CloseCode.RESTARTING)

    # ---- Out

    def send(self, event: events.Event) -> None:
        """Send an event to this connection alone."""
        self.outbox.post(events.encode_event(event))

    def send_positions(self, senders: list[int], parts: list[bytes]) -> None:
        """Send the positions of these vehicles; the newest of each waits when the socket is full."""
        self.outbox.post_positions(senders, parts)

    def take_other(self) -> None:
        """Count a command that has no limit of its own. Raises Refusal when there are too many of them."""
        if wait_s := self._other.take(self.heard_at):
            raise rate_limited("other", wait_s)

    async def snapshot(self, make: Callable[[], Awaitable[events.Event]]) -> None:
        """Send what `make` finds stored, and behind it what happens while it looks: the session is subscribed already.

        Whoever cannot be told the whole state is closed (1013), to come back for it.
        """
        self._make_snapshot = make
        self.outbox.hold()
        try:
            event = await make()
        except Exception as error:
            self.close(CloseCode.OVERLOADED, error if isinstance(error, Refusal) else Refusal(ErrorCode.INTERNAL_ERROR))
            raise
        self.outbox.release(events.encode_event(event))

    async def refresh(self) -> bool:
        """Send the snapshot anew, since something may have been missed; False while other things wait, to try again.

        Whoever has none yet, or is gone, needs none. Raises what its making raises; the connection goes on as it was.
        """
        if self._make_snapshot is None or self.outbox.closed:
            return True
        if self.outbox.is_waiting:  # what waits is older than a snapshot, and must not come behind it
            return False
        self.outbox.hold()
        try:
            event = await self._make_snapshot()
        except BaseException:
            self.outbox.release()
            raise
        self.outbox.release(events.encode_event(event))
        return True

    async def take(self, kind: str, limit: Limit) -> None:
        """Take from a limit of this client's; raises Refusal(rate_limited) when there is nothing left."""
        if wait_s := await self.engine.limiter.take(f"{kind}:{self.kind.name}:{self.name}", limit):
            raise rate_limited(kind, wait_s)

    def close(self, code: CloseCode, refusal: Refusal | None = None) -> None:
        """Say why, if there is more to say than the code, and close."""
        if refusal is not None:
            self._send_error(refusal)
        self.outbox.close(code)

    # ---- Commands

    def _put_in_turn(self, command: Command) -> None:
        if len(self._backlog) >= self.engine.config.backlog_commands:
            raise rate_limited("backlog", 1.0)
        self._backlog.append(command)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work())

    async def _work(self) -> None:
        structlog.contextvars.bind_contextvars(session=self.id)  # of this task alone
        try:
            while self._backlog and not self.outbox.closed:
                await self._handle(self._backlog.popleft())
        finally:
            self._task = None

    async def _handle(self, command: Command) -> None:
        try:
            if not self.registered and not isinstance(command, Register):
                raise Refusal(ErrorCode.NOT_REGISTERED)
            if (at_once := self.kind.at_once.get(type(command))) is not None:
                answer = at_once(self, command)
            elif (in_turn := self.kind.in_turn.get(type(command))) is not None:
                answer = await in_turn(self, command)
            else:
                raise Refusal(ErrorCode.UNAVAILABLE, "This server does not offer it.")
            self._answer(command, answer)
        except Refusal as refusal:
            refusal.command_id = command.id
            self._refuse(refusal, b"")
        except Exception:  # as above
            self._fail(command.id)

    def _answer(self, command: Command, answer: Answer) -> None:
        if answer is not None:
            self.send(answer)
        if command.id is not None and not isinstance(answer, events.Ack):
            self.send(events.Ack(data=events.Ack.Data(id=command.id)))

    def _fail(self, command_id: str | None) -> None:
        log.exception("handler failed", session=self.id, client=self.name, address=self.address)
        self._send_error(Refusal(ErrorCode.INTERNAL_ERROR, command_id=command_id))

    def _refuse(self, refusal: Refusal, payload: bytes) -> None:
        metrics.REFUSED.labels(refusal.code).inc()
        if not _is_utf8(payload):
            self.close(CloseCode.INVALID_UTF8)
            return
        if isinstance(refusal, Malformed):
            self._malformed += 1
        if self._malformed >= self.engine.config.malformed_in_a_row:
            self._close_abuser(CloseCode.MALFORMED, refusal)
        elif self._refused.take(self.heard_at) > 0:
            self._close_abuser(CloseCode.ABUSE, refusal)
        elif self._is_worth_an_answer(refusal):
            self._send_error(refusal)

    def _is_worth_an_answer(self, refusal: Refusal) -> bool:
        """A flood is not answered with a flood."""
        if refusal.code is not ErrorCode.RATE_LIMITED or refusal.command_id is not None:
            return True
        if self.heard_at - self._answered_limit_at < _QUIET_S:
            return False
        self._answered_limit_at = self.heard_at
        return True

    def _close_abuser(self, code: CloseCode, refusal: Refusal) -> None:
        metrics.ABUSE_CLOSED.labels(str(int(code))).inc()
        log.warning("closed for abuse", session=self.id, client=self.name, address=self.address, code=int(code))
        self.close(code, refusal)

    def _send_error(self, refusal: Refusal) -> None:
        data = events.Error.Data(
            code=refusal.code,
            message=refusal.message,
            ts=self.engine.clock.now_ms(),
            details=refusal.details,
            id=refusal.command_id,
        )
        self.send(events.Error(data=data))


def rate_limited(kind: str, wait_s: float) -> Refusal:
    """The refusal of a message over its limit."""
    metrics.RATE_LIMITED.labels(kind).inc()
    return Refusal(ErrorCode.RATE_LIMITED, details={"retryAfterMs": math.ceil(wait_s * 1000)})


def _is_utf8(payload: bytes) -> bool:
    try:
        payload.decode()
    except UnicodeDecodeError:
        return False
    return True
