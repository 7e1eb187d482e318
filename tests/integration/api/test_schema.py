"""The OpenAPI description is complete, and the API is as it describes."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from radio.models import RadioBridge, RadioNode
from tests.integration.api.conftest import World
from tests.integration.people import NOW, device_of, token_for
from v2v.alerts.models import Alert
from v2v.alerts.services import Origin, Report, alert_raise
from v2v.calls.models import CallSession
from v2v.fleets.policy import actor_of_vehicle
from v2v.geofences.services import geofence_create
from v2v.messaging.services import message_send

schema = schemathesis.openapi.from_wsgi("/api/v1/schema", get_wsgi_application())
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def test_the_schema_is_made_without_a_warning(tmp_path: Any) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "openapi.yaml"))


def test_the_schema_and_its_page_are_served_without_inline_script_or_style() -> None:
    assert Client().get("/api/v1/schema").status_code == 200
    page = Client().get("/api/v1/docs")
    assert page.status_code == 200
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert b"<style" not in page.content
    assert b"<script>" not in page.content
    script = Client().get("/api/v1/docs?script=")
    assert script["Content-Type"] == "application/javascript"
    assert b"SwaggerUIBundle" in script.content


def test_every_operation_says_who_may_ask_and_how_it_fails() -> None:
    for methods in schema.raw_schema["paths"].values():
        for operation in methods.values():
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            assert operation["summary"]
            assert {"bearer": []} in operation["security"]


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """Requests leave the test's connection open, as with Django's own test client: its transaction is to be undone."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def signed_in(world: World) -> dict[str, Any]:
    """What goes with a request of the north's admin in a browser."""
    client = Client()
    client.force_login(User.objects.get(username="fleet_admin@north"))
    csrf = "x" * 32
    cookies = {"sessionid": client.cookies["sessionid"].value, "csrftoken": csrf}
    return {"cookies": cookies, "headers": {"X-CSRFToken": csrf}}


@pytest.fixture
def there(world: World) -> dict[str, Any]:
    """Path parameters of what is there."""
    bridge = RadioBridge.objects.create(name="radio", link="frame", port="loop://", state_at=NOW, seen_at=NOW)
    node = RadioNode.objects.create(bridge=bridge, address=17, vehicle=world.truck_1, heard_at=NOW, created_at=NOW)
    origin = Origin(fleet_pk=world.north.pk, via=Alert.Via.WS, client_id="1", vehicle_pk=world.truck_1.pk)
    alert_id, _ = alert_raise(origin=origin, report=Report(), now=NOW)
    call = CallSession.objects.create(
        fleet=world.north,
        caller_vehicle=world.truck_1,
        caller_device="default",
        media="audio",
        state="ringing",
        started_at=NOW,
        ring_until=NOW,
        caller_seen_at=NOW,
    )
    truck = actor_of_vehicle(vehicle_pk=world.truck_1.pk, vehicle_id="truck-1", fleet_pk=world.north.pk)
    sent = message_send(actor=truck, content="hello", recipient_id="dispatch", via="ws", now=timezone.now())
    geometry = {"type": "Point", "coordinates": [55.0, 25.0]}
    geofence = geofence_create(
        fleet=world.north, by="amina", now=NOW, name="Depot", kind="circle", geometry=geometry, radius_m=500.0
    )
    return {
        "geofenceId": geofence.pk,
        "vehicleId": "truck-1",
        "id": device_of(world.truck_1).pk,
        "alertId": str(alert_id),
        "callId": str(call.pk),
        "messageId": str(sent.message.message_id),
        "nodeId": str(node.pk),
    }


@schema.parametrize()
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_that_a_browser_sends_finds_an_error_or_an_answer_that_is_not_described(
    case: Any, signed_in: dict[str, Any], there: dict[str, Any]
) -> None:
    case.call_and_validate(checks=CHECKS, **signed_in)
    if case.path_parameters:
        case.path_parameters = {name: there[name] for name in case.path_parameters}
        case.call_and_validate(checks=CHECKS, **signed_in)


@schema.include(method="GET").parametrize()
@settings(max_examples=2, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_that_a_vehicle_sends_finds_an_error_or_an_answer_that_is_not_described(
    case: Any, world: World
) -> None:
    case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token_for(world.truck_1)}"})
