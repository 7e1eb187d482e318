"""Who is online, silent, or gone. The server changes it by itself: nothing waits for a client to say good-bye."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from v2v.protocol.events import PresenceStatus
from v2v.realtime.clock import Clock
from v2v.realtime.session import Session

_REPORTED_S = 300.0  # phones and trackers report every few minutes when they stand still
_BEST_FIRST: tuple[PresenceStatus, ...] = ("online", "timeout", "offline")


class Elsewhere(NamedTuple):
    """How a vehicle stands with another process, by that one's running number."""

    status: PresenceStatus
    version: int


@dataclass(slots=True)
class Entry:
    """A vehicle's presence: with this process (`here`), with others, and the best of them all; epoch milliseconds."""

    vehicle_id: str
    fleet: int
    slot: int
    status: PresenceStatus
    last_seen: int
    driver_name: str | None = None
    here: PresenceStatus = "offline"
    elsewhere: dict[str, Elsewhere] = field(default_factory=dict)  # by process

    @property
    def holders(self) -> list[str]:
        """The other processes that it is connected to."""
        return [process for process, at in self.elsewhere.items() if at.status != "offline"]


class MemoryPresence:
    """The presence of every vehicle that has been seen by this process, or of which another one has told.

    `here_listeners` are told when a vehicle's standing with this process changes, `changed` when it does altogether.
    """

    def __init__(self, clock: Clock, changed: Callable[[Entry], None]) -> None:
        self.entries: dict[str, Entry] = {}
        self.here_listeners: list[Callable[[Entry], None]] = []
        self._reporters: dict[str, float] = {}  # when vehicles that report otherwise than by a socket were last heard
        self._clock = clock
        self._changed = changed

    def came(self, session: Session, *, fleet: int, driver_name: str | None) -> None:
        """A device of the vehicle has registered."""
        entry = self._entry(session.name, fleet, session.slot)
        entry.driver_name = driver_name or entry.driver_name
        self._set(entry, "online", self._clock.now_ms())

    def reported(self, vehicle_id: str, *, fleet: int, slot: int) -> None:
        """A position of the vehicle came by another way than a socket: it is online for the next 5 minutes."""
        self._reporters[vehicle_id] = self._clock.monotonic()
        self._set(self._entry(vehicle_id, fleet, slot), "online", self._clock.now_ms())

    def _entry(self, vehicle_id: str, fleet: int, slot: int) -> Entry:
        now_ms = self._clock.now_ms()
        entry = self.entries.get(vehicle_id)
        if entry is None:
            entry = self.entries[vehicle_id] = Entry(vehicle_id, fleet, slot, "offline", now_ms)
        elif entry.fleet != fleet:  # it went over to another one: gone, for those who saw it so far
            entry.elsewhere.clear()
            self._set(entry, "offline", now_ms)
            entry.fleet = fleet
        return entry

    def heard(self, session: Session) -> None:
        """A device that was silent for too long has sent something."""
        session.silent = False
        self._set(self.entries[session.name], "online", self._clock.now_ms())

    def went(self, session: Session) -> None:
        """The vehicle's last connection to this process is gone."""
        entry = self.entries.get(session.name)
        if entry is not None:
            self._set(entry, "offline", self._epoch_ms(session.heard_at))

    def sweep(self, sessions_of: Iterable[tuple[str, list[Session]]], *, timeout_s: float) -> None:
        """Find the vehicles of which nothing was heard for `timeout_s` seconds, and note when the others were heard."""
        now = self._clock.monotonic()
        connected = set()
        for vehicle_id, sessions in sessions_of:
            connected.add(vehicle_id)
            heard_at = max(session.heard_at for session in sessions)
            heard_at = max(heard_at, self._reporters.get(vehicle_id, heard_at))
            entry = self.entries[vehicle_id]
            entry.last_seen = self._epoch_ms(heard_at)
            if now - heard_at > timeout_s and entry.here == "online":
                for session in sessions:
                    session.silent = True
                self._set(entry, "timeout", entry.last_seen)
        for vehicle_id in [name for name, heard_at in self._reporters.items() if now - heard_at > _REPORTED_S]:
            del self._reporters[vehicle_id]
            entry = self.entries[vehicle_id]
            if vehicle_id not in connected:
                self._set(entry, "offline", entry.last_seen)

    def last_seen(self, vehicle_id: str, sessions: list[Session]) -> int | None:
        """When the vehicle was last heard, to the millisecond while it is connected here."""
        entry = self.entries.get(vehicle_id)
        if sessions:
            here = self._epoch_ms(max(session.heard_at for session in sessions))
            return max(here, entry.last_seen) if entry is not None and entry.elsewhere else here
        return entry.last_seen if entry else None

    # ---- Of other processes

    def told(
        self,
        vehicle_id: str,
        *,
        fleet: int,
        slot: int,
        process: str,
        at: Elsewhere,
        last_seen: int,
        driver_name: str | None,
    ) -> None:
        """Another process says how the vehicle stands with it."""
        is_new = vehicle_id not in self.entries
        entry = self._entry(vehicle_id, fleet, slot)
        entry.elsewhere[process] = at
        entry.driver_name = driver_name or entry.driver_name
        entry.last_seen = last_seen if is_new else max(entry.last_seen, last_seen)
        self._combine(entry)

    def seen(self, vehicle_id: str, last_seen: int) -> None:
        """Another process has heard the vehicle."""
        entry = self.entries.get(vehicle_id)
        if entry is not None:
            entry.last_seen = max(entry.last_seen, last_seen)

    def process_gone(self, process: str) -> None:
        """Another process is gone, and with it the connections of its vehicles."""
        for entry in self.entries.values():
            if entry.elsewhere.pop(process, None) is not None:
                self._combine(entry)

    def not_with(self, process: str, vehicle_id: str) -> None:
        """The vehicle is not connected to that process, which has not said so."""
        entry = self.entries[vehicle_id]
        entry.elsewhere.pop(process, None)
        self._combine(entry)

    def _epoch_ms(self, monotonic: float) -> int:
        return self._clock.now_ms() - int((self._clock.monotonic() - monotonic) * 1000)

    def _set(self, entry: Entry, here: PresenceStatus, last_seen: int) -> None:
        entry.last_seen = max(entry.last_seen, last_seen) if entry.elsewhere else last_seen
        if entry.here != here:
            entry.here = here
            for listener in self.here_listeners:
                listener(entry)
        self._combine(entry)

    def _combine(self, entry: Entry) -> None:
        standings = (entry.here, *(at.status for at in entry.elsewhere.values()))
        status = min(standings, key=_BEST_FIRST.index)
        if entry.status != status:
            entry.status = status
            self._changed(entry)
