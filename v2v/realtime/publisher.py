"""What goes out to Redis: in order, from a thread of its own, so that nobody ever waits for it."""

import random
import threading
import time
import uuid
from collections import deque

import redis
import structlog

from v2v.protocol import events
from v2v.realtime import metrics
from v2v.realtime.audience import Audience
from v2v.realtime.between import Envelope, Told, encode_envelope
from v2v.realtime.notices import AnyNotice
from v2v.realtime.redis import RedisAddress

Command = tuple[str | bytes | int, ...]

_AT_ONCE = 500  # commands in one pipeline
_RETRY_S = (0.1, 1.0)
log = structlog.get_logger(__name__)

EVENTS = "events"  # the channel that every process listens on


class Publisher:
    """Keeps up to `limit` commands while Redis is away; past it the oldest go, which receivers see by their numbers.

    Of positions the newest tick's wait. A batch that may have arrived is sent again: see `Envelope`.
    """

    def __init__(self, address: RedisAddress, *, limit: int = 10_000) -> None:
        self.source = uuid.uuid4().hex
        self.dropped = 0
        self._address = address
        self._limit = limit
        self._number = 0
        self._commands: deque[Command] = deque()
        self._positions: list[tuple[str, bytes]] = []
        self._more = threading.Condition()
        self._closes_at: float | None = None
        self._is_failing = False
        self._thread: threading.Thread | None = None

    # ---- From any thread

    def tell_event(self, audience: Audience, event: events.Event) -> None:
        """Publish an event to all other processes."""
        self._tell(told=Told(audience, events.encode_event(event)))

    def tell_notice(self, notice: AnyNotice) -> None:
        """Publish a notice to all other processes."""
        self._tell(notice=notice)

    def _tell(self, *, told: Told | None = None, notice: AnyNotice | None = None) -> None:
        with self._more:  # numbers must be queued in their order
            self._number += 1
            payload = encode_envelope(Envelope(self.source, self._number, told, notice))
            self._add(("PUBLISH", self._address.name(EVENTS), payload))

    def command(self, *command: str | bytes | int) -> None:
        """Have a command done, in its place among what is published."""
        with self._more:
            self._add(command)

    def positions(self, messages: list[tuple[str, bytes]]) -> None:
        """Publish a tick's messages of positions, each with its channel's full name."""
        with self._more:
            self._positions = messages
            self._wake()

    def _add(self, command: Command) -> None:
        if len(self._commands) >= self._limit:
            self._commands.popleft()
            self.dropped += 1
        self._commands.append(command)
        self._wake()

    def _wake(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
            self._thread.start()
        self._more.notify()

    def close(self, within_s: float = 2.0) -> None:
        """Send what waits, if that takes no longer than `within_s`."""
        with self._more:
            self._closes_at = time.monotonic() + within_s
            self._more.notify()
        if self._thread is not None:
            self._thread.join(within_s)
        if left := len(self._commands):
            log.warning("not everything was published", commands=left)

    # ---- On the thread

    def _run(self) -> None:
        client = self._address.client()
        while (batch := self._take()) is not None:
            commands, positions = batch
            while not self._send(client, commands, positions):
                if self._is_over():
                    return
                positions = []  # newer ones come
                time.sleep(random.uniform(*_RETRY_S))  # noqa: S311 - jitter

    def _take(self) -> tuple[list[Command], list[tuple[str, bytes]]] | None:
        with self._more:
            while not self._commands and not self._positions:
                if self._closes_at is not None:
                    return None
                self._more.wait()
            commands = [self._commands.popleft() for _ in range(min(len(self._commands), _AT_ONCE))]
            positions, self._positions = self._positions, []
            return commands, positions

    def _is_over(self) -> bool:
        return self._closes_at is not None and time.monotonic() > self._closes_at

    def _send(self, client: redis.Redis, commands: list[Command], positions: list[tuple[str, bytes]]) -> bool:
        pipeline = client.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)  # type: ignore[no-untyped-call]
        for channel, payload in positions:
            pipeline.execute_command("PUBLISH", channel, payload)  # type: ignore[no-untyped-call]
        try:
            answers = pipeline.execute(raise_on_error=False)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if not self._is_failing:  # once an outage
                log.error("Redis is away", error=str(error) or type(error).__name__)
            self._is_failing = True
            return False
        if refused := [answer for answer in answers if isinstance(answer, Exception)]:  # full, or read-only
            log.error("Redis refuses", commands=len(refused), error=str(refused[0]))
        self._is_failing = False
        metrics.PUBLISHED.inc(len(answers))
        return True
