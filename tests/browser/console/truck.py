"""A vehicle that a test drives by hand, over the vehicles' own socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.servers.v2v import V2VServer

WAIT_S = 10.0


class Truck:
    """A registered vehicle."""

    def __init__(self, vehicle_id: str, socket: ClientConnection) -> None:
        self.vehicle_id = vehicle_id
        self._socket = socket

    def report(self, lat: float, lng: float, **fix: Any) -> None:
        """Say where it is, and wait until the server has it."""
        self._send("location_update", {"lat": lat, "lng": lng, **fix}, id="fix")
        self._until("ack")

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

    def _until(self, event: str) -> None:
        while json.loads(self._socket.recv(timeout=WAIT_S))["event"] != event:
            pass


@contextmanager
def on_the_road(server: V2VServer, lat: float, lng: float, *, driver: str | None = None, **fix: Any) -> Iterator[Truck]:
    """A vehicle that no other test has, registered, with a position; it disconnects at the end."""
    vehicle_id, token = server.vehicle()
    with connect(f"{server.ws_url}/ws/vehicle/", compression=None) as socket:
        truck = Truck(vehicle_id, socket)
        truck.register(token, driver)
        truck.report(lat, lng, **fix)
        yield truck
