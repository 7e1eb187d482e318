"""The engine of one process: its parts, and the work that they do by the clock."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from v2v.protocol import events
from v2v.protocol.codes import CloseCode, ErrorCode
from v2v.protocol.decode import Refusal
from v2v.realtime import metrics
from v2v.realtime.clock import Clock
from v2v.realtime.config import EngineConfig
from v2v.realtime.hub import Hub
from v2v.realtime.members import Members
from v2v.realtime.notices import DeviceCame, DevicesCame
from v2v.realtime.pool import BlockingPool
from v2v.realtime.presence import Entry, MemoryPresence
from v2v.realtime.ratelimit import MemoryLimiter
from v2v.realtime.redis import RedisAddress
from v2v.realtime.redis_limit import RedisLimiter
from v2v.realtime.redis_relay import RedisRelay
from v2v.realtime.relay import MemoryRelay
from v2v.realtime.resync import Resync
from v2v.realtime.session import Session

log = structlog.get_logger(__name__)

_RECONNECT_SPREAD_MS = (500, 5_000)
_SECOND_S = 1.0
_DEVICES_AT_ONCE = 500  # in one notice


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work every `interval_s` seconds; a step that is late is left out, never made up for."""

    name: str
    interval_s: float
    step: Callable[[], Awaitable[None] | None]
    phase_s: float | None = None  # after the multiples of the interval by the wall clock, as in all other processes


