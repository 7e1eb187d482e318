"""The months of the positions: partitions made ahead and dropped by retention on PostgreSQL, deleted rows on SQLite.

What has no month of its own lies in the default partition, so that no row is ever refused; it moves out of there when
its month is made. Months are those of UTC.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from v2v.tracking.models import DeadLetter, Position, PositionConflict
from v2v.vehicles.models import Vehicle

log = structlog.get_logger(__name__)

TABLE = Position._meta.db_table
DEFAULT = f"{TABLE}_default"
AHEAD = 2  # months
DELETE_ROWS = 2_000  # at a time: other writers to SQLite have their turn in between
_NAME = re.compile(rf"^{TABLE}_(\d{{4}})_(\d{{2}})$")
_LOCK_TIMEOUT = "3s"
_LOCK = 0x5632_565F_5041_5254  # of PostgreSQL's advisory locks: one process at a time makes and drops partitions


@dataclass(frozen=True, order=True, slots=True)
class Month:
    """A month of UTC."""

    first: date

    @classmethod
    def of(cls, moment: datetime) -> "Month":
        """The month that a moment is in."""
        return cls(moment.astimezone(UTC).date().replace(day=1))

    @property
    def next(self) -> "Month":
        """The month after it."""
        return Month((self.first + timedelta(days=32)).replace(day=1))

    @property
    def table(self) -> str:
        """The name of its partition."""
        return f"{TABLE}_{self.first:%Y_%m}"

    def ahead(self, count: int) -> Iterator["Month"]:
        """It and the `count` months after it."""
        return itertools.islice(itertools.accumulate(itertools.repeat(self), lambda month, _: month.next), count + 1)


def partitions_make(*, now: datetime, ahead: int = AHEAD) -> list[str]:
    """Make the month of `now`, `ahead` more, and those of which rows lie in the default partition; the names made.

    On SQLite there is nothing to make.
    """
    if connection.vendor != "postgresql":
        return []
    with transaction.atomic():
        _lock_all()
        months = {*Month.of(now).ahead(ahead), *_months_without_own()} - set(months_made())
    for month in sorted(months):
        _make(month)
        log.info("partition made", partition=month.table)
    return [month.table for month in sorted(months)]


def positions_drop(*, older_than: datetime) -> int:
    """Let go of what is older: months that ended before on PostgreSQL, at most 2,000 rows elsewhere; how many.

    The month that `older_than` is in stays whole. Conflicts and dead letters go by their rows on both. Call it again
    while it answers anything but 0.
    """
    dropped = _months_drop(older_than) if connection.vendor == "postgresql" else _positions_delete(older_than)
    return (
        dropped
        + _rows_delete(PositionConflict, "received_at", older_than)
        + _rows_delete(DeadLetter, "died_at", older_than)
    )


def positions_keep(*, now: datetime) -> bool:
    """A step of the scheduler: months made ahead, and what is past POSITIONS_KEEP_DAYS let go; whether it found any."""
    made = partitions_make(now=now)
    if not settings.POSITIONS_KEEP_DAYS:
        return bool(made)
    dropped = positions_drop(older_than=now - timedelta(days=settings.POSITIONS_KEEP_DAYS))
    return bool(made) or bool(dropped)


def months_made() -> list[Month]:
    """The months that have a partition, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid WHERE inhparent = %s::regclass",
            [TABLE],
        )
        found = (_NAME.match(name) for (name,) in cursor.fetchall())
    return sorted(Month(date(int(match[1]), int(match[2]), 1)) for match in found if match)


def _months_without_own() -> list[Month]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT date_trunc('month', recorded_at, 'UTC') FROM {DEFAULT} LIMIT 1000")  # noqa: S608
        return [Month.of(first) for (first,) in cursor.fetchall()]


def _make(month: Month) -> None:
    """Make a month with what lies in the default partition of it.

    The default is locked meanwhile, since a row that comes into it after the move would forbid the month. Who inserts
    waits as long as the move takes; locks are taken below the table itself, so that nobody waits in a ring.
    """
    first, end = (f"{each.first:%Y-%m-%d} 00:00:00+00" for each in (month, month.next))
    with transaction.atomic(), connection.cursor() as cursor:
        _lock_all()
        cursor.execute(f"LOCK TABLE {DEFAULT} IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"CREATE TABLE IF NOT EXISTS {month.table} (LIKE {TABLE} INCLUDING DEFAULTS INCLUDING INDEXES)")
        cursor.execute(
            f"WITH moved AS (DELETE FROM {DEFAULT} WHERE recorded_at >= %s AND recorded_at < %s RETURNING *) "  # noqa: S608
            f"INSERT INTO {month.table} SELECT * FROM moved",
            [first, end],
        )
        cursor.execute(f"ALTER TABLE {TABLE} ATTACH PARTITION {month.table} FOR VALUES FROM ('{first}') TO ('{end}')")


def _months_drop(older_than: datetime) -> int:
    old = [month for month in months_made() if month.next <= Month.of(older_than)]
    for month in old:
        with transaction.atomic(), connection.cursor() as cursor:
            _lock_all()
            cursor.execute(f"DROP TABLE IF EXISTS {month.table}")
        log.info("partition dropped", partition=month.table)
    return len(old)


def _lock_all() -> None:
    """One process at a time; and none waits for long readers with all writers behind it, but tries again later."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])


def _positions_delete(older_than: datetime) -> int:
    """A part of one vehicle's, as the primary key lies: nothing is indexed by time alone."""
    old = Position.objects.filter(recorded_at__lt=older_than)
    vehicle = Vehicle.objects.filter(Exists(old.filter(vehicle=OuterRef("pk")))).values_list("pk", flat=True).first()
    if vehicle is None:
        return 0
    moments = list(
        old.filter(vehicle=vehicle).order_by("recorded_at").values_list("recorded_at", flat=True)[:DELETE_ROWS]
    )
    Position.objects.filter(vehicle=vehicle, recorded_at__lte=moments[-1]).delete()
    return len(moments)


def _rows_delete(model: type[PositionConflict] | type[DeadLetter], column: str, older_than: datetime) -> int:
    old = model.objects.filter(**{f"{column}__lt": older_than}).order_by(column)
    deleted, _ = model.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:DELETE_ROWS])).delete()
    return int(deleted)
