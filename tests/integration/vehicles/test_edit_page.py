"""The page on which a fleet admin edits a vehicle, as HTTP gives it."""

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.fleets.models import Fleet, Role
from v2v.vehicles import services
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
PAGE = "/vehicles/truck-1/edit/"
HOSTILE = '"><script>alert(1)</script>'


@pytest.fixture
def fleet() -> Fleet:
    return fleet_make("north")


@pytest.fixture
def truck(fleet: Fleet) -> Vehicle:
    return vehicle_make(fleet, plate="D 1", color="red", make="Volvo")


@pytest.fixture
def admin(fleet: Fleet, truck: Vehicle) -> User:
    return user_make("ann", fleet=fleet, role=Role.FLEET_ADMIN)


@pytest.fixture
def editor(client: Client, admin: User) -> Client:
    client.force_login(admin)
    return client


def fields(html: str) -> dict[str, str]:
    """What the browser would send from the page; of two radio buttons the checked one."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", html):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if "name" in attributes and (attributes.get("type") != "radio" or " checked" in tag):
            found[attributes["name"]] = attributes.get("value", "")
    return found


def shown(client: Client) -> dict[str, str]:
    return fields(client.get(PAGE).content.decode())


def test_a_change_is_stored_with_who_made_it_and_leads_back_to_the_vehicle(editor: Client) -> None:
    answer = editor.post(PAGE, shown(editor) | {"plate": "D 2"})
    assert (answer.status_code, answer["Location"]) == (302, "/?vehicle=truck-1")
    truck = Vehicle.objects.get()
    assert (truck.plate, truck.color, truck.version, truck.updated_by) == ("D 2", "red", 2, "ann")


def test_two_changes_at_once_give_a_choice_that_keeps_both(editor: Client, truck: Vehicle) -> None:
    begun = shown(editor)
    services.vehicle_update(vehicle=truck, version=1, now=NOW, by="bob", plate="D 8", make="Scania")
    answer = editor.post(PAGE, begun | {"plate": "D 2", "color": "blue"})
    assert answer.status_code == 409
    html = answer.content.decode()
    assert "<bdi>bob</bdi>" in html
    assert "You began at version 1, it is at version 2" in html
    assert re.findall(r'data-field="(\w+)"', html) == ["plate", "make", "color"]
    assert html.count("changed by both") == 1
    offered = fields(html)  # mine where I have touched it, theirs where I have not
    assert (offered["plate"], offered["make"], offered["color"]) == ("D 2", "Scania", "blue")
    assert editor.post(PAGE, offered | {"plate": "D 8"}).status_code == 302
    truck.refresh_from_db()
    assert (truck.plate, truck.make, truck.color, truck.version) == ("D 8", "Scania", "blue", 3)


def test_a_third_change_during_the_choice_is_offered_again(editor: Client, truck: Vehicle) -> None:
    begun = shown(editor)
    services.vehicle_update(vehicle=truck, version=1, now=NOW, by="bob", plate="D 8")
    offered = fields(editor.post(PAGE, begun | {"plate": "D 2"}).content.decode())
    services.vehicle_describe(vehicle_pk=truck.pk, driver_name="Amal", info=None, now=NOW)
    answer = editor.post(PAGE, offered)
    assert answer.status_code == 409
    assert "The vehicle itself" in answer.content.decode()
    assert editor.post(PAGE, fields(answer.content.decode())).status_code == 302
    truck.refresh_from_db()
    assert (truck.plate, truck.driver_name) == ("D 2", "Amal")


def test_who_wrote_the_same_is_told_that_it_stands(editor: Client, truck: Vehicle) -> None:
    begun = shown(editor)
    services.vehicle_update(vehicle=truck, version=1, now=NOW, by="bob", plate="D 2")
    html = editor.post(PAGE, begun | {"plate": "D 2"}).content.decode()
    assert "stands there already" in html
    assert "Save what is chosen" not in html


def test_what_is_wrong_is_said_at_its_field_and_nothing_is_stored(editor: Client, truck: Vehicle) -> None:
    answer = editor.post(PAGE, shown(editor) | {"plate": "D" * 65})
    assert answer.status_code == 422
    assert "id_plate_error" in answer.content.decode()
    assert editor.post(PAGE, {"plate": "D 2"}).status_code == 422  # without a version
    truck.refresh_from_db()
    assert truck.version == 1


def test_names_are_never_markup(editor: Client, truck: Vehicle) -> None:
    begun = shown(editor)
    services.vehicle_update(vehicle=truck, version=1, now=NOW, by=HOSTILE, plate=HOSTILE)
    assert "<script>alert" not in editor.post(PAGE, begun | {"plate": "D 2"}).content.decode()


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.DISPATCHER, 403), (Role.FLEET_ADMIN, 200)])
def test_only_fleet_admins_edit(client: Client, fleet: Fleet, truck: Vehicle, role: Role, status: int) -> None:
    client.force_login(user_make("cay", fleet=fleet, role=role))
    assert client.get(PAGE).status_code == status
    assert client.post(PAGE, {"version": 1}).status_code == (403 if status == 403 else 302)


def test_another_fleets_vehicle_does_not_exist(client: Client, truck: Vehicle) -> None:
    client.force_login(user_make("dan", fleet=fleet_make("south"), role=Role.FLEET_ADMIN))
    assert client.get(PAGE).status_code == 404
    assert client.post(PAGE, {"version": 1, "plate": "X"}).status_code == 404
    truck.refresh_from_db()
    assert truck.plate == "D 1"


def test_without_a_session_one_signs_in_first(client: Client, truck: Vehicle) -> None:
    assert client.get(PAGE)["Location"] == f"/login/?next={PAGE}"
