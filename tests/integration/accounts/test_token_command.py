"""`manage.py token`."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.integration.people import fleet_make, vehicle_make
from v2v.vehicles.identity import vehicle_authenticate
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db


def token_command(*arguments: str) -> str:
    out = StringIO()
    call_command("token", *arguments, stdout=out)
    return out.getvalue()


def fleet_let_in(vehicle_id: str, token: str) -> str:
    who = vehicle_authenticate(vehicle_id=vehicle_id, device_id=None, token=token, now=timezone.now())
    return who.fleet_slug


def test_it_makes_the_vehicle_and_prints_a_token_that_works() -> None:
    assert fleet_let_in("truck-1", token_command("--vehicle", "truck-1", "--create").strip()) == "demo"


def test_it_puts_the_vehicle_into_the_fleet_that_is_named() -> None:
    token = token_command("--vehicle", "truck-1", "--create", "--fleet", "north").strip()
    assert fleet_let_in("truck-1", token) == "north"


def test_a_vehicle_that_is_there_needs_no_create() -> None:
    vehicle_make(fleet_make("north"))
    assert fleet_let_in("truck-1", token_command("--vehicle", "truck-1").strip()) == "north"


def test_a_missing_vehicle_is_a_sentence_that_helps() -> None:
    with pytest.raises(CommandError, match="There is no vehicle truck-1; --create makes it"):
        token_command("--vehicle", "truck-1")


def test_an_id_of_another_fleet_is_refused() -> None:
    vehicle_make(fleet_make("north"))
    with pytest.raises(CommandError, match="taken"):
        token_command("--vehicle", "truck-1", "--create", "--fleet", "south")


def test_many_tokens_go_to_a_file_that_only_its_owner_can_read(tmp_path: Path) -> None:
    file = tmp_path / "tokens.json"
    said = token_command("--count", "3", "--prefix", "load-", "--json", str(file))
    tokens = json.loads(file.read_text())
    assert said == f"3 tokens in {file}\n"
    assert list(tokens) == ["load-00001", "load-00002", "load-00003"]
    assert {fleet_let_in(vehicle_id, token) for vehicle_id, token in tokens.items()} == {"demo"}
    assert file.stat().st_mode & 0o777 == 0o600


def test_many_tokens_are_printed_without_a_file() -> None:
    assert list(json.loads(token_command("--count", "2", "--prefix", "car."))) == ["car.00001", "car.00002"]


def test_a_fleet_with_a_wrong_name_is_not_made_by_the_way() -> None:
    with pytest.raises(CommandError, match="There is no fleet nrth; --create makes it"):
        token_command("--count", "2", "--fleet", "nrth")
    assert not Vehicle.objects.exists()
