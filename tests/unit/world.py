"""The realtime parts without a server: a clock that is set by hand, and sockets that note what is written to them."""

import json
from dataclasses import dataclass, field
from typing import Any

from v2v.protocol import events
from v2v.protocol.decode import decode_dispatch_command, decode_vehicle_command
from v2v.proximity.engine import ProximityEngine
from v2v.proximity.services import Crossing
from v2v.proximity.ticker import Ticker
from v2v.realtime.batch import BatchWriter
from v2v.realtime.clock import Clock
from v2v.realtime.config import EngineConfig
from v2v.realtime.engine import Engine
from v2v.realtime.session import Kind, Session
from v2v.realtime.wire import Receiver
from v2v.tracking.live import Fix, LiveState, Outcome, Track

NOW_MS = 1_800_000_000_000
METERS = 1 / 111_195  # in degrees of latitude

VEHICLE = Kind(name="vehicle", decode=decode_vehicle_command, frame=events.peer_locations)
DISPATCH = Kind(name="dispatch", decode=decode_dispatch_command, frame=events.locations)


@dataclass
class ManualClock:
    """Seconds that pass when the test says so."""

    seconds: float = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def now_ms(self) -> int:
        return NOW_MS + round((self.seconds - 1_000.0) * 1000)


@dataclass
class NotedWire:
    """A socket that takes everything."""

    can_write: bool = True
    frames: list[dict[str, Any]] = field(default_factory=list)
    code: int | None = None

    def attach(self, receiver: Receiver) -> None:
        pass

    def send_frame(self, payload: bytes) -> None:
        self.frames.append(json.loads(payload))

    def close_with(self, code: int, reason: str, *, linger_s: float) -> None:
        self.code = code

    def data(self, event: str) -> list[dict[str, Any]]:
        """The data of all events of that name so far."""
        return [frame["data"] for frame in self.frames if frame["event"] == event]

    def heard_of(self) -> list[str]:
        """The vehicles whose positions came, in order."""
        return [
            peer["vehicleId"]
            for frame in self.frames
            if frame["event"] in ("peer_locations", "locations")
            for peer in frame["data"]["peers"]
        ]


class World:
    """Engine, live positions and ticker; `stored` is what was given to the database."""

    def __init__(self, proximity: ProximityEngine | None = None, **config: Any) -> None:
        self.time = ManualClock()
        clock = Clock(monotonic=self.time.monotonic, now_ms=self.time.now_ms)
        self.engine = Engine(EngineConfig(**config), release=lambda: None, clock=clock)
        self.live = LiveState(coalesce_s=0.15)
        self.proximity = proximity or ProximityEngine(radius_m=500, hold_s=0)
        self.stored: list[Crossing] = []
        self.crossings: BatchWriter[Crossing] = BatchWriter("crossings", self.stored.extend, limit=1_000)
        self.ticker = Ticker(self.engine, self.live, self.proximity, self.crossings)
        self.engine.presence_listeners.append(self.ticker.presence_changed)

    def track(self, vehicle_id: str, fleet: int = 1) -> Track:
        return self.live.track_of(vehicle_id=vehicle_id, vehicle_pk=len(self.live.tracks), fleet=fleet)

    def vehicle(self, vehicle_id: str, fleet: int = 1, device: str = "default") -> NotedWire:
        """A vehicle's socket that has registered."""
        wire = NotedWire()
        session = Session(self.engine, VEHICLE, wire, address="192.0.2.1", bearer=None)
        self.engine.hub.open(session)
        track = self.track(vehicle_id, fleet)
        self.engine.hub.register_vehicle(session, vehicle_id=vehicle_id, device_id=device, fleet=fleet, slot=track.slot)
        self.engine.presence.came(session, fleet=fleet, driver_name=None)
        return wire

    def dispatcher(
        self,
        *fleets: int,
        watched: str = "",
        view: tuple[float, float, float, float] | None = None,
        followed: tuple[str, ...] = (),
    ) -> NotedWire:
        """The socket of a dispatcher who may see these fleets; without any, all."""
        wire = NotedWire()
        session = Session(self.engine, DISPATCH, wire, address="192.0.2.2", bearer=None)
        self.engine.hub.open(session)
        self.engine.hub.register_dispatcher(session, name="Kim", fleets=frozenset(fleets) if fleets else None)
        session.watched, session.view, session.followed = watched, view, followed
        return wire

    def report(self, vehicle_id: str, lat: float = 10.0, lng: float = 55.0, **fix: Any) -> Outcome:
        """The vehicle says where it is."""
        fix.setdefault("ts", self.time.now_ms())
        track = self.live.by_vehicle[vehicle_id]
        taken = Fix(lat=lat, lng=lng, received_at=self.time.seconds, **fix)
        return self.live.offer(track, taken, now_ms=self.time.now_ms())

    async def tick(self, seconds: float = 0.2) -> None:
        """The next tick, so much later."""
        self.time.seconds += seconds
        await self.ticker.step()
