"""The pages of driving, as HTTP gives them."""

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from io import StringIO
from typing import Any

import pytest
from django.test import Client

from tests.integration.driving.conftest import drive
from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.driving.daily import daily_refresh
from v2v.driving.models import DrivingEvent, DrivingWork, FleetRules, SpeedLimit, Trip
from v2v.driving.trip_services import SETTLED, trips_advance
from v2v.fleets.models import Fleet, Role
from v2v.vehicles.models import Vehicle

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def viewer(client: Client, fleet: Fleet) -> Client:
    client.force_login(user_make("ann", fleet=fleet))
    return client


@pytest.fixture
def admin(client: Client, fleet: Fleet) -> Client:
    client.force_login(user_make("bea", fleet=fleet, role=Role.FLEET_ADMIN))
    return client


def event(vehicle: Vehicle, kind: str = "harsh_braking", *, at: datetime = NOW, **more: Any) -> str:
    figures = {"value": 5.2, "limit": 4.4, "lat": 25.1, "lng": 55.2} | more
    day = at.astimezone(vehicle.fleet.zone).date()
    made = DrivingEvent.objects.create(
        fleet=vehicle.fleet, vehicle=vehicle, type=kind, occurred_at=at, day=day, **figures
    )
    return str(made.pk)


def driven(vehicle: Vehicle, *, begin: datetime = NOW, speed: float = 15.0) -> None:
    """A trip of 10 minutes, and a stop."""
    drive(vehicle, (600, speed), (320, 0), begin=begin)
    while trips_advance(until=begin + timedelta(hours=1) + SETTLED):
        pass
    DrivingWork.objects.filter(pk="daily").update(due_at=NOW)
    daily_refresh(datetime.now(UTC))


def content(client: Client, address: str, status: int = 200, **query: Any) -> str:
    answer = client.get(address, query)
    assert answer.status_code == status
    return answer.content.decode()


def sheet(client: Client, address: str, **query: Any) -> list[list[str]]:
    answer = client.get(address, query)
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(StringIO(b"".join(answer).decode())))


def found(client: Client, address: str, **query: Any) -> list[str]:
    return re.findall(r'<tr data-(?:event|trip)-id="([^"]+)"', content(client, address, **query))


@pytest.mark.parametrize("address", ["/analytics/", "/trips/", "/driving-events/", "/driving-rules/"])
def test_the_pages_want_a_session(client: Client, address: str) -> None:
    assert client.get(address)["Location"] == f"/login/?next={address}"


# ---- Days


def test_the_period_has_its_figures_days_vehicles_and_charts(viewer: Client, fleet: Fleet, truck: Vehicle) -> None:
    now = datetime.now(UTC)
    driven(truck, begin=now - timedelta(hours=30))
    driven(vehicle_make(fleet, "van-1"), begin=now - timedelta(hours=30), speed=10)
    page = content(viewer, "/analytics/")
    assert '<span data-meters="15000">15.0 km</span>' in page
    assert page.count("Nothing driven") in (5, 6)  # a trip over midnight lies on two days
    assert page.index("truck-1") < page.index("van-1")
    stored = re.search(r'data-chart="([^"]+)"', page)
    assert stored is not None
    chart = json.loads(unescape(stored[1]))
    assert len(chart["days"]) == 7
    assert sum(chart["meters"]) == pytest.approx(15_000, rel=0.001)
    assert "truck-1" not in content(viewer, "/analytics/", vehicle="van-1").split("By vehicle")[1]


def test_a_period_is_compared_with_the_one_before(viewer: Client, truck: Vehicle) -> None:
    now = datetime.now(UTC)
    driven(truck, begin=now - timedelta(days=10), speed=10)
    driven(truck, begin=now - timedelta(hours=30), speed=15)
    assert "+50 %" in content(viewer, "/analytics/")


