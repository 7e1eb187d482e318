"""A dispatcher that a test drives by hand, over the dispatchers' own socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from websockets import Origin
from websockets.sync.client import ClientConnection, connect

from tests.servers.v2v import V2VServer

WAIT_S = 10.0


class Desk:
    """A dispatcher who is logged in."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    def do(self, event: str, **data: Any) -> None:
        """Send a command, and wait until the server has done it."""
        self._socket.send(json.dumps({"event": event, "data": data, "id": event}))
        while (frame := json.loads(self._socket.recv(timeout=WAIT_S)))["data"].get("id") != event:
            pass
        assert frame["event"] == "ack", frame


@contextmanager
def at_the_desk(server: V2VServer, session: str) -> Iterator[Desk]:
    """The dispatcher of a session, as `V2VServer.login` makes it."""
    address = f"{server.ws_url}/ws/dispatch/"
    headers = {"Cookie": session}
    with connect(
        address, compression=None, origin=Origin(server.url), additional_headers=headers, max_size=None
    ) as socket:
        yield Desk(socket)
