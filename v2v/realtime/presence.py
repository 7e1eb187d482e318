"""Who is online, silent, or gone. The server changes it by itself: nothing waits for a client to say good-bye."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from v2v.protocol.events import PresenceStatus
from v2v.realtime.clock import Clock
from v2v.realtime.session import Session


@dataclass(slots=True)
class Entry:
    """A vehicle's presence; `last_seen` in epoch milliseconds."""

    vehicle_id: str
    fleet: int
    slot: int
    status: PresenceStatus
    last_seen: int
    driver_name: str | None = None


class MemoryPresence:
    """The presence of every vehicle that has been seen by this process."""

    def __init__(self, clock: Clock, changed: Callable[[Entry], None]) -> None:
        self.entries: dict[str, Entry] = {}
        self._clock = clock
        self._changed = changed

    def came(self, session: Session, *, fleet: int, driver_name: str | None) -> None:
        """A device of the vehicle has registered."""
        now_ms = self._clock.now_ms()
        entry = self.entries.get(session.name)
        if entry is None:
            entry = Entry(session.name, fleet, session.slot, "offline", now_ms)
            self.entries[session.name] = entry
        elif entry.fleet != fleet:  # it went over to another one: gone, for those who saw it so far
            self._set(entry, "offline", now_ms)
            entry.fleet = fleet
        entry.driver_name = driver_name or entry.driver_name
        self._set(entry, "online", now_ms)

    def heard(self, session: Session) -> None:
        """A device that was silent for too long has sent something."""
        session.silent = False
        self._set(self.entries[session.name], "online", self._clock.now_ms())

    def went(self, session: Session) -> None:
        """The vehicle's last connection is gone."""
        entry = self.entries.get(session.name)
        if entry is not None:
            self._set(entry, "offline", self._epoch_ms(session.heard_at))

    def sweep(self, sessions_of: Iterable[tuple[str, list[Session]]], *, timeout_s: float) -> None:
        """Find the vehicles of which nothing was heard for `timeout_s` seconds, and note when the others were heard."""
        now = self._clock.monotonic()
        for vehicle_id, sessions in sessions_of:
            heard_at = max(session.heard_at for session in sessions)
            entry = self.entries[vehicle_id]
            entry.last_seen = self._epoch_ms(heard_at)
            if now - heard_at > timeout_s and entry.status == "online":
                for session in sessions:
                    session.silent = True
                self._set(entry, "timeout", entry.last_seen)

    def last_seen(self, vehicle_id: str, sessions: list[Session]) -> int | None:
        """When the vehicle was last heard, to the millisecond while it is connected."""
        if sessions:
            return self._epoch_ms(max(session.heard_at for session in sessions))
        entry = self.entries.get(vehicle_id)
        return entry.last_seen if entry else None

    def _epoch_ms(self, monotonic: float) -> int:
        return self._clock.now_ms() - int((self._clock.monotonic() - monotonic) * 1000)

    def _set(self, entry: Entry, status: PresenceStatus, last_seen: int) -> None:
        entry.last_seen = last_seen
        if entry.status != status:
            entry.status = status
            self._changed(entry)
