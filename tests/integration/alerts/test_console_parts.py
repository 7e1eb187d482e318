"""The parts of the console about alerts, as HTTP gives and takes them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.integration.people import fleet_make, user_make, vehicle_make
from v2v.alerts import services
from v2v.alerts.models import Alert
from v2v.alerts.services import Origin, Report
from v2v.alerts.telling import alert_part
from v2v.fleets.models import Fleet, Role
from v2v.protocol.epoch import epoch_ms

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


@pytest.fixture
def fleet() -> Fleet:
    return fleet_make("north")


@pytest.fixture
def ann(client: Client, fleet: Fleet) -> Client:
    client.force_login(user_make("ann", fleet=fleet, role=Role.DISPATCHER))
    return client


def raised(fleet: Fleet, vehicle_id: str = "truck-1", **report: Any) -> Alert:
    vehicle = vehicle_make(fleet, vehicle_id)
    origin = Origin(
        fleet_pk=fleet.pk, via=Alert.Via.WS, client_id="1", vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id
    )
    alert_id, _ = services.alert_raise(origin=origin, report=Report(**report), now=timezone.now())
    return Alert.objects.select_related("fleet", "sender", "raised_by").get(pk=alert_id)


def rows(client: Client, query: str = "") -> list[str]:
    html = client.get(f"/alerts/rows/?{query}", headers=PART).content.decode()
    return re.findall(r'data-alert-id="([^"]+)"', html)


def act(client: Client, alert: Alert, deed: str, **said: str) -> str:
    answer = client.post(f"/alerts/{alert.pk}/{deed}/", said, headers=PART)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_list_holds_only_the_fleets_of_its_viewer(ann: Client, fleet: Fleet) -> None:
    mine = raised(fleet)
    theirs = raised(fleet_make("south"), "theirs-1")
    assert rows(ann) == [str(mine.pk)]
    for address in (f"/drawer/?alert={theirs.pk}", "/drawer/?alert=no-uuid", "/drawer/?alert=%00"):
        assert ann.get(address, headers=PART).status_code == 404
    assert str(theirs.pk) not in ann.get(f"/?alert={theirs.pk}").content.decode()


@pytest.mark.parametrize("query", ["alerts=none", "severity=worst", "type=%00", "alerts=%00&type=" + "x" * 500])
def test_a_filter_that_is_not_valid_counts_as_none(ann: Client, fleet: Fleet, query: str) -> None:
    alert = raised(fleet)
    assert rows(ann, query) == [str(alert.pk)]


def test_a_long_list_is_cut_and_says_so(ann: Client, fleet: Fleet, django_assert_max_num_queries: Any) -> None:
    vehicle = vehicle_make(fleet)
    for number in range(102):
        origin = Origin(
            fleet_pk=fleet.pk, via=Alert.Via.WS, client_id=str(number), vehicle_pk=vehicle.pk, vehicle_id="truck-1"
        )
        services.alert_raise(origin=origin, report=Report(), now=timezone.now() + timedelta(seconds=number))
    with django_assert_max_num_queries(7):
        html = ann.get("/alerts/rows/", headers=PART).content.decode()
    assert len(re.findall("data-alert-id", html)) == 100
    assert "Older ones are in the history" in html


def test_who_was_faster_is_told(ann: Client, fleet: Fleet) -> None:
    alert = raised(fleet)
    services.alert_ack(alert=alert, by="omar", now=timezone.now())
    html = act(ann, alert, "acknowledge")
    assert re.search(r'role="alert">omar was faster: this alert is acknowledged since \d\d:\d\d:\d\d\.<', html)
    html = act(ann, alert, "assign", assignee="ann", replaces="")
    alert.refresh_from_db()
    assert (alert.state, alert.assigned_to) == ("assigned", "ann")
    assert "ann was faster" in act(ann, alert, "assign", assignee="Ambulance 3", replaces="")


def test_a_false_alarm_needs_a_note_and_keeps_what_was_said(ann: Client, fleet: Fleet) -> None:
    alert = raised(fleet)
    html = act(ann, alert, "resolve", disposition="false", note="  ")
    assert "needs a note" in html
    assert re.search(r'value="false" checked', html)
    assert "field-error" in act(ann, alert, "resolve", disposition="sideways", note="x")
    assert "field-error" in act(ann, alert, "note", note="x" * 513)
    assert "field-error" in act(ann, alert, "assign", assignee="a\x07b")
    alert.refresh_from_db()
    assert alert.state == "open"


def test_the_same_form_twice_is_one_note(ann: Client, fleet: Fleet) -> None:
    alert = raised(fleet)
    for _ in range(2):
        act(ann, alert, "note", note="Police informed", client_id="key-1")
    assert alert.history.filter(kind="noted").count() == 1


def test_a_viewer_may_look_and_not_act(client: Client, fleet: Fleet) -> None:
    alert = raised(fleet)
    client.force_login(user_make("vic", fleet=fleet))
    html = client.get(f"/drawer/?alert={alert.pk}", headers=PART).content.decode()
    assert "You may look at this alert" in html
    assert "<form" not in html
    for deed in ("acknowledge", "assign", "note", "resolve", "negate"):
        answer = client.post(f"/alerts/{alert.pk}/{deed}/", {"note": "x", "assignee": "x"}, headers=PART)
        assert answer.status_code == 403
    assert alert.history.count() == 1


def test_an_alert_of_others_cannot_be_worked(ann: Client) -> None:
    theirs = raised(fleet_make("south"), "theirs-1")
    assert ann.post(f"/alerts/{theirs.pk}/acknowledge/", headers=PART).status_code == 404


def test_a_browser_without_scripts_is_led_back_to_the_alert(ann: Client, fleet: Fleet) -> None:
    alert = raised(fleet)
    answer = ann.post(f"/alerts/{alert.pk}/resolve/", {"disposition": "false"}, follow=True)
    assert answer.redirect_chain[-1][0] == f"/?tab=alerts&alert={alert.pk}"
    assert "A false alert needs a note" in answer.content.decode()


def test_without_a_session_nothing_is_done(client: Client, fleet: Fleet) -> None:
    alert = raised(fleet)
    assert client.post(f"/alerts/{alert.pk}/acknowledge/", headers=PART)["HX-Redirect"].startswith("/login/")
    assert client.post(f"/alerts/{alert.pk}/acknowledge/")["Location"].startswith("/login/")
    alert.refresh_from_db()
    assert alert.state == "open"


def test_a_form_of_another_site_is_refused(ann: Client, fleet: Fleet) -> None:
    alert = raised(fleet)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = ann.cookies
    assert strict.post(f"/alerts/{alert.pk}/acknowledge/").status_code == 403


def test_hostile_words_are_escaped_everywhere(ann: Client, fleet: Fleet) -> None:
    alert = raised(fleet, message=HOSTILE)
    act(ann, alert, "note", note=HOSTILE)
    act(ann, alert, "assign", assignee=HOSTILE[:30])
    for address in (f"/?tab=alerts&alert={alert.pk}", "/alerts/rows/", f"/drawer/?alert={alert.pk}"):
        assert "<script>alert" not in ann.get(address, headers=PART).content.decode()


def test_an_old_position_is_called_old(ann: Client, fleet: Fleet) -> None:
    alert = raised(fleet, lat=25.0, lng=55.0, fix_at=timezone.now() - timedelta(minutes=11))
    html = ann.get(f"/drawer/?alert={alert.pk}", headers=PART).content.decode()
    assert '<strong class="stale">Old: reported' in html
    fresh = raised(fleet, "truck-2", lat=25.0, lng=55.0)
    html = ann.get(f"/drawer/?alert={fresh.pk}", headers=PART).content.decode()
    assert '<strong class="stale" hidden>' in html


def test_it_waits_since_it_was_stored_and_anew_since_it_got_worse(fleet: Fleet) -> None:
    alert, now = raised(fleet, severity="low"), timezone.now()
    assert alert_part(alert, now=now).waiting_since == epoch_ms(alert.stored_at)
    services.alert_ack(alert=alert, by="omar", now=now)
    alert.refresh_from_db()
    assert alert_part(alert, now=now).waiting_since is None
    later = now + timedelta(minutes=5)
    services.alert_update(alert=alert, by="truck-1", report=Report(severity="high"), client_id="w", now=later)
    alert.refresh_from_db()
    assert alert_part(alert, now=later).waiting_since == epoch_ms(later)
