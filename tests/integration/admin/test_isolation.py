"""In the admin a fleet's admin meets his own fleet only, and other staff meet nothing."""

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import Permission, User

from tests.integration.admin.conftest import Side, Staff
from v2v.fleets.models import Membership
from v2v.vehicles.models import Device, Vehicle

KINDS = [
    "fleets/fleet",
    "fleets/membership",
    "vehicles/vehicle",
    "vehicles/device",
    "vehicles/devicetoken",
    "vehicles/vehiclestatus",
    "proximity/proximityevent",
    "geofences/geofence",
    "geofences/geofenceevent",
    "geofences/geofencepresence",
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_list_and_its_filters_hold_the_own_fleet_only(staff: Staff, kind: str) -> None:
    page = staff("admin.north").get(f"/admin/{kind}/").content.decode()
    assert "north" in page.lower()
    assert "south" not in page.lower()


@pytest.mark.parametrize("kind", KINDS)
def test_a_system_admin_sees_every_fleet(staff: Staff, kind: str) -> None:
    page = staff("root").get(f"/admin/{kind}/").content.decode().lower()
    assert "north" in page
    assert "south" in page


@pytest.mark.parametrize("page", ["change", "delete", "history"])
@pytest.mark.parametrize("kind", KINDS)
def test_another_fleets_row_does_not_exist(staff: Staff, south: Side, kind: str, page: str) -> None:
    client = staff("admin.north")
    address = f"/admin/{kind}/{south.rows[kind].pk}/{page}/"
    for response in (client.get(address), client.post(address, {"post": "yes"})):
        assert response.status_code in (302, 403)
        assert "south" not in response.content.decode().lower()
        if response.status_code == 302:
            assert response["Location"] == "/admin/"
    south.rows[kind].refresh_from_db()


@pytest.mark.parametrize("who", ["viewer.north", "dispatcher.north"])
@pytest.mark.parametrize("kind", KINDS)
def test_staff_who_are_no_fleet_admins_see_nothing(staff: Staff, north: Side, who: str, kind: str) -> None:
    client = staff(who)
    assert client.get(f"/admin/{kind}/").status_code == 403
    assert client.get(f"/admin/{kind}/{north.rows[kind].pk}/change/").status_code == 403
    assert client.get(f"/admin/{kind}/add/").status_code == 403
    assert kind not in client.get("/admin/").content.decode()


def test_who_is_no_staff_does_not_come_in(staff: Staff) -> None:
    User.objects.filter(username="admin.north").update(is_staff=False)
    response = staff("admin.north").get("/admin/vehicles/vehicle/")
    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_autocompletion_holds_the_own_fleet_only(staff: Staff) -> None:
    query = {"app_label": "vehicles", "model_name": "device", "field_name": "vehicle", "term": "-1"}
    found = staff("admin.north").get("/admin/autocomplete/", query).json()["results"]
    assert [row["text"] for row in found] == ["north-1"]
    assert staff("viewer.north").get("/admin/autocomplete/", query).status_code == 403


def test_a_device_cannot_be_put_into_another_fleets_vehicle(staff: Staff, south: Side) -> None:
    form = {"vehicle": south.vehicle.pk, "device_id": "spy", "name": ""} | _no_tokens()
    response = staff("admin.north").post("/admin/vehicles/device/add/", form)
    assert response.status_code == 200
    assert not Device.objects.filter(device_id="spy").exists()


def test_a_vehicle_cannot_be_put_into_another_fleet(staff: Staff, north: Side, south: Side) -> None:
    client = staff("admin.north")
    form = {"fleet": south.fleet.pk, "version": north.vehicle.version, "plate": "moved"}
    assert client.post(f"/admin/vehicles/vehicle/{north.vehicle.pk}/change/", form).status_code == 200
    form = {"fleet": south.fleet.pk, "version": 1, "vehicle_id": "spy-1"}
    assert client.post("/admin/vehicles/vehicle/add/", form).status_code == 200
    assert not Vehicle.objects.filter(fleet=south.fleet, plate="moved").exists()
    assert not Vehicle.objects.filter(vehicle_id="spy-1").exists()


@pytest.mark.parametrize(
    ("kind", "action"),
    [
        ("vehicles/vehicle", "disable"),
        ("vehicles/vehicle", "delete_selected"),
        ("vehicles/vehicle", "export_csv"),
        ("vehicles/device", "revoke"),
        ("vehicles/devicetoken", "revoke"),
        ("fleets/membership", "delete_selected"),
    ],
)
def test_an_action_does_not_reach_another_fleets_rows(staff: Staff, south: Side, kind: str, action: str) -> None:
    row = south.rows[kind]
    form = {"action": action, "_selected_action": [row.pk], "post": "yes", "select_across": "1"}
    before = type(row).objects.filter(pk=row.pk).values().get()  # type: ignore[attr-defined]
    response = staff("admin.north").post(f"/admin/{kind}/", form)
    assert b"south" not in response.content
    assert type(row).objects.filter(pk=row.pk).values().get() == before  # type: ignore[attr-defined]


def test_a_fleet_admin_makes_and_removes_no_fleets_and_keeps_the_slug(staff: Staff, north: Side) -> None:
    client = staff("admin.north")
    assert client.get("/admin/fleets/fleet/add/").status_code == 403
    assert client.post(f"/admin/fleets/fleet/{north.fleet.pk}/delete/", {"post": "yes"}).status_code == 403
    form = {"slug": "changed", "name": "Northern trucks", "time_zone": "Asia/Dubai"}
    client.post(f"/admin/fleets/fleet/{north.fleet.pk}/change/", form)
    north.fleet.refresh_from_db()
    assert (north.fleet.slug, north.fleet.name) == ("north", "Northern trucks")


def test_a_fleet_admin_adds_a_member_by_name_to_the_own_fleet_only(staff: Staff, north: Side, south: Side) -> None:
    client = staff("admin.north")
    page = client.get("/admin/fleets/membership/add/").content.decode()
    assert "viewer.south" not in page
    client.post(
        "/admin/fleets/membership/add/", {"user": "viewer.south", "fleet": south.fleet.pk, "role": "fleet_admin"}
    )
    client.post("/admin/fleets/membership/add/", {"user": "viewer.south", "fleet": north.fleet.pk, "role": "viewer"})
    roles = Membership.objects.filter(user__username="viewer.south").values_list("fleet__slug", "role")
    assert sorted(roles) == [("north", "viewer"), ("south", "viewer")]


def test_only_a_system_admin_sees_users(staff: Staff) -> None:
    User.objects.get(username="admin.north").user_permissions.set(Permission.objects.filter(content_type__model="user"))
    client = staff("admin.north")
    for page in ("", "add/", f"{User.objects.get(username='viewer.south').pk}/change/"):
        assert client.get(f"/admin/auth/user/{page}").status_code == 403
    assert client.get("/admin/auth/group/").status_code == 404
    root = staff("root")
    assert b"viewer.south" in root.get("/admin/auth/user/").content
    assert root.get("/admin/auth/user/add/").status_code == 200
    assert root.get(f"/admin/auth/user/{User.objects.get(username='root').pk}/change/").status_code == 200


def _no_tokens() -> dict[str, int]:
    return {"tokens-TOTAL_FORMS": 0, "tokens-INITIAL_FORMS": 0}


def test_no_list_of_any_kind_names_another_fleet(staff: Staff, south: Side) -> None:
    client = staff("admin.north")
    read = 0
    for model in site._registry:
        page = client.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
        assert "south" not in page.content.decode().lower(), model
        read += page.status_code == 200
    assert read > len(KINDS)
