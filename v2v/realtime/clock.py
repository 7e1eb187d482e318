"""The time, passed in so that tests can set it."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """`monotonic` in seconds, for waits and ages; `now_ms` in epoch milliseconds, for people and the wire."""

    monotonic: Callable[[], float] = time.monotonic
    now_ms: Callable[[], int] = lambda: int(time.time() * 1000)