def test_a_callsign_means_that_vehicle_and_not_those_that_begin_so(
    viewer: Client, fleet: Fleet, truck: Vehicle
) -> None:
    other = vehicle_make(fleet, "truck-10", driver_name="Omar")
    now = datetime.now(UTC)
    driven(truck, begin=now - timedelta(hours=30))
    driven(other, begin=now - timedelta(hours=30))
    assert "truck-10" not in content(viewer, "/analytics/", vehicle="truck-1")
    assert "truck-10" in content(viewer, "/analytics/", vehicle="truck-")
    assert "truck-10" in content(viewer, "/analytics/", vehicle="omar")


def test_an_empty_period_says_so(viewer: Client) -> None:
    assert "Nothing was driven in this period" in content(viewer, "/analytics/")


@pytest.mark.parametrize("query", [{"days": "x"}, {"fleet": "%00"}, {"vehicle": HOSTILE}, {"vehicle": "\x00"}], ids=str)
def test_what_is_not_valid_counts_as_not_given_and_is_escaped(viewer: Client, query: dict[str, Any]) -> None:
    assert HOSTILE not in content(viewer, "/analytics/", **query)


def test_the_days_are_downloaded(viewer: Client, truck: Vehicle) -> None:
    driven(truck, begin=datetime.now(UTC) - timedelta(hours=30))
    rows = sheet(viewer, "/analytics/days.csv")
    assert rows[0][:4] == ["day", "fleet", "vehicle", "distance km"]
    assert sum(float(row[3]) for row in rows[1:]) == pytest.approx(9, rel=0.01)


def test_another_fleets_driving_is_on_no_page(viewer: Client) -> None:
    foreign = vehicle_make(fleet_make("south"), "foreign-1")
    driven(foreign, begin=datetime.now(UTC) - timedelta(hours=30))
    event(foreign)
    for address in ("/analytics/", "/trips/", "/driving-events/"):
        assert "foreign-1" not in content(viewer, address)
        assert "foreign-1" not in content(viewer, address, fleet="south")
    for address in ("/analytics/days.csv", "/trips/trips.csv", "/driving-events/events.csv"):
        assert len(sheet(viewer, address)) == 1


# ---- Trips and events


def test_trips_show_the_stop_behind_them(viewer: Client, truck: Vehicle) -> None:
    driven(truck)
    driven(truck, begin=NOW + timedelta(minutes=30))
    later, earlier = Trip.objects.all()
    page = content(viewer, "/trips/")
    assert found(viewer, "/trips/") == [str(later.pk), str(earlier.pk)]
    assert "19 min 50 s" in page
    assert "Still" in page
    assert "25 Nov 2026" in page
    assert "16:00:00" in page  # in Dubai
    assert found(viewer, "/trips/", since="2026-11-26") == []


def test_events_are_found_by_each_filter(viewer: Client, fleet: Fleet, truck: Vehicle) -> None:
    other = vehicle_make(fleet, "van-9")
    braking = event(truck, at=NOW - timedelta(days=1))
    speeding = event(other, "overspeed", value=30.0, limit=25.0)
    felt = event(other, "crash", at=NOW - timedelta(hours=1), value=None, limit=24.5)
    assert found(viewer, "/driving-events/") == [speeding, felt, braking]
    for query, expected in (
        ({"vehicle": "amina"}, [braking]),
        ({"type": "crash"}, [felt]),
        ({"since": "2026-11-25"}, [speeding, felt]),
        ({"until": "2026-11-24"}, [braking]),
        ({"type": "rude"}, [speeding, felt, braking]),
    ):
        assert found(viewer, "/driving-events/", **query) == expected, query
    page = content(viewer, "/driving-events/")
    for words in ("Harsh braking", "5.2 m/s²", "108 km/h", "90 km/h", "Reported by the device"):
        assert words in page


