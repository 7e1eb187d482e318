"""A fleet whose radios a bridge hears, and frames as its link tells them."""

import zlib
from datetime import datetime, timedelta
from itertools import count

from radio.inbound import frame_take
from radio.link.payloads import Emergency, Hello, Payload, Position, Status, Text
from radio.link.traffic import Received
from radio.models import RadioBridge, RadioNode
from radio.state import bridge_begin
from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.fleets.models import Role
from v2v.fleets.policy import actor_of_user

BASE = 1
PLACE = (25.2048, 55.2708)


class Air:
    """Fleet north with truck-1 to truck-3, its dispatcher, and a bridge that is configured for it."""

    def __init__(self, *, link: str = "frame", fleet: str = "north") -> None:
        self.fleet = fleet_make("north")
        self.trucks = [vehicle_make(self.fleet, f"truck-{n}") for n in (1, 2, 3)]
        self.user = user_make("dora", fleet=self.fleet, role=Role.DISPATCHER)
        self.dispatch = actor_of_user(self.user)
        self.bridge: RadioBridge = bridge_begin(
            name="radio", link=link, port="loop://", fleet=fleet, holder="test", now=NOW
        )
        self._sequences = count(1)

    def hear(
        self,
        sender: int,
        payload: Payload,
        *,
        at: datetime = NOW,
        recipient: int | None = BASE,
        sequence: int | None = None,
        rssi: int | None = -90,
    ) -> Status | None:
        """What the sender is told."""
        check = zlib.crc32(repr(payload).encode())
        number = next(self._sequences) if sequence is None else sequence
        heard = Received(
            sender=sender,
            recipient=recipient,
            sequence=number,
            payload=payload,
            wants_ack=True,
            check=check,
            rssi=rssi,
            snr=6.5,
        )
        return frame_take(bridge=self.bridge, heard=heard, now=at)

    def hello(self, sender: int, vehicle_id: str, *, at: datetime = NOW) -> RadioNode:
        self.hear(sender, Hello(vehicle_id=vehicle_id), at=at)
        return RadioNode.objects.get(address=sender)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def somewhere(at: int | None = None) -> Position:
    return Position(lat=PLACE[0], lng=PLACE[1], speed=12.0, heading=90.0, at=at)


def said(content: str) -> Text:
    return Text(content=content)


HELP = Emergency(type="medical", severity="critical", lat=PLACE[0], lng=PLACE[1], content="Heart")
