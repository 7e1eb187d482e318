"""Alerts and messages in the admin: found, filtered, exported, and never changed."""

import csv
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.integration.admin.conftest import Side, Staff
from tests.integration.people import NOW
from v2v.alerts import services
from v2v.alerts.models import Alert, AlertEvent
from v2v.alerts.services import Delivery, Origin, Report, alert_recipients_store
from v2v.fleets.policy import actor_of_user
from v2v.messaging.models import Message, MessageRecipient
from v2v.messaging.services import message_send

KINDS = [
    "alerts/alert",
    "alerts/alertevent",
    "alerts/alertrecipient",
    "messaging/message",
    "messaging/messagerecipient",
]


def filled(side: Side) -> dict[str, Any]:
    """An alert that was taken and told, and a message, in the side's fleet; their rows by kind."""
    vehicle, slug = side.vehicle, side.fleet.slug
    origin = Origin(
        fleet_pk=side.fleet.pk, via=Alert.Via.WS, client_id="1", vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id
    )
    report = Report(type="crash", severity="high", message=f"=crash {slug}")
    alert_id, _ = services.alert_raise(origin=origin, report=report, now=NOW)
    alert = Alert.objects.get(pk=alert_id)
    services.alert_ack(alert=alert, by=f"admin.{slug}", now=NOW)
    alert_recipients_store([Delivery(str(alert_id), (f"{slug}-2",), NOW)])
    actor = actor_of_user(User.objects.get(username=f"admin.{slug}"))
    sent = message_send(actor=actor, content=f"Hello {slug}", recipient_id=f"{slug}-1", via="api", now=NOW)
    return {
        "alerts/alert": alert,
        "alerts/alertevent": AlertEvent.objects.filter(alert=alert).last(),
        "alerts/alertrecipient": alert.recipients.get(),
        "messaging/message": sent.message,
        "messaging/messagerecipient": MessageRecipient.objects.get(message=sent.message),
    }


@pytest.fixture
def both(north: Side, south: Side) -> tuple[dict[str, Any], dict[str, Any]]:
    return filled(north), filled(south)


Both = tuple[dict[str, Any], dict[str, Any]]


def rows(page: Any) -> list[Any]:
    """The primary keys of the rows that a list shows."""
    return [row.pk for row in page.context["cl"].result_list]


@pytest.mark.parametrize("kind", KINDS)
def test_an_admin_sees_the_own_fleets_history_and_a_system_admin_all(staff: Staff, both: Both, kind: str) -> None:
    ours, theirs = both
    mine = rows(staff("admin.north").get(f"/admin/{kind}/"))
    assert ours[kind].pk in mine
    assert theirs[kind].pk not in mine
    assert {ours[kind].pk, theirs[kind].pk} <= set(rows(staff("root").get(f"/admin/{kind}/")))
    assert staff("admin.north").get(f"/admin/{kind}/{theirs[kind].pk}/change/").status_code == 302


@pytest.mark.parametrize("kind", KINDS)
def test_history_is_shown_and_nobody_changes_it(staff: Staff, both: Both, kind: str) -> None:
    row = both[0][kind]
    client = staff("root")
    page = client.get(f"/admin/{kind}/{row.pk}/change/")
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    before = type(row).objects.filter(pk=row.pk).values().get()
    assert client.post(f"/admin/{kind}/{row.pk}/change/", {"message": "changed"}).status_code == 403
    assert client.post(f"/admin/{kind}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get(f"/admin/{kind}/add/").status_code == 403
    client.post(f"/admin/{kind}/", {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert type(row).objects.filter(pk=row.pk).values().get() == before


@pytest.mark.parametrize(
    ("kind", "query", "count"),
    [
        ("alerts/alert", {"q": "=crash north"}, 1),
        ("alerts/alert", {"q": "north-1"}, 1),
        ("alerts/alert", {"q": "admin.north"}, 1),
        ("alerts/alert", {"q": "nobody"}, 0),
        ("alerts/alert", {"state__exact": "acknowledged"}, 1),
        ("alerts/alert", {"state__exact": "open"}, 0),
        ("alerts/alert", {"severity__exact": "high", "type__exact": "crash", "via__exact": "ws", "drill__exact": 0}, 1),
        ("alerts/alert", {"stored_at__year": NOW.year, "stored_at__month": NOW.month}, 1),
        ("alerts/alert", {"stored_at__year": NOW.year - 1}, 0),
        ("alerts/alertevent", {"kind__exact": "acknowledged"}, 1),
        ("alerts/alertevent", {"q": "admin.north"}, 1),
        ("alerts/alertrecipient", {"q": "north-2"}, 1),
        ("messaging/message", {"q": "hello"}, 1),
        ("messaging/message", {"q": "north-1"}, 1),
        ("messaging/message", {"via__exact": "ws"}, 0),
        ("messaging/message", {"is_broadcast__exact": 1}, 0),
        ("messaging/messagerecipient", {"status__exact": "queued"}, 1),
        ("messaging/messagerecipient", {"q": "north-1"}, 1),
    ],
)
def test_history_is_found_by_search_and_filters(
    staff: Staff, both: Both, kind: str, query: dict[str, Any], count: int
) -> None:
    page = staff("admin.north").get(f"/admin/{kind}/", query)
    assert page.status_code == 200
    assert len(rows(page)) == count


@pytest.mark.parametrize("kind", ["alerts/alert", "messaging/message"])
def test_an_alert_and_a_message_are_searched_by_their_id(staff: Staff, both: Both, kind: str) -> None:
    row = both[0][kind]
    id_ = row.message_id if isinstance(row, Message) else row.pk
    for text in (str(id_), "no id"):
        page = staff("admin.north").get(f"/admin/{kind}/", {"q": text})
        assert rows(page) == ([row.pk] if text == str(id_) else [])


def test_the_history_of_an_alert_is_searched_by_its_id(staff: Staff, both: Both) -> None:
    alert = both[0]["alerts/alert"]
    page = staff("admin.north").get("/admin/alerts/alertevent/", {"q": str(alert.pk)})
    assert len(rows(page)) == 2


def test_the_export_holds_the_own_fleet_only_and_runs_no_formula(staff: Staff, both: Both) -> None:
    ours, theirs = (side["alerts/alert"].pk for side in both)
    form = {"action": "export_csv", "_selected_action": [ours, theirs]}
    answer = staff("admin.north").post("/admin/alerts/alert/", form)
    header, *lines = csv.reader(StringIO(answer.content.decode()))
    assert [line[header.index("message")] for line in lines] == ["'=crash north"]
