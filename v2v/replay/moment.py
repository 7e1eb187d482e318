"""What a moment of a replay is, and what a source of moments is asked."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from v2v.fleets.policy import Actor
from v2v.vehicles.models import Vehicle

MAX_MOMENTS = 500  # of one source in one replay
Tone = Literal["", "low", "medium", "high", "critical"]


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose moments, of which vehicles, from when until before when."""

    actor: Actor
    vehicles: list[Vehicle]
    start: datetime
    end: datetime

    @property
    def fleets(self) -> set[int]:
        """Of the vehicles."""
        return {vehicle.fleet_id for vehicle in self.vehicles}


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened. `vehicle_id` is empty for a whole fleet; `place` is (lat, lng) where it has one."""

    at: datetime
    vehicle_id: str
    words: str
    link: str
    place: tuple[float, float] | None = None
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of moment: its name for one and for many, its icon, and what finds them in order of time."""

    name: str
    names: str
    icon: str
    find: Callable[[Asked], Iterable[Moment]]
