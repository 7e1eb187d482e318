"""Geofences and their events over REST."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.api.conftest import ClientOf, World, problem_of
from tests.integration.people import NOW
from v2v.geofences.models import Geofence, GeofenceEvent
from v2v.geofences.services import geofence_create

SQUARE = [[55.0, 25.0], [55.01, 25.0], [55.01, 25.01], [55.0, 25.01], [55.0, 25.0]]
CIRCLE = {"kind": "circle", "geometry": {"type": "Point", "coordinates": [55.0, 25.0]}, "radiusM": 500.0}
AREA = {"kind": "polygon", "geometry": {"type": "Polygon", "coordinates": [SQUARE]}}
NOW_MS = int(NOW.timestamp() * 1000)


def body(**more: Any) -> dict[str, Any]:
    return {"fleet": "north", "name": "Depot", **CIRCLE, **more}


@pytest.fixture
def depot(world: World) -> Geofence:
    geometry = {"type": "Point", "coordinates": [55.0, 25.0]}
    return geofence_create(
        fleet=world.north, by="amina", now=NOW, name="Depot", kind="circle", geometry=geometry, radius_m=500.0
    )


def test_a_dispatcher_makes_one_with_all_its_rules(client_of: ClientOf) -> None:
    rules = {"onEnter": "event", "onExit": "high", "onDwell": "low", "dwellMinutes": 45, "onSpeed": "critical"}
    rest = {"speedLimit": 13.9, "onTooFew": "medium", "minimumInside": 3, "tooFewMinutes": 10, "holdS": 30}
    hours = {"weekdays": [1, 2, 3], "begins": "22:00:00", "ends": "06:00:00", "vehicleTypes": ["van", "truck"]}
    look = {"color": "#cc79a7", "note": "The gate closes at 22:00.", "isActive": False}
    given = body(**rules, **rest, **hours, **look)
    response = client_of("dispatcher@north")("POST", "geofences", given)
    assert response.status_code == 201, response.content
    made = response.json()
    assert given.items() <= made.items()
    assert (made["version"], made["updatedBy"]) == (1, "dispatcher@north")
    assert client_of("viewer@north").get(f"geofences/{made['id']}") == made


def test_an_area_is_stored_as_it_was_given(client_of: ClientOf, world: World) -> None:
    made = client_of("fleet_admin@north")("POST", "geofences", {"fleet": "north", "name": "Yard", **AREA}).json()
    assert (made["geometry"], made["radiusM"]) == (AREA["geometry"], None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"geometry": {"type": "Point", "coordinates": [181, 25]}}, "geometry"),
        ({"geometry": {"type": "Point", "coordinates": [55, "25"]}}, "geometry"),
        ({"geometry": {"type": "Point", "coordinates": [55, 25, 7]}}, "geometry"),
        ({"geometry": {"type": "Point", "coordinates": None}}, "geometry"),
        ({"geometry": {"type": "Polygon", "coordinates": [SQUARE]}}, "geometry"),
        ({"geometry": "nothing"}, "geometry"),
        ({"radiusM": None}, "radiusM"),
        ({"radiusM": 1e9}, "radiusM"),
        ({**AREA, "geometry": {"type": "Polygon", "coordinates": [SQUARE[:-1]]}}, "geometry"),
        ({**AREA, "geometry": {"type": "Polygon", "coordinates": [SQUARE, SQUARE]}}, "geometry"),
        ({"kind": "star"}, "kind"),
        ({"name": ""}, "name"),
        ({"name": "a\x07b"}, "name"),
        ({"onEnter": "loud"}, "onEnter"),
        ({"holdS": -1}, "holdS"),
        ({"speedLimit": 1000}, "speedLimit"),
        ({"weekdays": [8]}, "weekdays.0"),
        ({"weekdays": [1, 1]}, "weekdays"),
        ({"begins": "06:00"}, "ends"),
        ({"begins": "06:00", "ends": "06:00"}, "ends"),
        ({"vehicleTypes": ["x" * 65]}, "vehicleTypes.0"),
        ({"color": "red"}, "color"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
def test_what_is_wrong_is_refused_with_its_field(client_of: ClientOf, change: dict[str, Any], field: str) -> None:
    response = client_of("dispatcher@north")("POST", "geofences", body(**change))
    assert problem_of(response, 400, "validation_error")["details"]["field"] == field
    assert not Geofence.objects.exists()


def test_viewers_read_only_and_other_fleets_see_nothing(client_of: ClientOf, depot: Geofence) -> None:
    path = f"geofences/{depot.pk}"
    viewer, other = client_of("viewer@north"), client_of("dispatcher@south")
    assert [each["name"] for each in viewer.get("geofences")["results"]] == ["Depot"]
    change = {"name": "Mine", "version": 1}
    for response in (
        viewer("POST", "geofences", body()),
        viewer("PATCH", path, change),
        viewer("DELETE", path),
        viewer("POST", f"{path}/restore"),
    ):
        problem_of(response, 403, "forbidden")
    assert other.get("geofences")["results"] == []
    for response in (other("GET", path), other("PATCH", path, change), other("POST", f"{path}/restore")):
        problem_of(response, 404, "not_found")
    assert problem_of(other("POST", "geofences", body()), 400, "validation_error")["details"]["field"] == "fleet"
    problem_of(client_of("truck-1")("GET", "geofences"), 403, "forbidden")


def test_of_two_who_change_it_the_second_is_told_both_versions(client_of: ClientOf, depot: Geofence) -> None:
    client, path = client_of("dispatcher@north"), f"geofences/{depot.pk}"
    assert client("PATCH", path, {"name": "East", "version": 1}).json()["version"] == 2
    details = problem_of(client("PATCH", path, {"name": "West", "version": 1}), 409, "conflict")["details"]
    assert (details["givenVersion"], details["currentVersion"], details["current"]["name"]) == (1, 2, "East")
    problem_of(client("PATCH", path, {"name": "West"}), 400, "validation_error")
    problem_of(client("DELETE", path, version=1), 409, "conflict")
    assert client("DELETE", path, version=2).status_code == 204


def test_a_change_of_its_rules_arms_it_not_anew_and_a_change_of_its_shape_does(
    client_of: ClientOf, depot: Geofence
) -> None:
    client, path = client_of("dispatcher@north"), f"geofences/{depot.pk}"
    client("PATCH", path, {"onExit": "high", "version": 1})
    depot.refresh_from_db()
    assert depot.armed_at == NOW
    assert client("PATCH", path, {"radiusM": 600, "version": 2}).json()["radiusM"] == 600
    depot.refresh_from_db()
    assert depot.armed_at > NOW


def test_a_circle_becomes_an_area(client_of: ClientOf, depot: Geofence) -> None:
    changed = client_of("dispatcher@north")("PATCH", f"geofences/{depot.pk}", {**AREA, "version": 1}).json()
    assert (changed["kind"], changed["radiusM"]) == ("polygon", None)


def test_a_deleted_one_is_gone_until_it_is_restored(client_of: ClientOf, depot: Geofence) -> None:
    client, path = client_of("dispatcher@north"), f"geofences/{depot.pk}"
    assert client("DELETE", path).status_code == 204
    problem_of(client("GET", path), 404, "not_found")
    assert client("POST", f"{path}/restore").json()["name"] == "Depot"
    assert client.get(path)["version"] == 3


def test_a_fleet_has_at_most_a_thousand(client_of: ClientOf, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("v2v.geofences.services.MAX_PER_FLEET", 2)
    client = client_of("dispatcher@north")
    first, second = (client("POST", "geofences", body()).json() for _ in range(2))
    problem_of(client("POST", "geofences", body()), 409, "conflict")
    client("DELETE", f"geofences/{first['id']}")
    client("POST", "geofences", body())
    problem_of(client("POST", f"geofences/{first['id']}/restore"), 409, "conflict")
    assert client("POST", f"geofences/{second['id']}/restore").status_code == 200


@pytest.fixture
def events(world: World, depot: Geofence) -> list[int]:
    """An enter at 0 s, an exit at 60 s, too few at 90 s."""
    made = [("enter", world.truck_1, None, 0), ("exit", world.truck_1, 60.0, 60), ("too_few", None, 0.0, 90)]
    return [
        GeofenceEvent.objects.create(
            fleet=world.north,
            geofence=depot,
            vehicle=vehicle,
            type=kind,
            value=value,
            occurred_at=NOW + timedelta(seconds=seconds),
        ).pk
        for kind, vehicle, value, seconds in made
    ]


def test_events_are_listed_newest_first_and_filtered(client_of: ClientOf, depot: Geofence, events: list[int]) -> None:
    client = client_of("viewer@north")
    rows = client.get("geofence-events")["results"]
    assert [row["id"] for row in rows] == events[::-1]
    assert (rows[0]["vehicleId"], rows[1]["vehicleId"], rows[1]["value"]) == (None, "truck-1", 60.0)
    assert (rows[2]["geofenceId"], rows[2]["geofenceName"], rows[2]["ts"]) == (depot.pk, "Depot", NOW_MS)
    for query, expected in (
        ({"type": "exit"}, [1]),
        ({"vehicleId": "truck-1"}, [1, 0]),
        ({"geofenceId": depot.pk + 1}, []),
        ({"fleet": "south"}, []),
        ({"since": NOW_MS + 60_000}, [2, 1]),
        ({"until": NOW_MS + 60_000}, [0]),
    ):
        assert [row["id"] for row in client.get("geofence-events", **query)["results"]] == [events[n] for n in expected]
    assert client_of("viewer@south").get("geofence-events")["results"] == []
