"""How many positions one writer stores, and what it costs.

Run it:  python -m bench.ingest [--seconds 5]

On a PostgreSQL of its own that syncs to the disk, with the months made. Batches of 500 positions of 500 vehicles, each
way for so many seconds, in turn: row by row, Django's bulk_create, unnest() of arrays, COPY into a temporary table, our
own `positions_store`; bare COPY straight into the table is what PostgreSQL takes without a look at duplicates. Then
the whole writer with its queue in memory. CPU is this process's, without PostgreSQL's.
"""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench.fan_out import say
from tests.servers import postgres
from tests.servers.run import Run

BATCH = 500
NOW_S = 1_795_608_000  # 2026-11-25 12:00 UTC
Rows = list[tuple[Any, ...]]


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each way")
    options = parser.parse_args(argv)
    with Run() as run:
        directory = run.directory / "bench-ingest"
        directory.mkdir()
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings.base",
            "ENV_FILE": "",
            "REDIS_URL": "",
            "VAR_DIR": str(directory),
            "SECRET_KEY": "of-a-benchmark-0123456789-0123456789-0123456789-0123456789",
            "DATABASE_URL": postgres.start(run, durable=True).url,
            "LOG_LEVEL": "WARNING",
        }
        import django

        django.setup()
        _prepare()
        say("| way | rows/s | CPU us a row |\n|---|---:|---:|")
        batches = _batches()
        for name, store in _ways().items():
            say(_measure(name, store, batches, options.seconds))
        say(_measure_writer(batches, options.seconds))


def _prepare() -> None:
    from datetime import UTC, datetime

    from django.core.management import call_command

    from v2v.tracking.partitions import partitions_make

    call_command("migrate", verbosity=0)
    partitions_make(now=datetime.fromtimestamp(NOW_S, UTC))


def _batches() -> Iterator[list[Any]]:
    """Batches without end, a second of 500 vehicles each."""
    from v2v.tracking.live import Fix
    from v2v.tracking.records import record_of

    second = 0
    while True:
        second += 1
        ts = (NOW_S + second) * 1000
        fixes = (
            Fix(
                lat=25.0 + number / 5_000,
                lng=55.0 + second / 50_000,
                ts=ts,
                received_at=0.0,
                speed=13.9,
                heading=90.0,
                accuracy=4.0,
                battery=80.0,
                device_id="default",
                correlation_id="0123456789abcdef0123456789abcdef",
            )
            for number in range(BATCH)
        )
        yield [
            record_of(fix, vehicle=number, fleet=1, received_ts=ts + 50, source="socket", conflict=None)
            for number, fix in enumerate(fixes)
        ]


def _ways() -> dict[str, Callable[[list[Any]], object]]:
    from django.db import connection, transaction

    from v2v.protocol.epoch import moment
    from v2v.tracking.models import Position
    from v2v.tracking.storage import COLUMNS, positions_store, row_of

    names = [name for name, _ in COLUMNS]
    into = f"tracking_position ({', '.join(names)})"
    types = ["timestamptz" if kind == "ms" else kind for _, kind in COLUMNS]

    def rows(records: list[Any]) -> Rows:
        return [(*row[:2], moment(row[2]), moment(row[3]), *row[4:]) for row in map(row_of, records)]

    def row_by_row(records: list[Any]) -> None:
        with connection.cursor() as cursor:
            for row in rows(records):
                places = ", ".join(["%s"] * len(row))
                cursor.execute(f"INSERT INTO {into} VALUES ({places}) ON CONFLICT DO NOTHING", row)  # noqa: S608

    def bulk_create(records: list[Any]) -> None:
        made = [Position(**dict(zip(names, row, strict=True))) for row in rows(records)]
        Position.objects.bulk_create(made, ignore_conflicts=True)

    def unnest(records: list[Any]) -> None:
        arrays = ", ".join(f"%s::{kind}[]" for kind in types)
        columns = [list(column) for column in zip(*rows(records), strict=True)]
        with connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {into} SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING", columns)  # noqa: S608

    def copy(records: list[Any], table: str) -> None:
        with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as writing:
            for row in rows(records):
                writing.write_row(row)

    def copy_beside(records: list[Any]) -> None:
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, types, strict=True))
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"CREATE TEMP TABLE IF NOT EXISTS incoming ({columns}) ON COMMIT DELETE ROWS")
            copy(records, "incoming")
            cursor.execute(f"INSERT INTO {into} SELECT * FROM incoming ON CONFLICT DO NOTHING")  # noqa: S608

    return {
        "a statement a row": row_by_row,
        "Django's `bulk_create`": bulk_create,
        "arrays, `unnest()`": unnest,
        "COPY into a temporary table, INSERT": copy_beside,
        "**ours**: one JSON text": positions_store,
        "bare COPY (no duplicates looked for)": lambda records: copy(records, into),
    }


def _measure(name: str, store: Callable[[list[Any]], object], batches: Iterator[list[Any]], seconds: float) -> str:
    store(next(batches))
    count, took, cpu = 0, 0.0, 0.0
    while took < seconds:
        batch = next(batches)
        began, cpu_began = time.perf_counter(), time.process_time()
        store(batch)
        took += time.perf_counter() - began
        cpu += time.process_time() - cpu_began
        count += BATCH
    return f"| {name} | {count / took:,.0f} | {cpu / count * 1e6:.1f} |"


def _measure_writer(batches: Iterator[list[Any]], seconds: float) -> str:
    """What is in the queue at the start is stored; as much as is stored in about so many seconds."""
    from v2v.tracking.queue import MemoryQueue
    from v2v.tracking.records import chunks_of
    from v2v.tracking.writer import Writer

    queue = MemoryQueue(limit=10_000_000)
    writer = Writer(queue)
    for _ in range(int(20 * seconds)):
        queue.put(chunks_of(next(batches)))
    rows = queue.depth()
    began, cpu_began = time.perf_counter(), time.process_time()
    while queue.depth():
        writer.step(wait_s=0.0)
    took, cpu = time.perf_counter() - began, time.process_time() - cpu_began
    return f"| the writer, from its queue | {rows / took:,.0f} | {cpu / rows * 1e6:.1f} |"


if __name__ == "__main__":
    main()
