"""The relay of one of several server processes: its own connections at once, those of the others through Redis."""

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable, Iterable
from contextlib import suppress

import redis
import structlog
from redis.asyncio import Connection

from v2v.protocol import events
from v2v.realtime import metrics
from v2v.realtime.audience import Audience
from v2v.realtime.between import Envelope, Unreadable, decode_envelope, decode_event
from v2v.realtime.clock import Clock
from v2v.realtime.hub import Hub
from v2v.realtime.notices import AnyNotice, Came, Left, Pulse
from v2v.realtime.publisher import EVENTS, Publisher
from v2v.realtime.redis import RedisAddress
from v2v.realtime.relay import MemoryRelay

_SILENT_S = 3.0  # our own pulse has not come back for so long: Redis is away, whatever TCP says
_READ_S = 0.5
_IN_A_ROW = 100  # messages, before others have their turn on the event loop
_SOURCES = 1_000  # whose last numbers are known
_RETRY_S = (0.1, 1.0)
log = structlog.get_logger(__name__)

_LOST = (redis.RedisError, OSError, TimeoutError)


class RedisRelay(MemoryRelay):
    """Local delivery never waits for Redis, and goes on while it is away.

    Every message has its publisher's running number. One that came before is dropped; where one is missing, and each
    time that we have not listened for a while, all clients are given a fresh snapshot (`resync`): Redis keeps nothing
    for who was away. `positions` takes what comes on the channels of `listen_to`.
    """

    def __init__(self, hub: Hub, address: RedisAddress, clock: Clock, *, resync: Callable[[str], None]) -> None:
        super().__init__(hub)
        self.publisher = Publisher(address)
        self.process = self.publisher.source
        self.address = address
        self.positions: Callable[[bytes], None] = lambda payload: None
        self.up_listeners: list[Callable[[], None]] = []  # told when Redis is back, or something was missed
        self.is_up = False
        self._clock = clock
        self._resync = resync
        self._events = address.name(EVENTS).encode()
        self._channels: frozenset[str] = frozenset()
        self._connection: Connection | None = None
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._heard_at = 0.0  # our own pulse
        self._has_been_up = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Deliver and listen on the running loop from now on."""
        super().start()
        self._task = asyncio.get_running_loop().create_task(self._run(), name="relay")

    async def stop(self) -> None:
        """Say good-bye, and let what waits be published."""
        await super().stop()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        self.publisher.tell_notice(Left(self.process))
        await asyncio.to_thread(self.publisher.close)

    # ---- Out

    def publish(self, audience: Audience, event: events.Event) -> None:
        """As in memory, and to the other processes."""
        super().publish(audience, event)
        self.publisher.tell_event(audience, event)

    def tell(self, notice: AnyNotice) -> None:
        """As in memory, and to the other processes."""
        super().tell(notice)
        self.publisher.tell_notice(notice)

    def pulse(self, connections: int, stale: int) -> None:
        """Say that we live; once a second. It comes back to us, which shows that Redis does its work."""
        self.publisher.tell_notice(Pulse(self.process, connections, stale))
        if self.is_up and self._clock.monotonic() - self._heard_at > _SILENT_S:
            self._went_down("silent")

    # ---- Channels of positions

    async def listen_to(self, channels: frozenset[str]) -> None:
        """Have `positions` called with what comes on these channels (full names) and no others."""
        new, old, self._channels = channels - self._channels, self._channels - channels, channels
        with suppress(*_LOST):  # the next connection subscribes to all
            await self._send("SUBSCRIBE", new)
            await self._send("UNSUBSCRIBE", old)

    async def _send(self, command: str, channels: Iterable[str]) -> None:
        if channels and self._connection is not None:
            await self._connection.send_command(command, *channels)

    # ---- In

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except _LOST as error:
                self._went_down(str(error) or type(error).__name__)
            except Exception:
                log.exception("listening failed")
                self._went_down("failed")
            await asyncio.sleep(random.uniform(*_RETRY_S))  # noqa: S311 - jitter

    async def _listen(self) -> None:
        pool = self.address.async_client().connection_pool
        connection: Connection = pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
            await connection.send_command("SUBSCRIBE", self._events, *self._channels)
            self._connection = connection
            self._heard_at = self._clock.monotonic()
            self.pulse(0, 0)
            while self._clock.monotonic() - self._heard_at <= _SILENT_S:
                with suppress(redis.TimeoutError, TimeoutError):
                    for _ in range(_IN_A_ROW):
                        self._received(await connection.read_response(timeout=_READ_S, disconnect_on_error=False))
                await asyncio.sleep(0)
        finally:
            self._connection = None
            await connection.disconnect(nowait=True)

    def _received(self, message: object) -> None:
        if not isinstance(message, list) or len(message) != 3 or message[0] != b"message":
            return  # the word that we are subscribed
        _, channel, payload = message
        try:
            if channel == self._events:
                self._take(decode_envelope(payload))
            else:
                self.positions(payload)
        except Unreadable as error:
            metrics.SKIPPED.labels("unreadable").inc()
            log.warning("unreadable message of another process", channel=channel, error=str(error)[:200])
        except Exception:  # one message's fault must not end the rest
            metrics.SKIPPED.labels("failed").inc()
            log.exception("message of another process failed")

    def _take(self, envelope: Envelope) -> None:
        if envelope.source == self.process:
            if isinstance(envelope.notice, Pulse):
                self._heard_at = self._clock.monotonic()
                self._came_up()
            return
        if not self._is_next(envelope.source, envelope.number):
            metrics.SKIPPED.labels("again").inc()
            return
        if envelope.notice is not None:
            metrics.CONSUMED.labels("notice").inc()
            self._heed(envelope.notice)
        if envelope.told is not None:
            reached = self._deliver(envelope.told.audience, decode_event(envelope.told))
            if reached:
                metrics.CONSUMED.labels("event").inc()
            else:
                metrics.SKIPPED.labels("nobody").inc()

    def _is_next(self, source: str, number: int) -> bool:
        """Whether the message is new; when one before it is missing, all clients are brought up to date."""
        last = self._numbers.get(source)
        if last is not None and number <= last:
            return False
        self._numbers[source] = number
        self._numbers.move_to_end(source)
        if len(self._numbers) > _SOURCES:
            self._numbers.popitem(last=False)
        if last is not None and number > last + 1:
            self._catch_up("gap")
        return True

    def _came_up(self) -> None:
        if self.is_up:
            return
        self.is_up = True
        metrics.RELAY_UP.set(1)
        log.info("other processes are reached", process=self.process)
        self._catch_up("reconnected" if self._has_been_up else None)
        self._has_been_up = True

    def _catch_up(self, missed: str | None) -> None:
        """Ask for what others have told before; if clients may have missed something, give them all of it anew."""
        self.publisher.tell_notice(Came(self.process))
        for listener in self.up_listeners:
            listener()
        if missed is not None:
            self._resync(missed)

    def _went_down(self, reason: str) -> None:
        if self.is_up:
            log.error("other processes are out of reach", reason=reason)
        self.is_up = False
        metrics.RELAY_UP.set(0)
