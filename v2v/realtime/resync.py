"""Bringing all clients up to date after something may have been missed: each is given a fresh snapshot."""

import asyncio

import structlog

from v2v.protocol.decode import Refusal
from v2v.realtime import metrics
from v2v.realtime.hub import Hub
from v2v.realtime.session import Session

_AT_ONCE = 4  # snapshots that are being made: commands of clients want threads, too
_AGAIN_S = 1.0
log = structlog.get_logger(__name__)


class Resync:
    """Asked twice, each client that was done the first time is done again: what it got may be older than the gap."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._stale: set[Session] = set()
        self._task: asyncio.Task[None] | None = None

    def ask(self, reason: str) -> None:
        """Begin, on the running loop."""
        metrics.RESYNCS.labels(reason).inc()
        self._stale |= self._hub.sessions
        log.warning("clients are brought up to date", reason=reason, clients=len(self._stale))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._work(), name="resync")

    async def stop(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._stale:
            some = [self._stale.pop() for _ in range(min(len(self._stale), _AT_ONCE))]
            if not all(await asyncio.gather(*(self._refresh(session) for session in some))):
                await asyncio.sleep(_AGAIN_S)

    async def _refresh(self, session: Session) -> bool:
        try:
            if await session.refresh():
                return True
        except Refusal:  # the database is away
            pass
        except Exception:
            log.exception("snapshot failed", session=session.id)
        self._stale.add(session)
        return False
