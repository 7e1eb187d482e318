"""Vehicles over REST."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.integration.api.conftest import ClientOf, World, problem_of
from tests.integration.people import NOW
from v2v.fleets.models import Membership
from v2v.vehicles import services
from v2v.vehicles.models import Vehicle

NEW = {"vehicleId": "truck-9", "fleet": "north", "plate": "N 9", "driverName": "Dana"}


def ids(page: dict[str, Any]) -> list[str]:
    return [row["vehicleId"] for row in page["results"]]


@pytest.mark.parametrize(
    ("who", "seen"),
    [
        ("viewer@north", ["truck-1", "truck-2"]),
        ("dispatcher@north", ["truck-1", "truck-2"]),
        ("viewer@south", ["van-1"]),
        ("root", ["truck-1", "truck-2", "van-1"]),
    ],
)
def test_one_sees_the_vehicles_of_ones_fleets(client_of: ClientOf, who: str, seen: list[str]) -> None:
    page = client_of(who).get("vehicles")
    assert ids(page) == seen
    assert page["count"] == len(seen)


@pytest.mark.parametrize("who", ["stranger", "truck-1"])
def test_who_may_view_nothing_is_told_so(client_of: ClientOf, who: str) -> None:
    problem_of(client_of(who)("GET", "vehicles"), 403, "forbidden")


def test_a_vehicle_has_its_names_in_camel_case_and_no_owner(client_of: ClientOf) -> None:
    vehicle = client_of("viewer@north").get("vehicles/truck-1")
    assert vehicle.keys() == {
        *("vehicleId", "fleet", "type", "plate", "make", "model", "color"),
        *("driverName", "version", "disabledAt", "createdAt", "updatedAt", "updatedBy"),
    }
    assert (vehicle["fleet"], vehicle["driverName"], vehicle["version"]) == ("north", "Amal", 1)
    assert vehicle["createdAt"] == "2026-11-25T12:00:00Z"


def test_another_fleets_vehicle_does_not_exist(client_of: ClientOf) -> None:
    for method in ("GET", "PATCH", "DELETE"):
        response = client_of("fleet_admin@north")(method, "vehicles/van-1", {"version": 1, "plate": "X"})
        problem_of(response, 404, "not_found")
    assert Vehicle.objects.get(vehicle_id="van-1").deleted_at is None


@pytest.mark.parametrize("who", ["viewer@north", "dispatcher@north"])
def test_who_may_only_look_changes_nothing(client_of: ClientOf, who: str) -> None:
    client = client_of(who)
    problem_of(client("POST", "vehicles", NEW), 403, "forbidden")
    problem_of(client("PATCH", "vehicles/truck-1", {"version": 1, "plate": "X"}), 403, "forbidden")
    problem_of(client("DELETE", "vehicles/truck-1"), 403, "forbidden")
    assert list(Vehicle.objects.filter(plate="X")) == []


def test_an_admin_of_one_fleet_who_views_another_may_not_change_it(client_of: ClientOf, world: World) -> None:
    user = User.objects.get(username="fleet_admin@north")
    Membership.objects.create(user=user, fleet=world.south, role="viewer")
    client = client_of("fleet_admin@north")
    assert client.get("vehicles/van-1")["fleet"] == "south"
    problem_of(client("PATCH", "vehicles/van-1", {"version": 1, "plate": "X"}), 403, "forbidden")
    problem_of(client("POST", "vehicles", {**NEW, "fleet": "south"}), 400, "validation_error")
    problem_of(client("PATCH", "vehicles/truck-1", {"version": 1, "fleet": "south"}), 400, "validation_error")


def test_an_admin_adds_a_vehicle(client_of: ClientOf) -> None:
    client = client_of("fleet_admin@north")
    response = client("POST", "vehicles", NEW)
    assert response.status_code == 201
    assert client.get("vehicles/truck-9") | NEW == client.get("vehicles/truck-9")


def test_a_taken_id_is_a_conflict_even_when_it_is_another_fleets_or_deleted(client_of: ClientOf, world: World) -> None:
    services.vehicle_delete(vehicle=world.truck_2, now=NOW)
    for taken in ("truck-1", "truck-2", "van-1"):
        response = client_of("fleet_admin@north")("POST", "vehicles", {**NEW, "vehicleId": taken})
        problem_of(response, 409, "conflict")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"vehicleId": "no spaces"}, "vehicleId"),
        ({"vehicleId": None}, "vehicleId"),
        ({"plate": "x" * 65}, "plate"),
        ({"plate": "a\x07b"}, "plate"),
        ({"plate": "a\x00b"}, "plate"),
        ({"plate": ["list"]}, "plate"),
        ({"fleet": "nowhere"}, "fleet"),
        ({"fleet": 1}, "fleet"),
        ({"colour": "red"}, "colour"),
    ],
    ids=str,
)
def test_what_is_wrong_is_named(client_of: ClientOf, change: dict[str, Any], field: str) -> None:
    document = problem_of(client_of("fleet_admin@north")("POST", "vehicles", NEW | change), 400, "validation_error")
    assert document["details"]["field"] == field
    assert document["details"]["issue"]
    assert {issue["field"] for issue in document["details"]["issues"]} == {field}


def test_a_change_takes_the_version_and_gives_the_next(client_of: ClientOf) -> None:
    client = client_of("fleet_admin@north")
    response = client("PATCH", "vehicles/truck-1", {"version": 1, "plate": "N 11"})
    assert response.status_code == 200
    changed = client.get("vehicles/truck-1")
    assert (changed["plate"], changed["version"], changed["driverName"]) == ("N 11", 2, "Amal")


def test_a_stale_change_is_a_conflict_with_both_versions_and_the_vehicle_as_it_is(client_of: ClientOf) -> None:
    client = client_of("fleet_admin@north")
    client("PATCH", "vehicles/truck-1", {"version": 1, "plate": "first"})
    response = client("PATCH", "vehicles/truck-1", {"version": 1, "plate": "second"})
    details = problem_of(response, 409, "conflict")["details"]
    assert (details["givenVersion"], details["currentVersion"]) == (1, 2)
    assert details["current"]["plate"] == "first"
    assert client.get("vehicles/truck-1")["plate"] == "first"


def test_a_change_without_a_version_is_refused(client_of: ClientOf) -> None:
    response = client_of("fleet_admin@north")("PATCH", "vehicles/truck-1", {"plate": "N 11"})
    assert problem_of(response, 400, "validation_error")["details"]["field"] == "version"


def test_the_id_of_a_vehicle_does_not_change(client_of: ClientOf) -> None:
    client = client_of("fleet_admin@north")
    assert client("PATCH", "vehicles/truck-1", {"version": 1, "vehicleId": "truck-7"}).status_code == 200
    assert client("GET", "vehicles/truck-7").status_code == 404


def test_a_deleted_vehicle_is_gone_but_kept(client_of: ClientOf, world: World) -> None:
    client = client_of("fleet_admin@north")
    assert client("DELETE", "vehicles/truck-1", version=1).status_code == 204
    problem_of(client("GET", "vehicles/truck-1"), 404, "not_found")
    assert ids(client.get("vehicles")) == ["truck-2"]
    world.truck_1.refresh_from_db()
    assert world.truck_1.deleted_at is not None


@pytest.mark.parametrize(
    ("version", "status"), [("2", 409), ("x", 400), ("0", 400), ("9" * 30, 400), ("1" * 4400, 400)]
)
def test_a_delete_with_a_wrong_version_is_refused(client_of: ClientOf, version: str, status: int) -> None:
    code = "conflict" if status == 409 else "validation_error"
    problem_of(client_of("fleet_admin@north")("DELETE", "vehicles/truck-1", version=version), status, code)


def test_lists_are_filtered_searched_and_ordered(client_of: ClientOf, world: World) -> None:
    services.vehicle_disable(vehicle=world.truck_2, now=NOW)
    client = client_of("root")
    assert ids(client.get("vehicles", fleet="south")) == ["van-1"]
    assert ids(client.get("vehicles", plate="N 1")) == ["truck-1"]
    assert ids(client.get("vehicles", disabled="true")) == ["truck-2"]
    assert ids(client.get("vehicles", disabled="false")) == ["truck-1", "van-1"]
    assert ids(client.get("vehicles", search="amal")) == ["truck-1", "truck-2"]
    assert ids(client.get("vehicles", ordering="-vehicleId")) == ["van-1", "truck-2", "truck-1"]


def test_pages_are_bounded_whatever_is_asked(client_of: ClientOf, world: World) -> None:
    services.vehicle_tokens_issue(prefix="load-", count=210, fleet=world.north, now=NOW)
    client = client_of("viewer@north")
    assert len(client.get("vehicles")["results"]) == 50
    page = client.get("vehicles", pageSize=1000)
    assert (len(page["results"]), page["count"]) == (200, 212)
    assert len(client.get("vehicles", pageSize=200, page=2)["results"]) == 12
    problem_of(client("GET", "vehicles", page=99), 404, "not_found")


def test_a_list_costs_the_same_queries_however_long_it_is(
    client_of: ClientOf, world: World, django_assert_max_num_queries
) -> None:
    services.vehicle_tokens_issue(prefix="load-", count=40, fleet=world.north, now=NOW)
    client = client_of("viewer@north")
    with django_assert_max_num_queries(5):
        client.get("vehicles")
