"""Driving events, trips and the figures of days over REST."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.integration.api.conftest import ClientOf, World, problem_of
from tests.integration.driving.conftest import drive
from tests.integration.people import NOW
from v2v.driving.daily import daily_refresh, daily_touch
from v2v.driving.models import DrivingEvent
from v2v.driving.trip_services import trips_step
from v2v.vehicles.models import Vehicle

NOW_MS = int(NOW.timestamp() * 1000)


def event(vehicle: Vehicle, kind: str, seconds: int) -> int:
    at = NOW + timedelta(seconds=seconds)
    made = DrivingEvent.objects.create(
        fleet=vehicle.fleet,
        vehicle=vehicle,
        type=kind,
        occurred_at=at,
        day=NOW.date(),
        lat=25,
        lng=55,
        value=5,
        limit=4,
    )
    return made.pk


@pytest.fixture
def events(world: World) -> list[int]:
    return [
        event(world.truck_1, "harsh_braking", 0),
        event(world.truck_2, "overspeed", 10),
        event(world.van_1, "crash", 5),
    ]


@pytest.fixture
def driven(world: World, events: list[int]) -> None:
    """Two trips of truck-1, one of truck-2, one of van-1 in the south."""
    drive(world.truck_1, (600, 15), (400, 0), (300, 20), (400, 0))
    drive(world.truck_2, (300, 10), (400, 0))
    drive(world.van_1, (300, 30), (400, 0))
    trips_step(NOW + timedelta(hours=1))
    daily_touch(day=date(2026, 11, 25), now=NOW)
    daily_refresh(datetime.now(UTC) + timedelta(hours=1))


def test_events_are_those_of_ones_own_fleets_newest_first_and_filtered(client_of: ClientOf, events: list[int]) -> None:
    rows = client_of("viewer@north").get("driving-events")["results"]
    who = {"id": events[0], "fleet": "north", "vehicleId": "truck-1", "type": "harsh_braking", "ts": NOW_MS}
    assert rows[1] == who | {"day": "2026-11-25", "lat": 25.0, "lng": 55.0, "value": 5.0, "limit": 4.0}
    assert [row["id"] for row in rows] == [events[1], events[0]]
    client = client_of("root")
    for query, expected in (
        ({"vehicleId": "truck-1"}, [0]),
        ({"type": "crash"}, [2]),
        ({"fleet": "north"}, [1, 0]),
        ({"since": NOW_MS + 5_000}, [1, 2]),
        ({"until": NOW_MS + 5_000}, [0]),
    ):
        rows = client.get("driving-events", **query)["results"]
        assert [row["id"] for row in rows] == [events[index] for index in expected], query


def test_trips_have_their_figures_and_the_stop_behind_them(client_of: ClientOf, driven: None) -> None:
    later, earlier = client_of("viewer@north").get("trips", vehicleId="truck-1")["results"]
    assert (earlier["startedAt"], earlier["endedAt"]) == (NOW_MS, NOW_MS + 610_000)
    assert earlier["distanceM"] == pytest.approx(9_000, rel=0.001)
    assert earlier["averageSpeed"] == pytest.approx(9_000 / 610, rel=0.001)
    assert (earlier["topSpeed"], earlier["isOpen"], earlier["stoppedS"]) == (15, False, 390)
    assert (later["stoppedS"], later["fleet"]) == (None, "north")


def test_trips_are_filtered_and_come_in_pages(client_of: ClientOf, driven: None) -> None:
    client = client_of("root")
    assert len(client.get("trips")["results"]) == 4
    assert [row["vehicleId"] for row in client.get("trips", fleet="south")["results"]] == ["van-1"]
    assert len(client.get("trips", since=NOW_MS + 1)["results"]) == 1
    assert client.get("trips", isOpen="true")["results"] == []
    page = client.get("trips", pageSize=3)
    assert len(client.get(page["next"].split("/api/v1/")[1])["results"]) == 1


def test_days_are_those_of_each_vehicle(client_of: ClientOf, driven: None) -> None:
    rows = client_of("viewer@north").get("analytics/daily")["results"]
    assert [(row["vehicleId"], row["trips"], row["stops"], row["events"]) for row in rows] == [
        ("truck-1", 2, 2, 1),
        ("truck-2", 1, 1, 1),
    ]
    assert rows[0]["topSpeed"] == 20
    assert rows[0]["distanceM"] == pytest.approx(15_000, rel=0.001)
    assert rows[0]["averageSpeed"] == pytest.approx(15_000 / 920, rel=0.001)
    assert (rows[0]["harshEvents"], rows[1]["overspeeds"]) == (1, 1)


def test_days_of_fleets_are_the_sums(client_of: ClientOf, driven: None) -> None:
    rows = client_of("root").get("analytics/daily", group="fleet")["results"]
    assert [(row["fleet"], row["vehicleId"], row["vehicles"], row["trips"]) for row in rows] == [
        ("north", None, 2, 3),
        ("south", None, 1, 1),
    ]
    assert rows[0]["distanceM"] == pytest.approx(18_000, rel=0.001)


@pytest.mark.parametrize(("query", "count"), [({"since": "2026-11-26"}, 0), ({"until": "2026-11-25"}, 2)], ids=str)
def test_days_are_chosen_by_date(client_of: ClientOf, driven: None, query: dict[str, str], count: int) -> None:
    assert len(client_of("viewer@north").get("analytics/daily", **query)["results"]) == count


def test_another_fleets_driving_does_not_exist(client_of: ClientOf, driven: None) -> None:
    client = client_of("viewer@north")
    for path in ("driving-events", "trips", "analytics/daily"):
        assert client.get(path, vehicleId="van-1")["results"] == []
        assert client.get(path, fleet="south")["results"] == []


def test_a_vehicle_may_not_read_how_others_drive(client_of: ClientOf, driven: None) -> None:
    for path in ("driving-events", "trips", "analytics/daily"):
        problem_of(client_of("truck-1")("GET", path), 403, "forbidden")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("driving-events", {"type": "rude"}),
        ("driving-events", {"since": "-1"}),
        ("trips", {"until": "tomorrow"}),
        ("analytics/daily", {"since": "soon"}),
        ("analytics/daily", {"group": "country"}),
    ],
    ids=str,
)
def test_a_wrong_filter_is_refused(client_of: ClientOf, path: str, query: dict[str, str]) -> None:
    problem_of(client_of("viewer@north")("GET", path, **query), 400, "validation_error")
