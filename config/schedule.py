"""Work by the clock that is done once in the whole system.

Any number of processes may run it: each step claims its rows with a conditional UPDATE and looks at the row count.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from radio.outbound import frames_expire, frames_prune
from v2v.alerts.services import alerts_escalate
from v2v.calls.sweep import CallSweep
from v2v.driving.daily import daily_refresh
from v2v.driving.services import vehicles_offline_find
from v2v.driving.trip_services import trips_step
from v2v.geofences.crowd import crowds_look
from v2v.messaging.services import messages_expire
from v2v.tracking.partitions import positions_keep

_MAX_ROUNDS = 100  # of one step in a row, while it finds work: the others have their turn too
_STOP_WITHIN_S = 3.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Step:
    """`step(now)` says whether it found work; then it is called again at once."""

    name: str
    interval_s: float
    step: Callable[[datetime], bool]


STEPS = (
    Step("alerts-escalate", 1.0, lambda now: alerts_escalate(now=now)),
    Step("calls-sweep", 1.0, CallSweep().step),
    Step("geofence-crowds", 5.0, crowds_look),
    Step("messages-expire", 5.0, messages_expire),
    Step("radio-expire", 5.0, frames_expire),
    Step("radio-prune", 600.0, lambda now: frames_prune(now, keep=timedelta(days=settings.RADIO_KEEP_DAYS))),
    # Often, for SQLite: 100 rounds of 2,000 rows are let go at a time, and a fleet of 500 brings 43 million a day.
    Step("positions-keep", 300.0, lambda now: positions_keep(now=now)),
    Step("vehicles-offline", 30.0, vehicles_offline_find),
    Step("trips", 1.0, trips_step),
    Step("daily-figures", 5.0, daily_refresh),
)


class Scheduler:
    """Does the steps in turn, on the thread that calls `run` or on one of its own."""

    def __init__(self, steps: Sequence[Step] = STEPS) -> None:
        self._due = dict.fromkeys(steps, 0.0)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Work until `stop`."""
        while not self._stop.is_set():
            self.run_due(time.monotonic())
            self._stop.wait(max(0.0, min(self._due.values()) - time.monotonic()))

    def run_due(self, now: float) -> None:
        """Each step that is due (monotonic seconds); one that fails is tried again at its next time."""
        for step in [step for step, due in self._due.items() if due <= now]:
            try:
                for _ in range(_MAX_ROUNDS):
                    if self._stop.is_set() or not step.step(timezone.now()):
                        break
            except Exception:
                log.exception("scheduled step failed", step=step.name)
            finally:
                close_old_connections()
            self._due[step] = now + step.interval_s

    def start(self) -> None:
        """Work on a thread of its own; a daemon, which a stopped database cannot keep the process alive with."""
        if self._thread is None:
            self._thread = threading.Thread(target=self.run, name="scheduler", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Begin nothing more; what is under way is waited for, but not for long."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN_S)
