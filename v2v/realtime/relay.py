"""From services, on whatever thread and in whatever process they run, to the connections that are concerned.

A service tells after its transaction has committed: `transaction.on_commit(partial(publish, ToFleet(pk), event))`.
"""

import asyncio
import atexit
from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from v2v.protocol import events
from v2v.realtime.audience import (
    Audience,
    ToAround,
    ToDevice,
    ToDispatchers,
    ToFleet,
    ToFollowers,
    ToVehicles,
    ToWorkers,
)
from v2v.realtime.hub import Hub
from v2v.realtime.notices import AnyNotice
from v2v.realtime.publisher import Publisher
from v2v.realtime.redis import RedisAddress

__all__ = [
    "Audience", "MemoryRelay", "ToAround", "ToDevice", "ToDispatchers", "ToFleet", "ToFollowers", "ToVehicles",
    "ToWorkers", "publish", "reach", "tell",
]  # fmt: skip

NoticeT = TypeVar("NoticeT", bound=AnyNotice)


class MemoryRelay:
    """The relay of a server that is alone: straight to the hub, on the event loop's thread."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop: asyncio.AbstractEventLoop | None = None
        self._handlers: defaultdict[type[Any], list[Callable[[Any], None]]] = defaultdict(list)

    def start(self) -> None:
        """Deliver on the running loop from now on."""
        self._loop = asyncio.get_running_loop()
        _relays.append(self)

    async def stop(self) -> None:
        """Deliver nothing any more."""
        self._loop = None
        if self in _relays:
            _relays.remove(self)

    def on(self, kind: type[NoticeT], handler: Callable[[NoticeT], None]) -> None:
        """Have `handler` called on the event loop for each notice of that kind, whichever process tells it."""
        self._handlers[kind].append(handler)

    def publish(self, audience: Audience, event: events.Event) -> None:
        """Send an event to everybody of the audience; from any thread."""
        self._on_loop(self._deliver, audience, event)

    def tell(self, notice: AnyNotice) -> None:
        """Tell every process; from any thread."""
        self._on_loop(self._heed, notice)

    def _deliver(self, audience: Audience, event: events.Event) -> int:
        """To how many connections or vehicles."""
        match audience:
            case ToVehicles(vehicle_ids):
                return self._hub.to_vehicles(vehicle_ids, event)
            case ToDispatchers(fleet):
                return self._hub.to_dispatchers(fleet, event)
            case ToWorkers(fleet):
                return self._hub.to_workers(fleet, event)
            case ToDevice(is_vehicle, name, device_id):
                return self._hub.to_device(is_vehicle=is_vehicle, name=name, device_id=device_id, event=event)
            case ToFleet(fleet, without):
                return self._hub.to_fleet(fleet, event, without=without)
            case ToAround(fleet, topic, center, lat, lng, radius_m):
                place = None if lat is None or lng is None else (lat, lng)
                return self._hub.to_around(fleet, topic, event, center=center, place=place, radius_m=radius_m)
            case ToFollowers(fleet, topic, is_last):
                return self._hub.to_followers(fleet, topic, event, is_last=is_last)

    def _heed(self, notice: AnyNotice) -> None:
        for handler in self._handlers[type(notice)]:
            handler(notice)

    def _on_loop(self, function: Callable[..., object], *arguments: Any) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)


_relays: list[MemoryRelay] = []
_outside: list[Publisher] = []


def publish(audience: Audience, event: events.Event) -> None:
    """Send an event to everybody of the audience, on whichever process; from any thread, after the commit."""
    for relay in _relays:
        relay.publish(audience, event)
    if not _relays:
        for publisher in _outside:
            publisher.tell_event(audience, event)


def tell(notice: AnyNotice) -> None:
    """Tell every server process; from any thread, after the commit."""
    for relay in _relays:
        relay.tell(notice)
    if not _relays:
        for publisher in _outside:
            publisher.tell_notice(notice)


def reach(address: RedisAddress) -> None:
    """Have `publish` and `tell` reach the servers from a process without an engine: a command, a worker, a shell."""
    publisher = Publisher(address)
    _outside.append(publisher)
    atexit.register(publisher.close)
