"""How fast history is found among millions of positions on PostgreSQL.

Run it:  python -m bench.history [--millions 10] [--rounds 20]

A private PostgreSQL that syncs to the disk, filled by itself with the positions of 500 vehicles of 5 fleets round Dubai
over 30 days, half of them in the month before. Then the selectors that the API and the replay use, each with another
vehicle, place or day every round, as a page of at most 500 rows. Rows lie in the table in order of time, as they come.
Where PostGIS is installed, the areas are asked of it as well: the same rows with a geometry, once under a GiST index of
it, once of it and the time.
"""

import argparse
import math
import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from bench.server import percentile
from tests.servers import postgres
from tests.servers.run import Run

VEHICLES, FLEETS, DAYS = 500, 5, 30
_POOL = 20_000  # places on a road that goes round and round; the vehicles begin at different ones
_END = datetime(2026, 11, 15, tzinfo=UTC)
_START = _END - timedelta(days=DAYS)
_CITY = (55.05, 25.00, 55.45, 25.35)
_PAGE = 500
_FILL = """
INSERT INTO tracking_position (vehicle_id, recorded_at, received_at, fleet_id, lat, lng, speed, heading, cell,
                               alarm, source, device_id, correlation_id)
SELECT v.id, at, at + interval '50 ms', v.fleet_id, p.lat, p.lng, 12.5, 90, p.cell, '', 'socket', 'default', ''
FROM (SELECT id, fleet_id, row_number() OVER (ORDER BY id) AS number FROM vehicles_vehicle) v
CROSS JOIN generate_series(0, %(each)s - 1) AS i
CROSS JOIN LATERAL (SELECT %(start)s::timestamptz + i * %(step)s::interval AS at) t
JOIN pool p ON p.number = (v.number * 7919 + i) %% %(pool)s
ORDER BY at
"""


_GIST = """
CREATE EXTENSION postgis;
CREATE EXTENSION btree_gist;
CREATE TABLE gist AS
SELECT vehicle_id, fleet_id, recorded_at, lat, lng, speed, heading, ST_SetSRID(ST_MakePoint(lng, lat), 4326) AS place
FROM tracking_position ORDER BY recorded_at
"""
_GIST_INDEXES = {
    "PostGIS, GiST (place)": "CREATE INDEX gist_place ON gist USING gist (place)",
    "PostGIS, GiST (place, time)": "DROP INDEX gist_place;"
    " CREATE INDEX gist_both ON gist USING gist (place, recorded_at)",
}
_IN_GIST = """
SELECT vehicle_id, recorded_at, lat, lng, speed, heading FROM gist
WHERE fleet_id = ANY(%s) AND recorded_at >= %s AND recorded_at < %s AND place && ST_MakeEnvelope(%s, %s, %s, %s, 4326)
ORDER BY recorded_at, vehicle_id LIMIT 500
"""
_HOUR = 1 / 24
_AREAS = [
    ("1 km2, an hour", 0.01, _HOUR),
    ("1 km2, 30 days", 0.01, DAYS),
    ("100 km2, an hour", 0.1, _HOUR),
    ("100 km2, a day", 0.1, 1),
    ("100 km2, 30 days", 0.1, DAYS),
    ("900 km2, an hour", 0.3, _HOUR),
    ("900 km2, a day", 0.3, 1),
]


@dataclass(frozen=True)
class Question:
    """Something to ask: each call is about another place and time, and gives a function that reads a page."""

    name: str
    ask: Callable[[random.Random], Callable[[], list[Any]]]


def fill(millions: float) -> None:
    """Fleets, vehicles and their positions."""
    from django.db import connection

    from v2v.fleets.models import Fleet
    from v2v.tracking.partitions import partitions_make
    from v2v.vehicles.models import Vehicle

    fleets = [Fleet.objects.create(slug=f"fleet-{n}", name=f"Fleet {n}") for n in range(FLEETS)]
    Vehicle.objects.bulk_create(Vehicle(vehicle_id=f"truck-{n}", fleet=fleets[n % FLEETS]) for n in range(VEHICLES))
    for month in (_START, _END):
        partitions_make(now=month)
    each = int(millions * 1_000_000 / VEHICLES)
    parameters: dict[str, Any] = {"each": each, "start": _START, "step": timedelta(days=DAYS) / each, "pool": _POOL}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE pool (number int PRIMARY KEY, lat float8, lng float8, cell bigint)")
        with cursor.copy("COPY pool FROM STDIN") as copy:
            for row in road():
                copy.write_row(row)
        cursor.execute(_FILL, parameters)
        cursor.execute("VACUUM ANALYZE tracking_position")
    connection.close()


def road() -> Iterator[tuple[int, float, float, int]]:
    """Places on a way to and fro through the city, 280 m from one to the next, with their cells."""
    from v2v.tracking.area import cell_of

    west, south, east, north = _CITY
    columns = round(math.sqrt(_POOL))
    for number in range(_POOL):
        row, column = divmod(number, columns)
        across = column if row % 2 == 0 else columns - 1 - column
        lat, lng = south + (north - south) * row / columns, west + (east - west) * across / columns
        yield number, lat, lng, cell_of(lat, lng)