def test_older_events_are_reached_page_by_page_and_none_is_left_out(viewer: Client, truck: Vehicle) -> None:
    made = [event(truck, at=NOW - timedelta(seconds=number // 2), limit=float(number)) for number in range(0, 240, 2)]
    seen: list[str] = []
    address, query = "/driving-events/", ""
    for _ in range(3):
        page = viewer.get(f"{address}{query}").content.decode()
        seen += re.findall(r'<tr data-event-id="([^"]+)"', page)
        query = next(iter(re.findall(r'rel="next" href="([^"]+)"', page)), "")
    assert seen == made
    assert len(sheet(viewer, "/driving-events/events.csv")) == 121


def test_rows_are_downloaded_in_the_fleets_time(viewer: Client, truck: Vehicle) -> None:
    driven(truck)
    event(truck, "overspeed", value=30.0, limit=25.0)
    assert sheet(viewer, "/trips/trips.csv")[1][:5] == [
        *("2026-11-25T16:00:00+04:00", "2026-11-25T16:10:10+04:00", "north", "truck-1"),
        "9.0",
    ]
    assert sheet(viewer, "/driving-events/events.csv")[1][3:7] == ["overspeed", "108.0", "90.0", "km/h"]


# ---- Rules

USUAL = {
    "speed_limit_kmh": 100,
    "speed_hold_s": 5,
    "braking": 4,
    "acceleration": 4,
    "cornering": 5,
    "crash_g": 2.5,
    "stop_g": 1,
    "idle_after_s": 300,
    "offline_after_s": 600,
    "on_crash": "alert",
    "on_overspeed": "alert",
    "on_harsh_braking": "event",
    "on_harsh_acceleration": "off",
    "on_harsh_cornering": "event",
    "on_idle": "event",
    "on_offline": "event",
    "speed_limits-TOTAL_FORMS": 2,
    "speed_limits-INITIAL_FORMS": 0,
}


def test_an_admin_changes_the_rules_and_the_speed_limits(admin: Client, fleet: Fleet) -> None:
    limit = {"speed_limits-0-vehicle_type": "truck", "speed_limits-0-limit_kmh": 80}
    answer = admin.post("/driving-rules/change/?fleet=north", USUAL | limit)
    assert answer["Location"] == "/driving-rules/?fleet=north&saved=1"
    rules = FleetRules.objects.get(fleet=fleet)
    assert (rules.speed_limit_kmh, rules.on_overspeed, rules.on_harsh_acceleration) == (100, "alert", "off")
    stored = SpeedLimit.objects.get()
    assert (stored.vehicle_type, stored.limit_kmh) == ("truck", 80)
    page = content(admin, "/driving-rules/", saved=1)
    assert 'value="truck"' in page
    assert "The rules are stored" in page
    removed = {"speed_limits-0-id": stored.pk, "speed_limits-0-DELETE": "on", "speed_limits-INITIAL_FORMS": 1}
    admin.post("/driving-rules/change/?fleet=north", USUAL | limit | removed)
    assert not SpeedLimit.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"braking": 0},
        {"braking": "nan"},
        {"on_crash": "explode"},
        {"speed_limit_kmh": ""},
        {"speed_limits-0-vehicle_type": "truck", "speed_limits-0-limit_kmh": 5},
        {"speed_limits-TOTAL_FORMS": "many"},
    ],
    ids=str,
)
def test_what_is_not_valid_is_not_stored_and_comes_back(admin: Client, wrong: dict[str, Any]) -> None:
    answer = admin.post("/driving-rules/change/?fleet=north", USUAL | wrong)
    assert answer.status_code == 422
    assert "Nothing was stored" in answer.content.decode()
    assert not FleetRules.objects.exists()


def test_the_rules_are_for_admins_of_the_fleet(viewer: Client, fleet: Fleet) -> None:
    fleet_make("south")
    for slug in ("north", "south"):
        content(viewer, "/driving-rules/", 404, fleet=slug)
        assert viewer.post(f"/driving-rules/change/?fleet={slug}", USUAL).status_code == 404
    assert "Rules" not in content(viewer, "/trips/")


def test_an_admin_of_one_fleet_has_no_say_in_another(admin: Client) -> None:
    fleet_make("south")
    assert admin.post("/driving-rules/change/?fleet=south", USUAL).status_code == 404
    assert not FleetRules.objects.exists()
