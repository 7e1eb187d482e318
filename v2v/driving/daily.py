"""The figures of each day: the view `driving_daily` works them out, and this keeps them for reading.

On PostgreSQL a materialized view holds them, refreshed while it is read; on SQLite a table, of which the days that have
changed are made again.
"""

import time
from datetime import date, datetime, timedelta

from django.db import connection, transaction

from v2v.driving.models import DailyFigures, DrivingWork

_COLUMNS = (
    "fleet_id, vehicle_id, day, distance_m, moving_s, idle_s, top_mps, trips, stops, overspeeds, harsh_events, events"
)
_NAME = "daily"
_EVERY_S = 30.0
_SHARE = 20  # a refresh that took a second is not begun again for 20
_LEASE = timedelta(minutes=10)  # of one whose process has died


def daily_touch(*, day: date, now: datetime) -> None:
    """Something of this day, or of it and later ones, has changed."""
    work, is_new = DrivingWork.objects.get_or_create(name=_NAME, defaults={"due_at": now, "dirty_from": day})
    if not is_new:
        DrivingWork.objects.filter(pk=work.pk).exclude(dirty_from__lte=day).update(dirty_from=day)


def daily_refresh(now: datetime) -> bool:
    """Bring the figures up to date, at most twice a minute in the whole system; whether there was anything to do."""
    due = DrivingWork.objects.filter(name=_NAME, due_at__lte=now).exclude(dirty_from=None)
    work = due.first()
    if work is None or work.dirty_from is None:
        return False
    if not due.filter(dirty_from=work.dirty_from).update(due_at=now + _LEASE, dirty_from=None):
        return False  # another process got there first
    began = time.monotonic()
    try:
        _refresh(since=work.dirty_from)
    except Exception:
        daily_touch(day=work.dirty_from, now=now)
        raise
    pause_s = max(_EVERY_S, _SHARE * (time.monotonic() - began))
    DrivingWork.objects.filter(name=_NAME).update(due_at=now + timedelta(seconds=pause_s))
    return True


def _refresh(*, since: date) -> None:
    table = connection.ops.quote_name(DailyFigures._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {table}")
        else:
            cursor.execute(f"DELETE FROM {table} WHERE day >= %s", [since])  # noqa: S608 - our own name
            worked_out = f"SELECT {_COLUMNS} FROM driving_daily WHERE day >= %s"  # noqa: S608
            cursor.execute(f"INSERT INTO {table} ({_COLUMNS}) {worked_out}", [since])
