"""Who may read which positions, and in what order and portions they come."""

import tracemalloc
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from tests.integration.history.tracks import road, track_make
from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Actor, actor_of_user, actor_of_vehicle
from v2v.tracking.area import area_of_box, area_of_corners
from v2v.tracking.formats import geojson_parts
from v2v.tracking.history import (
    Place,
    Row,
    area_page,
    positions_in,
    positions_of,
    rows_in_parts,
    rows_within,
    vehicles_page,
)
from v2v.vehicles.models import Vehicle

HOUR = timedelta(hours=1)


@dataclass
class Fleets:
    north: Fleet
    south: Fleet
    truck: Vehicle
    other: Vehicle
    van: Vehicle

    def viewer(self, fleet: Fleet) -> Actor:
        return actor_of_user(user_make(f"viewer@{fleet.slug}", fleet=fleet))

    @property
    def root(self) -> Actor:
        return actor_of_user(user_make("root", is_superuser=True))


@pytest.fixture
def fleets(db: None) -> Fleets:
    north, south = fleet_make("north"), fleet_make("south")
    return Fleets(
        north, south, vehicle_make(north, "truck-1"), vehicle_make(north, "truck-2"), vehicle_make(south, "van-1")
    )


def ids(actor: Actor, *vehicle_ids: str) -> list[str]:
    found = positions_of(actor=actor, vehicle_ids=vehicle_ids, start=NOW, end=NOW + HOUR)
    return sorted({position.vehicle.vehicle_id for position in found})


def test_a_viewer_reads_the_positions_of_his_fleet_only(fleets: Fleets) -> None:
    for vehicle in (fleets.truck, fleets.van):
        track_make(vehicle, road(3))
    viewer = fleets.viewer(fleets.north)
    assert ids(viewer, "truck-1", "van-1", "nobody") == ["truck-1"]
    everywhere = area_of_box(54, 24, 56, 26)
    found = positions_in(actor=viewer, area=everywhere, start=NOW, end=NOW + HOUR)
    assert {position.fleet_id for position in found} == {fleets.north.pk}
    assert ids(fleets.root, "truck-1", "van-1") == ["truck-1", "van-1"]


def test_a_position_belongs_to_the_fleet_that_the_vehicle_was_in_then(fleets: Fleets) -> None:
    track_make(fleets.truck, road(3))
    Vehicle.objects.filter(pk=fleets.truck.pk).update(fleet=fleets.south)
    assert ids(fleets.viewer(fleets.north), "truck-1") == ["truck-1"]
    assert ids(fleets.viewer(fleets.south), "truck-1") == []


def test_a_vehicle_reads_its_own_positions_only(fleets: Fleets) -> None:
    for vehicle in (fleets.truck, fleets.other):
        track_make(vehicle, road(3))
    actor = actor_of_vehicle(vehicle_pk=fleets.truck.pk, vehicle_id="truck-1", fleet_pk=fleets.north.pk)
    assert ids(actor, "truck-1", "truck-2") == ["truck-1"]
    here = area_of_box(54.999, 24.999, 55.001, 25.001)
    found = positions_in(actor=actor, area=here, start=NOW, end=NOW + HOUR)
    assert {position.vehicle_id for position in found} == {fleets.truck.pk}


def test_the_history_of_a_deleted_vehicle_stays(fleets: Fleets) -> None:
    track_make(fleets.truck, road(1))
    Vehicle.objects.filter(pk=fleets.truck.pk).update(deleted_at=NOW)
    assert ids(fleets.viewer(fleets.north), "truck-1") == ["truck-1"]


def test_the_start_is_inclusive_and_the_end_exclusive(fleets: Fleets) -> None:
    times = track_make(fleets.truck, road(5))
    found = positions_of(actor=fleets.root, vehicle_ids=["truck-1"], start=times[1], end=times[3])
    assert [position.recorded_at for position in found] == times[1:3]


@pytest.mark.parametrize("box", [(54.99, 24.9999, 55.01, 25.0005), (50.0, 20.0, 60.0, 25.0005)], ids=["cells", "wide"])
def test_an_area_is_looked_up_exactly(fleets: Fleets, box: tuple[float, float, float, float]) -> None:
    track_make(fleets.truck, road(20))
    area = area_of_box(*box)
    positions = positions_in(actor=fleets.root, area=area, start=NOW, end=NOW + HOUR)
    found = area_page(positions, start=NOW, end=NOW + HOUR, after=None, size=100)
    assert [round(row.lat, 4) for row in rows_within(found, area)] == [
        25.0,
        25.0001,
        25.0002,
        25.0003,
        25.0004,
        25.0005,
    ]


