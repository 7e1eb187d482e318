"""A vehicle that a test drives by hand, over the vehicles' own socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.servers.v2v import V2VServer

WAIT_S = 10.0


class Truck:
    """A registered vehicle."""

    def __init__(self, vehicle_id: str, socket: ClientConnection) -> None:
        self.vehicle_id = vehicle_id
        self._socket = socket
        self._calls = 0
        self._raised: set[str] = set()

    def report(self, lat: float, lng: float, **fix: Any) -> None:
        """Say where it is, and wait until the server has it."""
        self._send("location_update", {"lat": lat, "lng": lng, **fix}, id="fix")
        self._until("ack")

    def call_for_help(self, **alert: Any) -> str:
        """Raise an alert, or change the one of `alertId`; the alert's id. Waits until the server has stored it."""
        self._calls += 1
        self._send("emergency_alert", alert, id=f"call-{self._calls}")
        alert_id = str(self._until("ack")["alertId"])
        self._raised.add(alert_id)
        return alert_id

    def cancel(self, alert_id: str) -> None:
        """Take an alert back."""
        self._send("alert_cancel", {"alertId": alert_id}, id="cancel")
        self._until("ack")
        self._raised.discard(alert_id)

    def end_calls(self) -> None:
        """Take back every alert that is still active, so that the next test does not find it."""
        with suppress(ConnectionClosed):
            for alert_id in self._raised:
                self._send("alert_cancel", {"alertId": alert_id}, id="end")
                while json.loads(self._socket.recv(timeout=WAIT_S))["event"] not in ("ack", "error"):
                    pass

    def hear(self, event: str, **wanted: Any) -> dict[str, Any]:
        """Wait for an event of that name with `wanted` in its data; its data."""
        while not wanted.items() <= (data := self._until(event)).items():
            pass
        return data

    def leave(self) -> None:
        """Disconnect."""
        self._socket.close()

    def register(self, token: str, driver: str | None) -> None:
        """Register, and wait until the server has taken it in."""
        names = {"driverName": driver} if driver else {}
        self._send("register", {"vehicleId": self.vehicle_id, "token": token} | names)
        self._until("registered")

    def _send(self, event: str, data: dict[str, Any], **envelope: str) -> None:
        self._socket.send(json.dumps({"event": event, "data": data, **envelope}))

    def _until(self, event: str) -> dict[str, Any]:
        while True:
            frame = json.loads(self._socket.recv(timeout=WAIT_S))
            if frame["event"] == event:
                return dict(frame["data"])
            assert frame["event"] != "error", frame


@contextmanager
def on_the_road(server: V2VServer, lat: float, lng: float, *, driver: str | None = None, **fix: Any) -> Iterator[Truck]:
    """A vehicle that no other test has, registered, with a position; it disconnects at the end."""
    vehicle_id, token = server.vehicle()
    with connect(f"{server.ws_url}/ws/vehicle/", compression=None) as socket:
        truck = Truck(vehicle_id, socket)
        truck.register(token, driver)
        truck.report(lat, lng, **fix)
        yield truck
        truck.end_calls()
