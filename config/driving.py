"""Hangs the driving rules on the live positions."""

from collections.abc import Callable

from django.db import close_old_connections

from v2v.driving.selectors import rule_book
from v2v.driving.services import Event, driving_alerts_raise, driving_events_store
from v2v.driving.watch import DrivingWatch
from v2v.proximity.ticker import Ticker
from v2v.realtime.batch import BatchWriter
from v2v.realtime.engine import Engine
from v2v.tracking.live import LiveState

_STORE_EVERY_S = 1.0
_READ_RULES_S = 10.0
_MAX_EVENTS = 50_000
_MAX_ALERTS = 10_000


def add_driving(engine: Engine, live: LiveState, ticker: Ticker) -> None:
    """Follow the vehicles' moves; store what is found, and raise the alerts that it deserves."""
    store, alert = _releasing(driving_events_store), _releasing(driving_alerts_raise)
    found: BatchWriter[Event] = BatchWriter("driving-events", store, limit=_MAX_EVENTS)
    alerts: BatchWriter[Event] = BatchWriter("driving-alerts", alert, limit=_MAX_ALERTS, batch=100)
    watch = DrivingWatch(engine, live, found, alerts, load=rule_book)
    ticker.moved_listeners.append(watch.moved)
    engine.starting.append(watch.start)
    engine.every("driving-rules", _READ_RULES_S, watch.rules_read)
    engine.every("driving-silence", _STORE_EVERY_S, watch.silence_check)
    engine.every("driving-events", _STORE_EVERY_S, found.flush)
    engine.every("driving-alerts", _STORE_EVERY_S, alerts.flush)
    engine.closing += [alerts.close, found.close]


def _releasing(write: Callable[[list[Event]], None]) -> Callable[[list[Event]], None]:
    """The same, which then gives the thread's connection to the database back."""

    def written(events: list[Event]) -> None:
        try:
            write(events)
        finally:
            close_old_connections()

    return written
