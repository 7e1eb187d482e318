"""The demo's vehicles that are on the radio only, with the air that they are on."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.conf import settings

from v2v.client.simulation.truck import Truck
from v2v.fleets.models import Fleet
from v2v.protocol.decode import Refusal
from v2v.vehicles.services import vehicle_enroll

PREFIX = "rover-"
_STOP_WITHIN_S = 5.0


@contextmanager
def demo_radio(*, vehicles: int, now: datetime) -> Iterator[int]:
    """Let `vehicles` be on the radio for as long as the body runs; how many there are.

    None where the installation has a modem of its own. To be entered before the server's parts are built, which read
    from the settings where the modem is.
    """
    if not vehicles or settings.RADIO_PORT:
        yield 0
        return
    fleet = Fleet.objects.get(slug="demo")
    for number in range(1, vehicles + 1):
        _enroll(f"{PREFIX}{number:02d}", fleet, now)
    port = settings.VAR_DIR / "radio"
    settings.RADIO_PORT, settings.RADIO_FLEET = str(port), fleet.slug
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "radio_simulate"]
    command += ["--port", str(port), "--vehicles", str(vehicles), "--prefix", PREFIX]
    air = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        yield vehicles
    finally:
        air.terminate()
        try:
            air.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            air.kill()


def _enroll(vehicle_id: str, fleet: Fleet, now: datetime) -> None:
    truck = Truck(vehicle_id)
    info = truck.info
    known = {"type": info.type, "plate": info.plate, "make": info.make, "model": info.model, "color": info.color}
    try:
        vehicle_enroll(
            vehicle_id=vehicle_id,
            fleet=fleet,
            now=now,
            driver_name=truck.driver_name,
            **{name: value for name, value in known.items() if value},
        )
    except Refusal:
        return  # somebody has deleted it, or given it away: it stays so
