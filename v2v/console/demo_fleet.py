"""The demo fleet as a process beside the server: it drives against the server as any fleet does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Q

from radio.demo import PREFIX as RADIO_PREFIX
from v2v.alerts.models import Alert
from v2v.alerts.rules import ACTIVE
from v2v.alerts.services import alert_negate
from v2v.vehicles.demo import PREFIX

_STOP_WITHIN_S = 5.0


def demo_alerts_end(*, now: datetime) -> None:
    """End the alerts of the demo's trucks that its last run left: nobody who could take them back is on the road."""
    of_the_demo = Q(sender__vehicle_id__startswith=PREFIX) | Q(sender__vehicle_id__startswith=RADIO_PREFIX)
    left = Alert.objects.filter(of_the_demo, sender__fleet__slug="demo")
    for alert in left.filter(state__in=[state.value for state in ACTIVE]):
        alert_negate(alert=alert, by="demo", note="The demo was started anew.", now=now)


@contextmanager
def demo_fleet(*, vehicles: int, port: int, token_file: Path) -> Iterator[None]:
    """Let `vehicles` trucks drive against the server on `port` for as long as the body runs; none for 0."""
    if not vehicles:
        yield
        return
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "simulate"]
    command += ["--vehicles", str(vehicles), "--url", f"ws://127.0.0.1:{port}/ws/vehicle/"]
    command += ["--token-file", str(token_file), "--prefix", PREFIX]
    fleet = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        yield
    finally:
        fleet.terminate()
        try:
            fleet.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            fleet.kill()
