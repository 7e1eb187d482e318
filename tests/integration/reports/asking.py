"""Requests to a server over a plain connection, as a device makes them."""

import http.client
import json
import time
from base64 import b64encode
from dataclasses import dataclass
from email.message import Message
from typing import Any

from tests.servers.v2v import V2VServer

WITHIN_S = 20.0


@dataclass
class Answer:
    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def ask(server: V2VServer, method: str, path: str, body: Any = None, **headers: str) -> Answer:
    """The answer; a body that is no text is sent as JSON. Underscores in the names of headers are hyphens."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None and not isinstance(body, str | bytes):
        body = json.dumps(body)
        sent = {"Content-Type": "application/json", **sent}
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=WITHIN_S)
    try:
        connection.request(method, path, body, sent)
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read().decode())
    finally:
        connection.close()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def history(server: V2VServer, vehicle_id: str, token: str, *, count: int, **query: Any) -> list[dict[str, Any]]:
    """What is stored of the vehicle, once it is so many positions."""
    parameters = "".join(f"&{name}={value}" for name, value in query.items())
    deadline = time.monotonic() + WITHIN_S
    while True:
        path = f"/api/v1/locations?vehicleId={vehicle_id}&pageSize=5000{parameters}"
        found: list[dict[str, Any]] = ask(server, "GET", path, **bearer(token)).json["results"]
        if len(found) >= count or time.monotonic() > deadline:
            assert len(found) == count
            return found
        time.sleep(0.1)
