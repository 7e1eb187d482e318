"""A vehicle that writes and reads messages, over the vehicles' own socket, and its conversation on the page."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Locator, Page
from websockets.sync.client import ClientConnection, connect

from tests.servers.v2v import V2VServer

WAIT_S = 10.0


class Talker:
    """A registered vehicle; `heard` is all that it was sent, in order."""

    def __init__(self, vehicle_id: str, socket: ClientConnection) -> None:
        self.vehicle_id = vehicle_id
        self.heard: list[dict[str, Any]] = []
        self._socket = socket

    def command(self, event: str, data: dict[str, Any]) -> dict[str, Any]:
        """Send a command; the data of its ack."""
        command_id = uuid.uuid4().hex
        self._socket.send(json.dumps({"event": event, "data": data, "id": command_id}))
        return self.hear("ack", id=command_id)

    def tell(self, event: str, data: dict[str, Any]) -> None:
        """Send what is not answered."""
        self._socket.send(json.dumps({"event": event, "data": data}))

    def say(self, content: str, **to: Any) -> str:
        """Send a message, to dispatch unless told otherwise; its id."""
        to = to or {"recipientId": "dispatch"}
        return str(self.command("send_message", {"content": content, **to})["messageId"])

    def hear(self, event: str, **wanted: Any) -> dict[str, Any]:
        """The data of the first such event that came or comes, with `wanted` in its data."""
        deadline = time.monotonic() + WAIT_S
        seen = 0
        while True:
            for message in self.heard[seen:]:
                if message["event"] == event and wanted.items() <= message["data"].items():
                    return dict(message["data"])
            seen = len(self.heard)
            self.heard.append(json.loads(self._socket.recv(timeout=deadline - time.monotonic())))

    def messages(self) -> list[dict[str, Any]]:
        """The messages that came, each time that they did."""
        return [message["data"] for message in self.heard if message["event"] == "message"]


@contextmanager
def talking(server: V2VServer, fleet: str = "alpha", **register: str) -> Iterator[Talker]:
    """A vehicle that no other test has, registered; it disconnects at the end."""
    vehicle_id, token = server.vehicle(fleet)
    with connect(f"{server.ws_url}/ws/vehicle/", compression=None) as socket:
        talker = Talker(vehicle_id, socket)
        socket.send(json.dumps({"event": "register", "data": {"vehicleId": vehicle_id, "token": token, **register}}))
        talker.hear("registered")
        yield talker


def thread_of(talker: Talker, fleet: str = "alpha") -> str:
    """The address of the vehicle's conversation."""
    return f"/?tab=messages&conversation={fleet}/{talker.vehicle_id}"


def row_of(page: Page, talker: Talker) -> Locator:
    return page.locator(f'[data-conversation="alpha/{talker.vehicle_id}"]')


def message(page: Page, content: str) -> Locator:
    return page.locator("#thread .message", has=page.get_by_text(content, exact=True))


def write(page: Page, content: str) -> None:
    """Write in the open conversation, and send it by Enter."""
    page.get_by_role("textbox", name="Message to").fill(content)
    page.keyboard.press("Enter")


def unread(page: Page) -> int:
    return int(page.locator("#messages-count").inner_text() or 0)
