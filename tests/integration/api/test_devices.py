"""Devices and their tokens over REST."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from tests.integration.api.conftest import ApiClient, ClientOf, World, problem_of
from tests.integration.people import device_of, token_for
from v2v.vehicles.models import Device


@pytest.mark.parametrize("who", ["viewer@north", "dispatcher@north", "truck-1", "stranger"])
def test_devices_are_for_fleet_admins(client_of: ClientOf, who: str, world: World) -> None:
    device = device_of(world.truck_1)
    client = client_of(who)
    for method, path in (
        ("GET", "devices"),
        ("GET", f"devices/{device.pk}"),
        ("POST", "devices"),
        ("POST", f"devices/{device.pk}/token"),
        ("POST", f"devices/{device.pk}/revoke"),
        ("DELETE", f"devices/{device.pk}"),
    ):
        problem_of(client(method, path, {}), 403, "forbidden")


def test_an_admin_sees_the_devices_of_the_own_fleet_only(client_of: ClientOf, world: World) -> None:
    client = client_of("fleet_admin@north")
    page = client.get("devices")
    assert [row["vehicleId"] for row in page["results"]] == ["truck-1", "truck-2"]
    assert [row["vehicleId"] for row in client.get("devices", vehicleId="truck-2")["results"]] == ["truck-2"]
    other = device_of(world.van_1)
    problem_of(client("GET", f"devices/{other.pk}"), 404, "not_found")
    problem_of(client("POST", f"devices/{other.pk}/revoke"), 404, "not_found")
    problem_of(client("POST", f"devices/{other.pk}/token", {}), 404, "not_found")
    problem_of(client("POST", "devices", {"vehicleId": "van-1", "deviceId": "phone"}), 404, "not_found")
    other.refresh_from_db()
    assert other.revoked_at is None


def test_a_device_is_added_and_gets_a_token_that_works(client_of: ClientOf) -> None:
    client = client_of("fleet_admin@north")
    added = client("POST", "devices", {"vehicleId": "truck-1", "deviceId": "phone", "name": "Amal's phone"})
    assert added.status_code == 201
    device = added.json()
    assert device["deviceId"] == "phone"
    issued = client("POST", f"devices/{device['id']}/token", {})
    assert issued.status_code == 201
    assert issued["Cache-Control"] == "no-store"
    body = issued.json()
    assert body["expiresAt"] is None
    assert ApiClient(token=body["token"]).get("presence")["count"] == 2


def test_a_token_can_have_an_end(client_of: ClientOf, world: World) -> None:
    client = client_of("fleet_admin@north")
    path = f"devices/{device_of(world.truck_1).pk}/token"
    body = client("POST", path, {"ttlSeconds": 3600}).json()
    left = datetime.fromisoformat(body["expiresAt"]) - timezone.now()
    assert timedelta(minutes=59) < left <= timedelta(hours=1)
    for wrong in (0, -1, 10**12, "soon"):
        problem_of(client("POST", path, {"ttlSeconds": wrong}), 400, "validation_error")


def test_a_revoked_device_is_out_at_once(client_of: ClientOf, world: World) -> None:
    token = token_for(world.truck_1)
    assert ApiClient(token=token)("GET", "presence").status_code == 200
    client = client_of("fleet_admin@north")
    device = device_of(world.truck_1)
    revoked = client("POST", f"devices/{device.pk}/revoke").json()
    assert revoked["revokedAt"] is not None
    problem_of(ApiClient(token=token)("GET", "presence"), 401, "auth_failed")
    problem_of(client("POST", f"devices/{device.pk}/token", {}), 409, "conflict")
    assert [row["id"] for row in client.get("devices", revoked="true")["results"]] == [device.pk]


def test_a_removed_device_is_gone_from_the_list_and_out(client_of: ClientOf, world: World) -> None:
    token = token_for(world.truck_1)
    client = client_of("fleet_admin@north")
    device = device_of(world.truck_1)
    assert client("DELETE", f"devices/{device.pk}").status_code == 204
    problem_of(client("GET", f"devices/{device.pk}"), 404, "not_found")
    problem_of(ApiClient(token=token)("GET", "presence"), 401, "auth_failed")
    assert Device.objects.filter(pk=device.pk).exists()


def test_an_id_that_is_too_large_for_the_database_is_not_found(client_of: ClientOf) -> None:
    client = client_of("fleet_admin@north")
    for number in ("9" * 18, "9" * 19, "9" * 100):
        problem_of(client("GET", f"devices/{number}"), 404, "not_found")
