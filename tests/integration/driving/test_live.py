"""Driving through a running server: a truck that crashes on its socket raises an alert."""

import json
import time
from typing import Any

from websockets.sync.client import connect

from tests.servers.v2v import V2VServer

METERS = 1 / 111_195  # in degrees of latitude
WITHIN_S = 30.0
ASK = """
from v2v.alerts.models import Alert
from v2v.driving.models import DrivingEvent
print([Alert.objects.filter(sender__vehicle_id={0!r}, via="rule").values_list("type", "severity").first(),
       sorted(DrivingEvent.objects.filter(vehicle__vehicle_id={0!r}).values_list("type", flat=True))])
"""


def test_a_crash_on_the_socket_becomes_an_alert_and_an_event(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    with connect(f"{server.ws_url}/ws/vehicle/", compression=None) as socket:

        def send(event: str, **data: Any) -> None:
            socket.send(json.dumps({"event": event, "data": data}))

        send("register", vehicleId=vehicle_id, token=token)
        assert json.loads(socket.recv(timeout=WITHIN_S))["event"] == "registered"
        # Eleven seconds of a drive: the fixes carry their own times, and are sent as fast as a vehicle may.
        begin, north = int(time.time() * 1000) - 20_000, 0.0
        for second, speed in enumerate([20.0] * 5 + [0.0] * 7):
            north += speed
            send("location_update", lat=25 + north * METERS, lng=55.0, speed=speed, ts=begin + second * 1000)
            time.sleep(0.4)  # the pace of the reports, not a wait for anything: two ticks, so that none is coalesced
        found, end = "", time.monotonic() + WITHIN_S
        while found != "[('crash', 'critical'), ['crash']]" and time.monotonic() < end:
            found = server.shell(ASK.format(vehicle_id))
    assert found == "[('crash', 'critical'), ['crash']]"
