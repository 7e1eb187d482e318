"""Positions into the database: each once, however often it comes."""

from collections.abc import Sequence
from datetime import datetime

import h3.api.basic_int as h3
from django.db import connection, transaction

from v2v.bulk import rows_write, stored_moment
from v2v.tracking.models import DeadLetter, Position, PositionConflict
from v2v.tracking.records import Conflict, PositionRecord

CELL_RESOLUTION = 9
_COLUMNS = (
    "vehicle_id", "fleet_id", "recorded_at", "received_at", "lat", "lng", "speed", "heading", "accuracy", "altitude",
    "battery", "signal", "ignition", "alarm", "source", "device_id", "correlation_id", "cell",
)  # fmt: skip
_TYPES = (
    "bigint", "bigint", "timestamptz", "timestamptz", *["float8"] * 8, "boolean", *["text"] * 4, "bigint"
)  # fmt: skip
_ONCE = "ON CONFLICT DO NOTHING"
# One statement of one shape whatever the number of rows. The rows' places in the arrays keep their order.
_UNNEST = (
    f"INSERT INTO {Position._meta.db_table} ({', '.join(_COLUMNS)}) "  # noqa: S608 - our own names
    f"SELECT * FROM unnest({', '.join(f'%s::{kind}[]' for kind in _TYPES)}) {_ONCE}"
)
_CONFLICT_COLUMNS = (
    "kind", "vehicle_id", "fleet_id", "recorded_at", "received_at", "lat", "lng", "stood_at", "stood_lat", "stood_lng",
    "source", "device_id", "correlation_id",
)  # fmt: skip
_MAX_REASON_CHARS = 300


def positions_store(records: Sequence[PositionRecord]) -> int:
    """Store them and their conflicts in one transaction; how many were new. The first of a moment stays.

    They go in by vehicle and time, so that two writers that have the same rows never wait for each other in a ring.
    """
    rows = [_row(record) for record in sorted(records, key=lambda record: (record.vehicle, record.ts))]
    conflicts = [_conflict_row(record, record.conflict) for record in records if record.conflict is not None]
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(_UNNEST, [list(column) for column in zip(*rows, strict=True)])
                written = cursor.rowcount
        else:
            written = rows_write(Position, _COLUMNS, rows, on_conflict=_ONCE)
        if conflicts:
            rows_write(PositionConflict, _CONFLICT_COLUMNS, conflicts, on_conflict=_ONCE)
    return written


def dead_letter_store(*, key: str, payload: bytes, fleet: int | None, reason: str, tries: int, now: datetime) -> None:
    """Lay a position aside for a person to look at; the same key again changes nothing."""
    clean = reason.replace("\x00", "")[:_MAX_REASON_CHARS]
    DeadLetter.objects.get_or_create(
        key=key,
        defaults={"payload": payload, "fleet_id": fleet, "reason": clean, "tries": tries, "died_at": now},
    )


def _row(record: PositionRecord) -> tuple[object, ...]:
    return (
        record.vehicle,
        record.fleet,
        stored_moment(record.ts),
        stored_moment(record.received_ts),
        record.lat,
        record.lng,
        record.speed,
        record.heading,
        record.accuracy,
        record.altitude,
        record.battery,
        record.signal,
        record.ignition,
        record.alarm,
        record.source,
        record.device_id,
        record.correlation_id,
        h3.latlng_to_cell(record.lat, record.lng, CELL_RESOLUTION),
    )


def _conflict_row(record: PositionRecord, conflict: Conflict) -> tuple[object, ...]:
    return (
        conflict.kind,
        record.vehicle,
        record.fleet,
        stored_moment(record.ts),
        stored_moment(record.received_ts),
        record.lat,
        record.lng,
        stored_moment(conflict.stood_ts),
        conflict.stood_lat,
        conflict.stood_lng,
        record.source,
        record.device_id,
        record.correlation_id,
    )
