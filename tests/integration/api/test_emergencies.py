"""Alerts over REST."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.integration.api.conftest import ApiClient, ClientOf, World, problem_of
from v2v.alerts import services
from v2v.alerts.models import Alert, AlertEvent
from v2v.alerts.services import Delivery, Origin, Report, alert_recipients_store
from v2v.vehicles.models import Vehicle


def raised(vehicle: Vehicle, client_id: str = "1", *, ago_s: float = 0, **report: Any) -> Alert:
    origin = Origin(
        fleet_pk=vehicle.fleet_id,
        via=Alert.Via.WS,
        client_id=client_id,
        vehicle_pk=vehicle.pk,
        vehicle_id=vehicle.vehicle_id,
    )
    now = timezone.now() - timedelta(seconds=ago_s)
    alert_id, _ = services.alert_raise(origin=origin, report=Report(**report), now=now)
    return Alert.objects.get(pk=alert_id)


def ids(client: ApiClient, **query: Any) -> list[str]:
    return [row["alertId"] for row in client.get("emergencies", **query)["results"]]


def test_one_sees_those_of_ones_own_fleets_by_every_filter(client_of: ClientOf, world: World) -> None:
    crash = raised(world.truck_1, type="crash", severity="high", message="Two trucks", ago_s=3)
    drill = raised(world.truck_2, drill=True, ago_s=2)
    south = raised(world.van_1, ago_s=1)
    services.alert_ack(alert=crash, by="amina", now=timezone.now())
    one, two, three = (str(alert.pk) for alert in (crash, drill, south))
    north, root = client_of("viewer@north"), client_of("root")
    assert ids(north) == [two, one]
    assert ids(root) == [three, two, one]
    assert ids(root, ordering="storedAt") == [one, two, three]
    bound = int(drill.stored_at.timestamp() * 1000)
    for query, expected in (
        ({"state": "acknowledged"}, [one]),
        ({"state": ["acknowledged", "open"]}, [three, two, one]),
        ({"severity": "high"}, [one]),
        ({"type": "crash"}, [one]),
        ({"drill": "true"}, [two]),
        ({"fleet": "south"}, [three]),
        ({"vehicleId": "truck-1"}, [one]),
        ({"search": "two tr"}, [one]),
        ({"until": bound}, [one]),
        ({"since": bound + 1}, [three]),
    ):
        assert ids(root, **query) == expected, query
    problem_of(north("GET", f"emergencies/{three}"), 404, "not_found")
    problem_of(north("GET", "emergencies", state="gone"), 400, "validation_error")


def test_one_alert_has_its_recipients_and_its_history(client_of: ClientOf, world: World) -> None:
    alert = raised(world.truck_1)
    alert_recipients_store([Delivery(str(alert.pk), ("truck-2",), timezone.now())] * 2)
    services.alert_ack(alert=alert, by="amina", now=timezone.now())
    row = client_of("viewer@north").get(f"emergencies/{alert.pk}")
    assert (row["recipientCount"], row["recipients"][0]["vehicleId"]) == (1, "truck-2")
    assert [(entry["kind"], entry["by"]) for entry in row["history"]] == [
        ("raised", "truck-1"),
        ("acknowledged", "amina"),
    ]


def test_a_dispatcher_raises_one_for_a_vehicle_once_a_key(client_of: ClientOf, world: World) -> None:
    desk = client_of("dispatcher@north")
    body = {"vehicleId": "truck-1", "type": "medical", "lat": 25.0, "lng": 55.0}
    first, second = (_post(desk, "emergencies", body, key="k") for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["alertId"] == second.json()["alertId"]
    assert (first.json()["via"], first.json()["senderId"], first.json()["causeCode"]) == ("api", "truck-1", 93)
    own = _post(client_of("truck-1"), "emergencies", {}, key="k")  # the vehicle's own ids are another matter
    assert own.status_code == 201
    assert own.json()["alertId"] != first.json()["alertId"]


def test_who_may_raise_what(client_of: ClientOf, world: World) -> None:
    problem_of(client_of("viewer@north")("POST", "emergencies", {"fleet": "north"}), 403, "forbidden")
    problem_of(client_of("dispatcher@north")("POST", "emergencies", {"fleet": "south"}), 404, "not_found")
    problem_of(client_of("dispatcher@north")("POST", "emergencies", {}), 400, "validation_error")
    truck = client_of("truck-1")
    problem_of(truck("POST", "emergencies", {"vehicleId": "truck-2"}), 403, "forbidden")
    problem_of(truck("GET", "emergencies"), 403, "forbidden")
    assert truck("POST", "emergencies", {}).status_code == 201
    details = problem_of(truck("POST", "emergencies", {}), 429, "rate_limited")["details"]
    assert 0 < details["retryAfterMs"] <= 10_000
    assert client_of("dispatcher@north")("POST", "emergencies", {"fleet": "north"}).status_code == 201


def test_it_is_worked_to_its_end(client_of: ClientOf, world: World) -> None:
    alert = raised(world.truck_1)
    path, desk = f"emergencies/{alert.pk}", client_of("dispatcher@north")
    assert _post(desk, f"{path}/ack", {}).json()["state"] == "acknowledged"
    details = problem_of(client_of("fleet_admin@north")("POST", f"{path}/ack"), 409, "conflict")["details"]
    assert details["by"] == "dispatcher@north"
    assert _post(desk, f"{path}/assign", {"assignee": "unit 3"}).json()["assignedTo"] == "unit 3"
    for _ in range(2):
        noted = _post(desk, f"{path}/note", {"note": "police informed"}, key="n")
    assert [entry["note"] for entry in noted.json()["history"] if entry["kind"] == "noted"] == ["police informed"]
    problem_of(desk("POST", f"{path}/resolve", {"disposition": "false"}), 400, "validation_error")
    done = _post(desk, f"{path}/resolve", {"disposition": "false", "note": "a child"}).json()
    assert (done["state"], done["disposition"], done["closedBy"]) == ("resolved", "false", "dispatcher@north")
    problem_of(desk("POST", f"{path}/negate", {}), 409, "conflict")


@pytest.mark.parametrize("deed", ["ack", "assign", "note", "resolve", "negate"])
def test_a_viewer_may_only_look(client_of: ClientOf, world: World, deed: str) -> None:
    alert = raised(world.truck_1)
    problem_of(client_of("viewer@north")("POST", f"emergencies/{alert.pk}/{deed}", {}), 403, "forbidden")
    problem_of(client_of("fleet_admin@south")("POST", f"emergencies/{alert.pk}/{deed}", {}), 404, "not_found")
    problem_of(client_of("root")("POST", f"emergencies/{uuid.uuid4()}/{deed}", {}), 404, "not_found")


def test_answer_times_are_held_against_the_marks_without_drills(client_of: ClientOf, world: World) -> None:
    for number, seconds in enumerate((10, 20, 70, 200)):
        alert = raised(world.truck_1, str(number), ago_s=1000)
        services.alert_ack(alert=alert, by="amina", now=alert.stored_at + timedelta(seconds=seconds))
    raised(world.truck_1, "waits", ago_s=80)  # past the first mark, not past the second
    raised(world.truck_1, "drill", ago_s=900, drill=True)
    figures = client_of("viewer@north").get("emergencies/answer-times")
    assert (figures["count"], figures["answered"], figures["medianS"], figures["p95S"]) == (5, 4, 45, 200)
    assert [(mark["withinS"], mark["share"], mark["isMet"]) for mark in figures["marks"]] == [
        (64, 0.4, False),
        (106, 0.75, False),
    ]
    assert client_of("viewer@south").get("emergencies/answer-times")["marks"][0]["share"] is None


def test_the_history_is_only_added_to(world: World) -> None:
    event = AlertEvent.objects.get(alert=raised(world.truck_1))
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()


def _post(client: ApiClient, path: str, body: dict[str, Any], *, key: str = "") -> Any:
    client._headers = {**client._headers, **({"Idempotency-Key": key} if key else {})}
    return client("POST", path, body)
