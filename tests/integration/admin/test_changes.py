"""What staff change in the admin goes through the services."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry

from tests.integration.admin.conftest import Side, Staff
from tests.integration.people import NOW, device_of
from v2v.vehicles import notices, services
from v2v.vehicles.models import Device, DeviceToken, Vehicle

VEHICLES = "/admin/vehicles/vehicle/"
DEVICES = "/admin/vehicles/device/"
NO_TOKENS = {"tokens-TOTAL_FORMS": 0, "tokens-INITIAL_FORMS": 0}


def select(client: Any, address: str, action: str, *rows: Any) -> Any:
    form = {"action": action, "_selected_action": [row.pk for row in rows], "post": "yes"}
    return client.post(address, form, follow=True)


def change(client: Any, vehicle: Vehicle, **fields: Any) -> Any:
    form = {"fleet": vehicle.fleet_id, "version": vehicle.version, "plate": vehicle.plate, **fields}
    return client.post(f"{VEHICLES}{vehicle.pk}/change/", form, follow=True)


def test_a_vehicle_is_added(staff: Staff, north: Side) -> None:
    client = staff("admin.north")
    form = {"vehicle_id": "new-1", "fleet": north.fleet.pk, "version": 1, "plate": "D 1"}
    assert client.post(f"{VEHICLES}add/", form).status_code == 302
    vehicle = Vehicle.objects.get(vehicle_id="new-1")
    assert (vehicle.plate, vehicle.version) == ("D 1", 1)
    assert client.get(f"{VEHICLES}{vehicle.pk}/change/").status_code == 200
    assert LogEntry.objects.get().object_id == str(vehicle.pk)


@pytest.mark.parametrize(
    "wrong", [{"vehicle_id": "no spaces"}, {"vehicle_id": "north-1"}, {"plate": "a\x07b"}], ids=str
)
def test_a_wrong_vehicle_is_not_added(staff: Staff, north: Side, wrong: dict[str, str]) -> None:
    form = {"vehicle_id": "new-1", "fleet": north.fleet.pk, "version": 1, "plate": "D 1", **wrong}
    assert staff("admin.north").post(f"{VEHICLES}add/", form).status_code == 200
    assert Vehicle.objects.filter(fleet=north.fleet).count() == 2


def test_a_vehicle_is_changed_and_its_version_goes_up(staff: Staff, north: Side) -> None:
    change(staff("admin.north"), north.vehicle, plate="D 2")
    north.vehicle.refresh_from_db()
    assert (north.vehicle.plate, north.vehicle.version) == ("D 2", 2)


def test_a_stale_form_is_refused_with_a_sentence(staff: Staff, north: Side) -> None:
    services.vehicle_update(vehicle=north.vehicle, version=1, now=NOW, by="bob", plate="first")
    page = change(staff("admin.north"), north.vehicle, plate="second").content.decode()
    assert "bob changed it first, at 12:00:00 UTC: it is at version 2, your form at 1." in page
    north.vehicle.refresh_from_db()
    assert (north.vehicle.plate, north.vehicle.version) == ("first", 2)


def test_a_form_without_a_version_is_refused(staff: Staff, north: Side) -> None:
    change(staff("admin.north"), north.vehicle, plate="second", version="")
    north.vehicle.refresh_from_db()
    assert north.vehicle.version == 1


def test_disabling_and_enabling_go_through_the_services(staff: Staff, north: Side) -> None:
    client = staff("admin.north")
    assert "1 disabled." in select(client, VEHICLES, "disable", north.vehicle).content.decode()
    assert "0 disabled." in select(client, VEHICLES, "disable", north.vehicle).content.decode()
    north.vehicle.refresh_from_db()
    assert north.vehicle.disabled_at is not None
    assert "1 enabled." in select(client, VEHICLES, "enable", north.vehicle).content.decode()
    north.vehicle.refresh_from_db()
    assert north.vehicle.disabled_at is None


def test_the_sessions_of_a_disabled_vehicle_end(
    staff: Staff, north: Side, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[dict[str, Any]] = []
    client = staff("admin.north")

    def listener(**notice: Any) -> None:
        heard.append(notice)

    notices.listen(listener)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            select(client, VEHICLES, "disable", north.vehicle)
            select(client, DEVICES, "revoke", device_of(north.vehicle))
            client.post(f"{VEHICLES}{north.vehicle.pk}/delete/", {"post": "yes"})
    finally:
        notices.unlisten(listener)
    assert [notice["reason"] for notice in heard] == ["vehicle_disabled", "device_revoked", "vehicle_deleted"]


@pytest.mark.parametrize("how", ["page", "action"])
def test_a_deleted_vehicle_is_marked_and_leaves_the_list(staff: Staff, north: Side, how: str) -> None:
    client = staff("admin.north")
    confirmation = client.get(f"{VEHICLES}{north.vehicle.pk}/delete/").content.decode()
    assert "north-1" in confirmation
    assert "require deleting" not in confirmation
    if how == "page":
        client.post(f"{VEHICLES}{north.vehicle.pk}/delete/", {"post": "yes"})
    else:
        select(client, VEHICLES, "delete_selected", north.vehicle)
    north.vehicle.refresh_from_db()
    assert north.vehicle.deleted_at is not None
    assert Device.objects.filter(vehicle=north.vehicle).exists()
    assert f"{VEHICLES}{north.vehicle.pk}/" not in client.get(VEHICLES).content.decode()
    deleted = client.get(VEHICLES, {"state": "deleted"}).content.decode()
    assert f"{VEHICLES}{north.vehicle.pk}/" in deleted
    change(client, north.vehicle, plate="too late")
    north.vehicle.refresh_from_db()
    assert north.vehicle.plate != "too late"


def test_a_device_is_added_renamed_revoked_restored_and_deleted(staff: Staff, north: Side) -> None:
    client = staff("admin.north")
    client.post(f"{DEVICES}add/", {"vehicle": north.vehicle.pk, "device_id": "phone", "name": "", **NO_TOKENS})
    device = device_of(north.vehicle, "phone")
    client.post(f"{DEVICES}{device.pk}/change/", {"name": "Amal's phone", **NO_TOKENS})
    select(client, DEVICES, "revoke", device)
    device.refresh_from_db()
    assert (device.name, device.revoked_at is not None) == ("Amal's phone", True)
    select(client, DEVICES, "restore", device)
    device.refresh_from_db()
    assert device.revoked_at is None
    select(client, DEVICES, "delete_selected", device)
    device.refresh_from_db()
    assert device.deleted_at is not None
    assert client.get(f"{DEVICES}{device.pk}/change/").status_code == 302


def test_a_device_too_many_comes_back_as_a_message(staff: Staff, north: Side) -> None:
    for n in range(services.MAX_DEVICES_PER_VEHICLE - 1):
        services.device_add(vehicle=north.vehicle, device_id=f"phone-{n}", now=NOW)
    form = {"vehicle": north.vehicle.pk, "device_id": "one-more", "name": "", **NO_TOKENS}
    page = staff("admin.north").post(f"{DEVICES}add/", form, follow=True).content.decode()
    assert "as many devices as it may have" in page
    assert not Device.objects.filter(device_id="one-more").exists()


def test_a_token_is_revoked_and_its_digest_never_shown(staff: Staff, north: Side) -> None:
    client = staff("admin.north")
    token = DeviceToken.objects.get(device__vehicle=north.vehicle)
    pages = [
        client.get("/admin/vehicles/devicetoken/"),
        client.get(f"/admin/vehicles/devicetoken/{token.pk}/change/"),
        client.get(f"{DEVICES}{token.device_id}/change/"),
        select(client, "/admin/vehicles/devicetoken/", "export_csv", token),
    ]
    for page in pages:
        assert page.status_code == 200
        assert token.digest not in page.content.decode()
    guess = client.get("/admin/vehicles/devicetoken/", {"digest__startswith": token.digest[0]})
    assert guess.status_code == 400
    select(client, "/admin/vehicles/devicetoken/", "revoke", token)
    token.refresh_from_db()
    assert token.revoked_at is not None


def test_states_and_events_are_to_look_at(staff: Staff, north: Side) -> None:
    client = staff("root")
    for kind in ("vehicles/vehiclestatus", "proximity/proximityevent", "vehicles/devicetoken"):
        row = north.rows[kind]
        assert client.get(f"/admin/{kind}/{row.pk}/change/").status_code == 200
        assert client.post(f"/admin/{kind}/{row.pk}/change/", {}).status_code == 403
        assert client.post(f"/admin/{kind}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert client.get(f"/admin/{kind}/add/").status_code == 403


def test_the_selected_rows_are_exported_as_csv_without_live_formulas(staff: Staff, north: Side) -> None:
    Vehicle.objects.filter(pk=north.vehicle.pk).update(plate="=HYPERLINK(1)", driver_name='Amal, "the" driver')
    response = select(staff("admin.north"), VEHICLES, "export_csv", north.vehicle)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == 'attachment; filename="vehicle.csv"'
    (row,) = csv.DictReader(StringIO(response.content.decode()))
    assert (row["vehicle_id"], row["fleet__slug"]) == ("north-1", "north")
    assert (row["plate"], row["driver_name"]) == ("'=HYPERLINK(1)", 'Amal, "the" driver')


@pytest.mark.parametrize(
    "address",
    [
        f"{VEHICLES}?q=north&state=used",
        f"{VEHICLES}?state=disabled",
        f"{DEVICES}?q=north&revoked_at__isempty=1",
        "/admin/vehicles/devicetoken/?revoked_at__isempty=1",
        "/admin/vehicles/vehiclestatus/?status=online&q=north",
        "/admin/proximity/proximityevent/?type=enter&q=north",
        "/admin/fleets/membership/?role=viewer&q=north",
    ],
)
def test_lists_are_filtered_and_searched(staff: Staff, address: str) -> None:
    assert staff("root").get(address).status_code == 200


def test_the_admin_keeps_to_the_content_security_policy(staff: Staff) -> None:
    page = staff("root").get(VEHICLES)
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert b"<script>" not in page.content
    assert b"onclick=" not in page.content
