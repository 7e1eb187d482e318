"""Calls in the admin."""

import pytest
from django.test import Client

from tests.integration.calls.test_services import North, begin, north
from tests.integration.people import fleet_make, user_make, vehicle_make
from v2v.calls.models import CallEvent, CallSession
from v2v.fleets.models import Role

__all__ = ["north"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(north: North) -> Client:
    client = Client()
    client.force_login(user_make("ada", fleet=north.fleet, role=Role.FLEET_ADMIN, is_staff=True))
    return client


@pytest.fixture
def theirs() -> CallSession:
    """A call of another fleet."""
    other = North.__new__(North)
    other.fleet = fleet_make("south")
    other.trucks = [vehicle_make(other.fleet, "van-1")]
    return begin(other.truck(0), "dispatch")


def test_an_admin_looks_at_calls_closes_them_and_changes_nothing_else(
    admin: Client, north: North, theirs: CallSession
) -> None:
    call = begin(north.truck(1), "dispatch")
    for address in ("/admin/calls/callsession/", "/admin/calls/callsession/?q=truck-1", "/admin/calls/callevent/"):
        page = admin.get(address)
        assert page.status_code == 200
        assert b"truck-1" in page.content
        assert b"van-1" not in page.content
    chosen = {"action": "close_calls", "_selected_action": [str(call.pk), str(theirs.pk)]}
    assert b"1 calls closed" in admin.post("/admin/calls/callsession/", chosen, follow=True).content
    call.refresh_from_db()
    theirs.refresh_from_db()
    assert (call.end_reason, call.ended_by, theirs.is_live) == ("closed", "ada", True)
    event = CallEvent.objects.filter(call=call)[0]
    for address in (f"callsession/{call.pk}", f"callevent/{event.pk}"):
        assert admin.get(f"/admin/calls/{address}/change/").status_code == 200
        assert admin.post(f"/admin/calls/{address}/change/", {}).status_code == 403
        assert admin.post(f"/admin/calls/{address}/delete/", {}).status_code == 403


def test_the_export_has_the_calls_of_the_fleet(admin: Client, north: North, theirs: CallSession) -> None:
    call = begin(north.truck(1), "truck-2")
    chosen = {"action": "export_csv", "_selected_action": [str(call.pk), str(theirs.pk)]}
    lines = admin.post("/admin/calls/callsession/", chosen).content.decode().splitlines()
    assert len(lines) == 2
    assert f"{call.pk},north,truck-1" in lines[1]
