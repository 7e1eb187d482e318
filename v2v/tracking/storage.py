"""Positions into the database: each once, however often it comes."""

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

import h3.api.basic_int as h3
import msgspec
from django.db import connection, transaction

from v2v.bulk import rows_write, stored_moment
from v2v.tracking.models import DeadLetter, Position, PositionConflict
from v2v.tracking.records import Conflict, PositionRecord

CELL_RESOLUTION = 9
_FIELDS = (  # in the order of the record
    ("vehicle_id", "bigint"), ("fleet_id", "bigint"), ("recorded_at", "ms"), ("received_at", "ms"), ("lat", "float8"),
    ("lng", "float8"), ("speed", "float8"), ("heading", "float8"), ("accuracy", "float8"), ("altitude", "float8"),
    ("battery", "float8"), ("signal", "float8"), ("ignition", "boolean"), ("alarm", "text"), ("source", "text"),
    ("device_id", "text"), ("correlation_id", "text"),
)  # fmt: skip
COLUMNS = (*_FIELDS, ("cell", "bigint"))
_ONCE = "ON CONFLICT DO NOTHING"
_INSERT = f"INSERT INTO {Position._meta.db_table} ({', '.join(name for name, _ in COLUMNS)}) SELECT "


def _of_json(index: int, kind: str) -> str:
    """The SQL for one column of a row that came as a JSON array."""
    if kind == "ms":
        return f"'epoch'::timestamptz + (row->>{index})::bigint * interval '1 ms'"
    return f"(row->>{index})::{kind}"


def _of_sqlite(name: str, kind: str) -> str:
    """The SQL for one column; a time as Django writes it, without a fraction that is nothing."""
    if kind != "ms":
        return name
    fraction = f"CASE WHEN {name} %% 1000 THEN printf('.%%03d000', {name} %% 1000) ELSE '' END"
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%S', {name} / 1000, 'unixepoch') || {fraction}"


# The whole batch as one JSON text. Of 500 rows each costs this process 2.3 us so, 16 as arrays for unnest(), 7 by COPY
# into a temporary table; and PostgreSQL takes 57,000 rows a second, 32,000 and 46,000 (bench/ingest.py). In a server
# alone the event loop waits for the interpreter meanwhile.
_POSTGRESQL = (
    _INSERT
    + ", ".join(_of_json(index, kind) for index, (_, kind) in enumerate(COLUMNS))
    + f" FROM jsonb_array_elements(%s::jsonb) AS row {_ONCE}"
)
# Times are made to text by SQLite, which lets go of the interpreter. WHERE true keeps ON CONFLICT from being a join's.
_SQLITE = (
    _INSERT
    + ", ".join(_of_sqlite(name, kind) for name, kind in COLUMNS)
    + f" FROM (SELECT {', '.join(f'%s AS {name}' for name, _ in COLUMNS)}) WHERE true {_ONCE}"
)
_to_json = msgspec.json.Encoder().encode
_CONFLICT_COLUMNS = (
    "kind", "vehicle_id", "fleet_id", "recorded_at", "received_at", "lat", "lng", "stood_at", "stood_lat", "stood_lng",
    "source", "device_id", "correlation_id",
)  # fmt: skip
_MAX_REASON_CHARS = 300
_by_vehicle_and_time = attrgetter("vehicle", "ts")


def positions_store(records: Sequence[PositionRecord]) -> int:
    """Store them and their conflicts in one transaction; how many were new. The first of a moment stays.

    They go in by vehicle and time, so that two writers that have the same rows never wait for each other in a ring.
    """
    rows = [row_of(record) for record in sorted(records, key=_by_vehicle_and_time)]
    conflicts = [_conflict_row(record, record.conflict) for record in records if record.conflict is not None]
    with transaction.atomic():
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(_POSTGRESQL, [_to_json(rows).decode()])
            else:
                cursor.executemany(_SQLITE, rows)
            written = int(cursor.rowcount)
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


def row_of(record: PositionRecord) -> tuple[Any, ...]:
    """The record's values in the order of COLUMNS, times in epoch milliseconds.

    Raises ValueError for a place that is not on earth.
    """
    cell = h3.latlng_to_cell(record.lat, record.lng, CELL_RESOLUTION)
    return (*msgspec.structs.astuple(record)[: len(_FIELDS)], cell)


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
