"""Alerts in the database: once whatever comes, one winner, told again in time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from tests.integration.people import NOW, fleet_make, vehicle_make
from v2v.alerts import selectors, services
from v2v.alerts.models import Alert, AlertEvent
from v2v.alerts.services import Origin, Report
from v2v.protocol.decode import Refusal
from v2v.vehicles.live import Position
from v2v.vehicles.models import Vehicle, VehicleStatus

WAIT = timedelta(seconds=30)


def origin_of(vehicle: Vehicle, client_id: str = "1") -> Origin:
    return Origin(
        fleet_pk=vehicle.fleet_id,
        via=Alert.Via.WS,
        client_id=client_id,
        vehicle_pk=vehicle.pk,
        vehicle_id=vehicle.vehicle_id,
    )


def raised(vehicle: Vehicle, client_id: str = "1", **report: Any) -> Alert:
    alert_id, _ = services.alert_raise(origin=origin_of(vehicle, client_id), report=Report(**report), now=NOW)
    return Alert.objects.get(pk=alert_id)


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Do it on so many threads at the same moment; what each gave, refusals too."""
    barrier = Barrier(count)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return work(number)
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(one, range(count)))


def raise_with(origin: Origin, number: int) -> Any:
    return services.alert_raise(origin=origin, report=Report(message=str(number)), now=NOW)


def ack_as(alert: Alert, number: int) -> Alert:
    return services.alert_ack(alert=alert, by=f"desk-{number}", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_the_same_id_at_once_is_one_alert() -> None:
    vehicle = vehicle_make(fleet_make())
    for number in range(10):
        origin = origin_of(vehicle, str(number))
        answers = together(4, partial(raise_with, origin))
        assert len({alert_id for alert_id, _ in answers}) == 1
        assert [is_new for _, is_new in answers].count(True) == 1
    assert Alert.objects.count() == AlertEvent.objects.count() == 10


@pytest.mark.django_db(transaction=True)
def test_of_many_dispatchers_at_once_one_wins_and_the_others_are_told_who() -> None:
    vehicle = vehicle_make(fleet_make())
    for number in range(20):
        alert = raised(vehicle, str(number))
        answers = together(4, partial(ack_as, alert))
        (won,) = [answer for answer in answers if isinstance(answer, Alert)]
        for refusal in answers:
            if isinstance(refusal, Refusal):
                assert refusal.code == "conflict"
                assert refusal.details is not None
                assert refusal.details["by"] == won.acked_by
        assert AlertEvent.objects.filter(alert=alert, kind="acknowledged").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_schedulers_at_once_one_escalates() -> None:
    alert = raised(vehicle_make(fleet_make()))
    together(4, lambda _: services.alerts_escalate(now=NOW + WAIT))
    alert.refresh_from_db()
    assert alert.escalation_level == 1
    assert AlertEvent.objects.filter(kind="escalated").count() == 1


@pytest.mark.django_db
def test_what_nobody_takes_is_escalated_when_due_and_listeners_hear_of_no_drill() -> None:
    vehicle = vehicle_make(fleet_make())
    real, drill = raised(vehicle), raised(vehicle, "2", drill=True)
    taken = services.alert_ack(alert=raised(vehicle, "3"), by="amina", now=NOW)
    heard: list[Any] = []
    services.escalation_listeners.append(lambda alert: heard.append((alert.pk, alert.escalation_level)))
    try:
        assert not services.alerts_escalate(now=NOW + WAIT - timedelta(seconds=1))
        assert services.alerts_escalate(now=NOW + WAIT)
        assert not services.alerts_escalate(now=NOW + WAIT)
        assert services.alerts_escalate(now=NOW + 2 * WAIT)
    finally:
        services.escalation_listeners.pop()
    assert heard == [(real.pk, 1), (real.pk, 2)]
    levels = dict(Alert.objects.values_list("pk", "escalation_level"))
    assert levels == {real.pk: 2, drill.pk: 2, taken.pk: 0}


@pytest.mark.django_db
def test_without_a_position_of_its_own_it_is_where_the_vehicle_was_last() -> None:
    vehicle = vehicle_make(fleet_make())
    assert raised(vehicle).lat is None
    then = NOW - timedelta(minutes=20)
    VehicleStatus.objects.create(vehicle=vehicle, lat=25.0, lng=55.0, fix_at=then)
    known = raised(vehicle, "2")
    assert (known.lat, known.lng, known.fix_at) == (25.0, 55.0, then)
    assert raised(vehicle, "3", lat=1.0, lng=2.0).lat == 1.0


@pytest.mark.django_db
def test_an_update_is_applied_once_and_refused_after_the_end() -> None:
    vehicle = vehicle_make(fleet_make())
    alert = raised(vehicle, severity="low")
    for _ in range(3):
        services.alert_update(
            alert=alert, by="truck-1", report=Report(severity="high", message="fire"), client_id="u", now=NOW
        )
    alert.refresh_from_db()
    assert (alert.severity, alert.message, alert.version) == ("high", "fire", 2)
    assert AlertEvent.objects.filter(alert=alert, kind="worsened").count() == 1
    services.alert_cancel(alert=alert, by="truck-1", now=NOW)
    with pytest.raises(Refusal):
        services.alert_update(alert=alert, by="truck-1", report=Report(message="x"), client_id="v", now=NOW)


@pytest.mark.django_db
def test_a_snapshot_holds_what_concerns_the_vehicle() -> None:
    fleet = fleet_make()
    sender, other = vehicle_make(fleet), vehicle_make(fleet, "truck-2")
    everywhere = raised(sender)
    near = raised(sender, "2", lat=25.0, lng=55.0, radius_m=1000)
    over = services.alert_cancel(alert=raised(sender, "3"), by="truck-1", now=NOW)

    def seen(vehicle: Vehicle, position: Position | None) -> set[Any]:
        found = selectors.alerts_concerning(vehicle_pk=vehicle.pk, fleet_pk=fleet.pk, position=position)
        return {alert.pk for alert in found}

    assert seen(other, Position(25.001, 55.0, NOW)) == {everywhere.pk, near.pk}
    assert seen(other, Position(25.1, 55.0, NOW)) == seen(other, None) == {everywhere.pk}
    assert seen(sender, None) == {everywhere.pk, near.pk}
    assert over.pk not in seen(sender, None)