def questions() -> list[Question]:
    """What is asked, from the smallest to the widest."""
    from v2v.fleets.models import Fleet, Role
    from v2v.fleets.policy import Actor
    from v2v.tracking.area import area_of_box
    from v2v.tracking.history import area_page, positions_in, positions_of, vehicles_page
    from v2v.vehicles.models import Vehicle

    actor = Actor(kind="user", id=1, name="viewer", roles={fleet.pk: Role.VIEWER for fleet in Fleet.objects.all()})

    def of(vehicles: int, days: float) -> Callable[[random.Random], Any]:
        def ask(chance: random.Random) -> Callable[[], list[Any]]:
            ids = [f"truck-{chance.randrange(VEHICLES)}" for _ in range(vehicles)]
            start, end = _days(chance, days)
            found = positions_of(actor=actor, vehicle_ids=ids, start=start, end=end)
            pks = list(Vehicle.objects.filter(vehicle_id__in=ids).values_list("pk", flat=True))
            return lambda: vehicles_page(found, pks, after=None, size=_PAGE)

        return ask

    def within(degrees: float, days: float) -> Callable[[random.Random], Any]:
        def ask(chance: random.Random) -> Callable[[], list[Any]]:
            box, start, end = _place(chance, degrees, days)
            area = area_of_box(*box)
            found = positions_in(actor=actor, area=area, start=start, end=end)
            return lambda: area_page(found, start=start, end=end, after=None, size=_PAGE)

        return ask

    return [
        Question("one vehicle, a day", of(1, 1)),
        Question("one vehicle, 30 days", of(1, DAYS)),
        Question("20 vehicles, 30 days", of(20, DAYS)),
        *(Question(name, within(degrees, days)) for name, degrees, days in _AREAS),
    ]


def gist_questions() -> Iterator[Question]:
    """The same areas and times, asked of PostGIS; nothing where that is not installed."""
    from django.db import connection

    from v2v.fleets.models import Fleet

    fleets = list(Fleet.objects.values_list("pk", flat=True))

    def within(degrees: float, days: float) -> Callable[[random.Random], Any]:
        def ask(chance: random.Random) -> Callable[[], list[Any]]:
            box, start, end = _place(chance, degrees, days)

            def read() -> list[Any]:
                with connection.cursor() as cursor:
                    cursor.execute(_IN_GIST, [fleets, start, end, *box])
                    rows: list[Any] = cursor.fetchall()
                    return rows

            return read

        return ask

    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'postgis'")
        if cursor.fetchone() is None:
            return
        cursor.execute(_GIST)
    for index, create in _GIST_INDEXES.items():
        with connection.cursor() as cursor:
            cursor.execute(create)
            cursor.execute("VACUUM ANALYZE gist")
        yield from (Question(f"{index}: {name}", within(degrees, days)) for name, degrees, days in _AREAS)


def _place(
    chance: random.Random, degrees: float, days: float
) -> tuple[tuple[float, float, float, float], datetime, datetime]:
    """A box somewhere in the city (degrees: west, south, east, north), and a time of so many days."""
    west, south, east, north = _CITY
    left, bottom = chance.uniform(west, east - degrees), chance.uniform(south, north - degrees)
    return (left, bottom, left + degrees, bottom + degrees), *_days(chance, days)


def _days(chance: random.Random, days: float) -> tuple[datetime, datetime]:
    start = _START + timedelta(days=chance.uniform(0, DAYS - days))
    return start, start + timedelta(days=days)


def measure(question: Question, rounds: int) -> str:
    """A line of the table."""
    chance, took, rows = random.Random(7), [], 0  # noqa: S311
    for _ in range(rounds):
        began = time.perf_counter()
        rows += len(question.ask(chance)())
        took.append((time.perf_counter() - began) * 1000)
    took.sort()
    return (
        f"| {question.name} | {percentile(took, 50):.1f} | {percentile(took, 95):.1f} | {took[-1]:.1f} "
        f"| {rows / rounds:.0f} |"
    )


def main() -> None:
    """Fill, measure, print as a table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--millions", type=float, default=10)
    options.add_argument("--rounds", type=int, default=20)
    given = options.parse_args()
    with Run() as run:
        url = postgres.start(run, durable=True).url
        settings = {"DATABASE_URL": url, "SECRET_KEY": "x" * 60, "LOG_LEVEL": "WARNING"}
        os.environ |= settings | {"DJANGO_SETTINGS_MODULE": "config.settings.base"}
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        began = time.perf_counter()
        fill(given.millions)
        print(f"{given.millions} million positions in {time.perf_counter() - began:.0f} s\n")  # noqa: T201
        print("| question | p50 ms | p95 ms | most | rows |\n|---|---:|---:|---:|---:|")  # noqa: T201
        for question in chain(questions(), gist_questions()):
            print(measure(question, given.rounds), flush=True)  # noqa: T201
        connection.close()


if __name__ == "__main__":
    main()