def test_the_corners_of_the_box_round_a_polygon_are_not_in_it(fleets: Fleets) -> None:
    track_make(fleets.truck, [(25.001, 55.001), (25.0051, 55.0051)])
    area = area_of_corners([(55.0, 25.0), (55.01, 25.0), (55.0, 25.01)])
    positions = positions_in(actor=fleets.root, area=area, start=NOW, end=NOW + HOUR)
    found = area_page(positions, start=NOW, end=NOW + HOUR, after=None, size=9)
    assert [row.lat for row in found] == [25.001, 25.0051]
    assert [row.lat for row in rows_within(found, area)] == [25.001]


def test_pages_by_vehicle_miss_nothing_and_repeat_nothing(fleets: Fleets) -> None:
    for vehicle in (fleets.truck, fleets.other):
        track_make(vehicle, road(7))
    found = positions_of(actor=fleets.root, vehicle_ids=["truck-1", "truck-2"], start=NOW, end=NOW + HOUR)
    pks = [fleets.other.pk, fleets.truck.pk]
    rows: list[Row] = []
    while page := vehicles_page(found, pks, after=place_of(rows), size=4):
        rows += page
    assert [(row.vehicle_id, row.recorded_at) for row in rows] == [
        (position.vehicle.vehicle_id, position.recorded_at) for position in found
    ]
    assert len(rows) == 14


def test_pages_by_area_go_on_in_the_midst_of_one_moment(fleets: Fleets) -> None:
    for vehicle in (fleets.truck, fleets.other, fleets.van):
        track_make(vehicle, road(5))
    area = area_of_box(54.99, 24.99, 55.01, 25.01)
    found = positions_in(actor=fleets.root, area=area, start=NOW, end=NOW + HOUR)
    rows: list[Row] = []
    while page := area_page(found, start=NOW, end=NOW + HOUR, after=place_of(rows), size=4):
        rows += page
    assert len(rows) == len({(row.vehicle_pk, row.recorded_at) for row in rows}) == 15
    assert rows == sorted(rows, key=lambda row: (row.recorded_at, row.vehicle_pk))


def test_pages_by_area_find_what_is_rare_and_far_apart_in_time(fleets: Fleets) -> None:
    days = [timedelta(minutes=1), timedelta(hours=7), timedelta(days=3), timedelta(days=29)]
    for day in days:
        track_make(fleets.truck, road(1), start=NOW + day)
    area, end = area_of_box(54.99, 24.99, 55.01, 25.01), NOW + timedelta(days=30)
    found = positions_in(actor=fleets.root, area=area, start=NOW, end=end)
    rows = area_page(found, start=NOW, end=end, after=None, size=10)
    assert [row.recorded_at - NOW for row in rows] == days
    assert [row.recorded_at - NOW for row in area_page(found, start=NOW, end=end, after=None, size=3)] == days[:3]


def place_of(rows: list[Row]) -> Place | None:
    return Place(rows[-1].recorded_at, rows[-1].vehicle_pk) if rows else None


def test_an_export_comes_in_parts_vehicle_by_vehicle(fleets: Fleets) -> None:
    for vehicle in (fleets.truck, fleets.other):
        track_make(vehicle, road(5))
    found = positions_of(actor=fleets.root, vehicle_ids=["truck-1", "truck-2"], start=NOW, end=NOW + HOUR)
    parts = list(rows_in_parts(found, [fleets.truck.pk, fleets.other.pk], area=None, part=2))
    assert [len(rows) for rows in parts] == [2, 2, 1, 2, 2, 1]
    assert [row.vehicle_id for rows in parts for row in rows] == ["truck-1"] * 5 + ["truck-2"] * 5


def test_a_long_export_takes_no_more_memory_than_a_short_one(fleets: Fleets) -> None:
    times, actor = track_make(fleets.truck, road(12_000)), fleets.root

    def peak(end: datetime) -> int:
        found = positions_of(actor=actor, vehicle_ids=["truck-1"], start=NOW, end=end)
        parts = rows_in_parts(found, [fleets.truck.pk], area=None, part=500)
        tracemalloc.start()
        try:
            written = sum(map(len, geojson_parts(parts)))
            assert written > 100 * (end - NOW).total_seconds()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(times[600])  # what is made once only
    assert peak(times[-1]) < 1.5 * peak(times[1200])
