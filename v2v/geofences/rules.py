"""When a geofence is awake, and what its rules do. Plain functions of what they are given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo


class Happening(StrEnum):
    """What is told of a geofence."""

    ENTER = "enter"
    EXIT = "exit"
    DWELL = "dwell"  # a vehicle has stayed for so long
    SPEED = "speed"  # a vehicle drives faster inside than it may
    TOO_FEW = "too_few"  # fewer vehicles inside than there should be, for so long
    ENOUGH = "enough"  # as many as there should be again


class Reaction(StrEnum):
    """What a rule does: nothing, an event, or an event and an alert of this severity."""

    NONE = "none"
    EVENT = "event"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def severity(self) -> str | None:
        """That of the alert, if it raises one."""
        return None if self in (Reaction.NONE, Reaction.EVENT) else self.value


@dataclass(frozen=True, slots=True)
class Schedule:
    """The weekdays (ISO: 1 is Monday; none stands for all) and hours, in a time zone, in which a geofence is awake.

    Hours whose end is not after their beginning run over midnight; they belong to the day on which they begin.
    """

    weekdays: frozenset[int]
    begins: time | None
    ends: time | None
    zone: ZoneInfo

    def is_awake(self, at: datetime) -> bool:
        """Whether that moment is within it."""
        local = at.astimezone(self.zone)
        now = local.time()
        if self.begins is None or self.ends is None:
            return self._is_on(local)
        if self.begins < self.ends:
            return self._is_on(local) and self.begins <= now < self.ends
        if now >= self.begins:
            return self._is_on(local)
        return now < self.ends and self._is_on(local - timedelta(days=1))

    def _is_on(self, day: datetime) -> bool:
        return not self.weekdays or day.isoweekday() in self.weekdays


def schedule_of(weekdays: Sequence[int], begins: time | None, ends: time | None, zone: ZoneInfo) -> Schedule | None:
    """The schedule; None for a geofence that is always awake."""
    return Schedule(frozenset(weekdays), begins, ends, zone) if weekdays or begins else None


Crowd = Literal["fine", "waits", "tell", "told", "well"]


def crowd_after(
    *, inside: int, minimum: int, since: datetime | None, told: bool, hold: timedelta, now: datetime
) -> Crowd:
    """How it stands with a minimum of vehicles inside.

    `fine`: enough. `waits`: too few, not for long enough yet. `tell`: too few for long enough. `told`: that is known.
    `well`: enough again after it was told.
    """
    if inside >= minimum:
        return "well" if told else "fine"
    if told:
        return "told"
    return "tell" if since is not None and now - since >= hold else "waits"
