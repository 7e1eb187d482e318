"""Attempts to prove who one is, limited by address."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.realtime.engine import Engine
from v2v.realtime.ratelimit import Bucket
from v2v.realtime.session import rate_limited
from v2v.vehicles.identity import AuthRefusal


class Attempts:
    """Each attempt is counted before it is looked at, and given back unless it was refused.

    So guesses that are made side by side do not pass the limit together. The vehicles of a depot come back side by
    side, too, with one address and good tokens: an attempt for which nothing is left waits for what those that are
    being looked at give back, and is refused once none is left. Used on the event loop only.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._under_way: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[asyncio.Future[float]]] = defaultdict(deque)

    @asynccontextmanager
    async def one(self, network: str) -> AsyncIterator[None]:
        """Within it the attempt is looked at; an AuthRefusal that leaves it says that it failed.

        Raises Refusal: `rate_limited` after too many failures, `unavailable` when its turn does not come in time.
        """
        if wait_s := self._take(network) and await self._turn(network):
            raise rate_limited("auth", wait_s)
        has_failed = False
        try:
            yield
        except AuthRefusal:
            has_failed = True
            raise
        finally:
            self._under_way[network] -= 1
            if not has_failed:
                self._bucket(network).give_back()
            self._next(network)

    async def _turn(self, network: str) -> float:
        """Wait for what others give back: 0, or the seconds until there is something without them."""
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self._waiting[network].append(turn)
        self._next(network)
        await asyncio.wait((turn,), timeout=self._engine.config.command_deadline_s)
        if not turn.done():
            turn.cancel()
            raise Refusal(ErrorCode.UNAVAILABLE)
        return turn.result()

    def _next(self, network: str) -> None:
        """Give those that wait what there is; when nothing more can come, tell them all."""
        waiting = self._waiting[network]
        while waiting:
            if waiting[0].done():  # it has given up
                waiting.popleft()
                continue
            wait_s = self._take(network)
            if wait_s and self._under_way[network]:
                return
            waiting.popleft().set_result(wait_s)
        del self._waiting[network]
        if not self._under_way[network]:
            del self._under_way[network]

    def _take(self, network: str) -> float:
        wait_s = self._bucket(network).take(self._engine.clock.monotonic())
        if not wait_s:
            self._under_way[network] += 1
        return wait_s

    def _bucket(self, network: str) -> Bucket:
        return self._engine.limiter.bucket(f"auth:{network}", self._engine.config.failed_auth)