class Engine:
    """Hub, presence, limits and relay of this process. `start` it on the event loop that the sockets run on."""

    def __init__(
        self,
        config: EngineConfig,
        *,
        release: Callable[[], None],
        away: tuple[type[Exception], ...] = (),
        clock: Clock | None = None,
        redis: RedisAddress | None = None,
    ) -> None:
        self.config = config
        self.clock = clock or Clock()
        self.tally = metrics.Tally()
        self.hub = Hub()
        self.limiter: MemoryLimiter = MemoryLimiter(self.clock.monotonic)
        self.presence = MemoryPresence(self.clock, self._presence_changed)
        self.resync = Resync(self.hub)
        self.relay: MemoryRelay = MemoryRelay(self.hub)
        self.members: Members | None = None  # the other processes, where there are any
        self.pool = BlockingPool(
            threads=config.pool_threads,
            waiting=config.pool_waiting,
            deadline_s=config.command_deadline_s,
            release=release,
            away=away,
        )
        self._periodic = [
            Periodic("sweep", config.sweep_interval_s, self.sweep),
            Periodic("second", _SECOND_S, self.every_second),
        ]
        self._tasks: list[asyncio.Task[None]] = []
        self._stale_total = 0
        self.presence_listeners: list[Callable[[Entry], None]] = []
        self.closed_listeners: list[Callable[[Session], None]] = []  # told of each socket that is gone
        self.starting: list[Callable[[], None]] = []  # run when the engine starts
        self.closing: list[Callable[[], Awaitable[None]]] = []  # run when the engine stops
        if redis is not None:
            self._join(redis)

    def _join(self, redis: RedisAddress) -> None:
        relay = RedisRelay(self.hub, redis, self.clock, resync=self.resync.ask)
        self.relay = relay
        self.members = Members(relay)
        self.every("members", _SECOND_S, self.members.step)
        self.closing.append(self.members.close)
        relay.on(DevicesCame, self._devices_came)
        relay.up_listeners.append(self._tell_devices)
        self.limiter = limiter = RedisLimiter(redis, self.clock.monotonic)
        self.closing.append(limiter.close)

    def device_came(self, session: Session) -> None:
        """A device has registered on this connection: no other process keeps an older one."""
        session.registered_ms = self.clock.now_ms()
        self.relay.tell(DevicesCame((_device(session),)))

    def _tell_devices(self) -> None:
        """What came while Redis was away, nobody else knows of."""
        devices = [_device(session) for sessions in self.hub.by_vehicle.values() for session in sessions]
        for begin in range(0, len(devices), _DEVICES_AT_ONCE):
            self.relay.tell(DevicesCame(tuple(devices[begin : begin + _DEVICES_AT_ONCE])))

    def _devices_came(self, notice: DevicesCame) -> None:
        """Close older connections of the devices: all processes reckon alike which is the older one."""
        for came in notice.devices:
            for session in list(self.hub.by_vehicle.get(came.vehicle_id, ())):
                is_older = (session.registered_ms, session.id) < (came.registered_ms, came.session_id)
                if session.device_id == came.device_id and is_older:
                    self.end(session, CloseCode.REPLACED)

    @property
    def is_running(self) -> bool:
        """Whether `start` was called."""
        return bool(self._tasks)

    def every(
        self, name: str, interval_s: float, step: Callable[[], Awaitable[None] | None], *, phase_s: float | None = None
    ) -> None:
        """Add periodic work, before the start."""
        self._periodic.append(Periodic(name, interval_s, step, phase_s))

    def start(self) -> None:
        """Begin the periodic work on the running loop."""
        if self.is_running:
            return
        self.relay.start()
        for start in self.starting:
            start()
        metrics.PROCESSES.set(1)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(_repeat(work), name=work.name) for work in self._periodic]

    async def stop(self) -> None:
        """End the periodic work and let what is waiting be stored."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        for close in self.closing:
            try:
                await close()
            except Exception:
                log.exception("closing failed")
        await self.resync.stop()
        await self.relay.stop()
        self.pool.close()
        metrics.PROCESSES.set(0)

    def closed(self, session: Session) -> None:
        """A socket is gone: forget it, and tell when it was its vehicle's last."""
        self.hub.close(session)
        if session.slot >= 0 and session.name not in self.hub.by_vehicle:
            self.presence.went(session)
        for listener in self.closed_listeners:
            listener(session)

    def end(self, session: Session, code: CloseCode) -> None:
        """Close a connection that is gone at once for everybody else, however long its socket takes to end."""
        session.close(code)
        self.closed(session)

    def reconnect_in_ms(self) -> int:
        """When a client may come back after a restart."""
        return random.randint(*_RECONNECT_SPREAD_MS)  # noqa: S311 - jitter

    @property
    def stale_total(self) -> int:
        """How many connections the sweep has closed."""
        return self._stale_total

    # ---- By the clock

    def sweep(self) -> None:
        """Presence time-outs, stale and expired connections."""
        with metrics.SWEEP.time():
            self.presence.sweep(self.hub.by_vehicle.items(), timeout_s=self.config.heartbeat_timeout_s)
            now = self.clock.monotonic()
            for session in list(self.hub.sessions):
                if session.outbox.closed:
                    continue
                if now - session.heard_at > self.config.stale_s:
                    self._stale_total += 1
                    metrics.STALE.inc()
                    session.close(CloseCode.TIMED_OUT)
                elif session.expires_at_ms is not None:
                    self._look_at_expiry(session)
            self.limiter.sweep()

    def _look_at_expiry(self, session: Session) -> None:
        left_ms = (session.expires_at_ms or 0) - self.clock.now_ms()
        if left_ms <= 0:
            session.close(CloseCode.AUTH_FAILED, Refusal(ErrorCode.AUTH_FAILED, "The token has expired."))
        elif left_ms <= self.config.token_warning_s * 1000 and not session.warned_of_expiry:
            session.warned_of_expiry = True
            data = events.TokenExpiring.Data(expires_at=session.expires_at_ms or 0)
            session.send(events.TokenExpiring(data=data))

    def every_second(self) -> None:
        """Close who never registers or never reads; bring the counters up to date."""
        now = self.clock.monotonic()
        for session in list(self.hub.sessions):
            if not session.registered and now - session.opened_at > self.config.register_timeout_s:
                session.close(CloseCode.TIMED_OUT)
            elif session.outbox.is_blocked:
                self._look_at_slow(session, now)
        if self.members is not None:
            self.members.relay.pulse(len(self.hub.sessions), self._stale_total)
        self.tally.flush()
        vehicles = len(self.hub.by_vehicle)
        metrics.ACTIVE_VEHICLES.set(vehicles)
        metrics.CONNECTIONS.labels("dispatch").set(len(self.hub.dispatchers))
        metrics.CONNECTIONS.labels("vehicle").set(len(self.hub.sessions) - len(self.hub.dispatchers))

    def _look_at_slow(self, session: Session, now: float) -> None:
        if session.blocked_since is None:
            session.blocked_since = now
        elif now - session.blocked_since > self.config.slow_reader_s:
            log.warning("closed slow reader", session=session.id, client=session.name, address=session.address)
            session.outbox.close_slow()

    def _presence_changed(self, entry: Entry) -> None:
        for listener in self.presence_listeners:
            listener(entry)


def _device(session: Session) -> DeviceCame:
    return DeviceCame(session.name, session.device_id, session.id, session.registered_ms)


async def _repeat(work: Periodic) -> None:
    loop = asyncio.get_running_loop()
    due = loop.time() + _wait_s(work)
    while True:
        await asyncio.sleep(max(0.0, due - loop.time()))
        try:
            pending = work.step()
            if pending is not None:
                await pending
        except Exception:
            log.exception("periodic work failed", work=work.name)
        due = max(due + work.interval_s, loop.time()) if work.phase_s is None else loop.time() + _wait_s(work)


def _wait_s(work: Periodic) -> float:
    """Until its next time; a timer that has fired a little early does not make it two."""
    if work.phase_s is None:
        return work.interval_s
    left_s = (work.phase_s - time.time()) % work.interval_s
    return left_s if left_s > work.interval_s / 4 else left_s + work.interval_s
