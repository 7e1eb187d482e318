"""What `make run` prepares, at the first start and at the next ones."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.test import RequestFactory

from tests.integration.people import NOW, fleet_make
from v2v.fleets.models import Fleet
from v2v.fleets.policy import Action, actor_of_user, fleets_where
from v2v.vehicles import services
from v2v.vehicles.demo import Demo, demo_prepare
from v2v.vehicles.identity import AuthRefusal, vehicle_authenticate
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def directory(settings: Any, tmp_path: Path) -> Path:
    settings.VAR_DIR = tmp_path
    return tmp_path


def prepare(vehicles: int = 3) -> Demo:
    return demo_prepare(vehicles=vehicles, now=NOW)


def tokens_of(demo: Demo) -> dict[str, str]:
    tokens: dict[str, str] = json.loads(demo.tokens_file.read_text())
    return tokens


def test_the_first_start_makes_a_fleet_its_people_and_trucks_that_are_let_in(directory: Path) -> None:
    demo = prepare()
    fleet = Fleet.objects.get()
    assert (fleet.slug, fleet.name, fleet.time_zone) == ("demo", "Dubai Logistics", "Asia/Dubai")
    assert demo.logins.keys() == {"dispatcher", "admin"}
    for name, password in demo.logins.items():
        assert authenticate(RequestFactory().post("/"), username=name, password=password)
    dispatcher, admin = User.objects.get(username="dispatcher"), User.objects.get(username="admin")
    assert fleets_where(actor_of_user(dispatcher), Action.DISPATCH) == frozenset({fleet.pk})
    assert fleets_where(actor_of_user(dispatcher), Action.EDIT) == frozenset()
    assert (dispatcher.is_staff, admin.is_staff, admin.is_superuser) == (False, True, True)
    tokens = tokens_of(demo)
    assert list(tokens) == ["truck-001", "truck-002", "truck-003"]
    for vehicle_id, token in tokens.items():
        assert vehicle_authenticate(vehicle_id=vehicle_id, device_id=None, token=token, now=NOW).fleet_pk == fleet.pk
    assert {file.stat().st_mode & 0o777 for file in directory.iterdir()} == {0o600}


def test_the_next_start_keeps_the_passwords_and_renews_the_tokens() -> None:
    first = prepare()
    old = tokens_of(first)["truck-001"]
    second = demo_prepare(vehicles=4, now=NOW + timedelta(days=1))
    assert second.logins == first.logins
    assert (Vehicle.objects.count(), second.vehicles) == (4, 4)
    with pytest.raises(AuthRefusal):
        vehicle_authenticate(vehicle_id="truck-001", device_id=None, token=old, now=NOW)


def test_a_password_that_somebody_changed_is_neither_told_nor_set_back() -> None:
    prepare()
    admin = User.objects.get(username="admin")
    admin.set_password("my own password")
    admin.save()
    assert prepare().logins.keys() == {"dispatcher"}
    assert authenticate(RequestFactory().post("/"), username="admin", password="my own password")


def test_a_truck_that_was_deleted_or_given_away_stays_away() -> None:
    prepare()
    services.vehicle_delete(vehicle=Vehicle.objects.get(vehicle_id="truck-001"), now=NOW)
    other = Vehicle.objects.get(vehicle_id="truck-002")
    services.vehicle_update(vehicle=other, version=1, now=NOW, fleet=fleet_make("north"))
    demo = prepare()
    assert list(tokens_of(demo)) == ["truck-003"]
    assert demo.vehicles == 1


def test_a_demo_without_trucks_is_a_demo() -> None:
    assert tokens_of(prepare(0)) == {}
