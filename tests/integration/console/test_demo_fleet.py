"""What one run of the demo leaves does not trouble the next."""

from datetime import UTC, datetime

import pytest

from v2v.alerts.models import Alert
from v2v.alerts.services import Origin, Report, alert_raise
from v2v.console.demo_fleet import demo_alerts_end
from v2v.fleets.models import Fleet
from v2v.vehicles.models import Vehicle

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.django_db
def test_alerts_of_the_last_run_end_and_those_of_other_fleets_stay() -> None:
    states = {}
    for slug, vehicle_id in (("demo", "truck-001"), ("demo", "own-1"), ("other", "truck-x")):
        fleet, _ = Fleet.objects.get_or_create(slug=slug, defaults={"name": slug})
        vehicle = Vehicle.objects.create(vehicle_id=vehicle_id, fleet=fleet)
        origin = Origin(fleet_pk=fleet.pk, via=Alert.Via.WS, client_id="1", vehicle_pk=vehicle.pk)
        states[vehicle_id], _ = alert_raise(origin=origin, report=Report(), now=NOW)
    demo_alerts_end(now=NOW)
    assert {name: Alert.objects.get(pk=pk).state for name, pk in states.items()} == {
        "truck-001": "negated",
        "own-1": "open",
        "truck-x": "open",
    }
