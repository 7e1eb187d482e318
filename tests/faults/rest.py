"""A person at the REST API of a running server."""

import json
import urllib.request
from typing import Any

from tests.servers.v2v import V2VServer

CSRF = "0123456789abcdef0123456789abcdef"


class Rest:
    """What `user` may do over the API."""

    def __init__(self, server: V2VServer, user: str) -> None:
        self._url = f"{server.url}/api/v1/"
        self._headers = {
            "Cookie": f"{server.login(user)}; csrftoken={CSRF}",
            "X-CSRFToken": CSRF,
            "Content-Type": "application/json",
        }

    def get(self, path: str) -> Any:
        return self._call("GET", path)

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        return self._call("POST", path, body or {})

    def patch(self, path: str, body: dict[str, Any]) -> Any:
        return self._call("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self._call("DELETE", path)

    def device_of(self, vehicle_id: str) -> int:
        """The id of the vehicle's first device."""
        return int(self.get(f"devices?vehicleId={vehicle_id}")["results"][0]["id"])

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, self._headers, method=method)
        with urllib.request.urlopen(request, timeout=15) as answer:
            return json.loads(answer.read() or b"null")
