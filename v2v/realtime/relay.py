"""From services, on whatever thread they run, to the connections that are concerned.

A service tells after its transaction has committed: `transaction.on_commit(partial(publish, ToFleet(pk), event))`.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from v2v.protocol import events
from v2v.protocol.codes import CloseCode
from v2v.protocol.decode import Refusal
from v2v.realtime.hub import Hub
from v2v.realtime.session import Session


@dataclass(frozen=True, slots=True)
class ToVehicles:
    """Every device of these vehicles."""

    vehicle_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ToDispatchers:
    """Every dispatcher who may see the fleet."""

    fleet: int


@dataclass(frozen=True, slots=True)
class ToWorkers:
    """Every dispatcher who may work in the fleet, and not only look."""

    fleet: int


@dataclass(frozen=True, slots=True)
class ToDevice:
    """One device of a vehicle, or one page of a dispatcher: `name` is the vehicle's id or the user's name."""

    is_vehicle: bool
    name: str
    device_id: str


@dataclass(frozen=True, slots=True)
class ToFleet:
    """Every vehicle of the fleet but the one that is left out, and every dispatcher who may see it."""

    fleet: int
    without: str = ""


@dataclass(frozen=True, slots=True)
class ToAround:
    """Every vehicle of the fleet within `radius_m` meters of a place, and every dispatcher who may see the fleet.

    Without a place or a radius, every vehicle of the fleet. With a place, each is told its own distance from it. The
    vehicle `center` is told in any case. Whoever is told follows the topic from then on.
    """

    fleet: int
    topic: str
    center: str
    lat: float | None
    lng: float | None
    radius_m: float | None


@dataclass(frozen=True, slots=True)
class ToFollowers:
    """Every vehicle of the fleet that follows the topic, and every dispatcher who may see the fleet.

    `is_last` ends the topic.
    """

    fleet: int
    topic: str
    is_last: bool = False


Audience = ToVehicles | ToDispatchers | ToWorkers | ToDevice | ToFleet | ToAround | ToFollowers


class MemoryRelay:
    """The relay of a server that is alone: straight to the hub, on the event loop's thread."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Deliver on the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        _relays.append(self)

    def stop(self) -> None:
        """Deliver nothing any more."""
        self._loop = None
        if self in _relays:
            _relays.remove(self)

    def publish(self, audience: Audience, event: events.Event) -> None:
        """Send an event to everybody of the audience; from any thread."""
        self._on_loop(self._deliver, audience, event)

    def end_sessions(
        self, concerns: Callable[[Session], bool], code: CloseCode, refusal: Refusal | None = None
    ) -> None:
        """Close every session that `concerns` picks; from any thread."""
        self._on_loop(self._end_sessions, concerns, code, refusal)

    def _deliver(self, audience: Audience, event: events.Event) -> None:
        match audience:
            case ToVehicles(vehicle_ids):
                self._hub.to_vehicles(vehicle_ids, event)
            case ToDispatchers(fleet):
                self._hub.to_dispatchers(fleet, event)
            case ToWorkers(fleet):
                self._hub.to_workers(fleet, event)
            case ToDevice(is_vehicle, name, device_id):
                self._hub.to_device(is_vehicle=is_vehicle, name=name, device_id=device_id, event=event)
            case ToFleet(fleet, without):
                self._hub.to_fleet(fleet, event, without=without)
            case ToAround(fleet, topic, center, lat, lng, radius_m):
                place = None if lat is None or lng is None else (lat, lng)
                self._hub.to_around(fleet, topic, event, center=center, place=place, radius_m=radius_m)
            case ToFollowers(fleet, topic, is_last):
                self._hub.to_followers(fleet, topic, event, is_last=is_last)

    def _end_sessions(self, concerns: Callable[[Session], bool], code: CloseCode, refusal: Refusal | None) -> None:
        for session in [session for session in self._hub.sessions if concerns(session)]:
            session.close(code, refusal)
            # Gone at once for everybody else, however long its socket takes to end.
            session.engine.closed(session)

    def _on_loop(self, function: Callable[..., None], *arguments: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)


_relays: list[MemoryRelay] = []


def publish(audience: Audience, event: events.Event) -> None:
    """Send an event to everybody of the audience who is connected; from any thread, after the commit."""
    for relay in _relays:
        relay.publish(audience, event)
