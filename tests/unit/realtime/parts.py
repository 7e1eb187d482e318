"""What the tests of the engine's parts hold in their hands: a clock that they set, and the end of a wire."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from v2v.protocol import events
from v2v.protocol.decode import decode_vehicle_command
from v2v.realtime.clock import Clock
from v2v.realtime.config import EngineConfig
from v2v.realtime.engine import Engine
from v2v.realtime.session import Kind, Session
from v2v.realtime.wire import Receiver

EPOCH_MS = 1_800_000_000_000


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def forward(self, seconds: float) -> None:
        self.seconds += seconds

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=self, now_ms=lambda: EPOCH_MS + int((self.seconds - 1_000.0) * 1000))


@dataclass(eq=False)
class End:
    """The far end of a wire: what came, and how it was closed. Set `can_write` to false for a peer that is full."""

    can_write: bool = True
    room: int | None = None  # takes so many frames more, then is full
    frames: list[bytes] = field(default_factory=list)
    closed: tuple[int, str] | None = None
    receiver: Receiver | None = None

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def send_frame(self, payload: bytes) -> None:
        self.frames.append(payload)
        if self.room is not None:
            self.room -= 1
            self.can_write = self.room > 0

    def close_with(self, code: int, reason: str, *, linger_s: float) -> None:
        self.closed = (code, reason)

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(frame) for frame in self.frames]

    @property
    def names(self) -> list[str]:
        return [message["event"] for message in self.messages]


KIND = Kind(name="vehicle", decode=decode_vehicle_command, frame=events.peer_locations)


def make_engine(time: Time, **numbers: Any) -> Engine:
    """An engine that nothing drives but the test."""
    return Engine(replace(EngineConfig(), **numbers), release=lambda: None, clock=time.clock)


def connect(engine: Engine, *, address: str = "10.0.0.1", kind: Kind = KIND) -> tuple[Session, End]:
    """A session that was accepted, and its end."""
    end = End()
    session = Session(engine, kind, end, address=address, bearer=None)
    engine.hub.open(session)
    return session, end


def register(session: Session, vehicle_id: str, *, device_id: str = "main", fleet: int = 1, slot: int = 0) -> None:
    """What a successful register does."""
    session.engine.hub.register_vehicle(session, vehicle_id=vehicle_id, device_id=device_id, fleet=fleet, slot=slot)
    session.engine.presence.came(session, fleet=fleet, driver_name=None)
