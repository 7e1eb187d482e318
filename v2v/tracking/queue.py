"""What waits to be stored. Two backends behind one interface: memory for a server alone, a Redis Stream for many.

Whoever puts is told when the queue is full or away and decides what to do; nothing that was put is ever dropped. Who
takes has it until it says `done`; what a writer that died has taken comes to another one again.
"""

import time
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Condition
from typing import NamedTuple, Protocol

MINUTES_KEPT = 60
_MINUTE_S = 60
_FEW = 2_000


class QueueUnavailable(Exception):
    """The queue took nothing: it is full, or away."""


class QueueFull(QueueUnavailable):
    """So many positions wait that no more are taken."""


class Entry(NamedTuple):
    """A chunk of positions in the queue; `rows` of them."""

    id: str
    payload: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class Figures:
    """How the queue is: positions that wait, and what became of those of each of the last minutes, newest first."""

    depth: int
    limit: int
    written: list[int] = field(default_factory=list)
    retried: list[int] = field(default_factory=list)
    dead: list[int] = field(default_factory=list)

    @property
    def written_total(self) -> int:
        """Stored in all these minutes."""
        return sum(self.written)

    @property
    def retried_total(self) -> int:
        """Tried again in all these minutes."""
        return sum(self.retried)

    @property
    def dead_total(self) -> int:
        """Laid aside in all these minutes."""
        return sum(self.dead)

    @property
    def per_second(self) -> int:
        """Stored a second, in the last whole minute."""
        return round(self.written[1] / _MINUTE_S)

    @property
    def is_behind(self) -> bool:
        """Whether more waits than a minute stores, and more than a few batches."""
        return self.depth > max(self.written[1], _FEW)


TALLIED = ("written", "retried", "dead")


class PositionQueue(Protocol):
    """Safe in any thread, and blocking: call it from none that may not wait."""

    def put(self, chunks: Sequence[tuple[bytes, int]]) -> None:
        """Take all chunks or none; raises QueueUnavailable."""

    def take(self, *, limit: int, wait_s: float) -> list[Entry]:
        """Up to `limit` entries, oldest first; waits for the first one. They are the caller's until `done`."""

    def done(self, entries: Sequence[Entry]) -> None:
        """Forget them: they are stored."""

    def renew(self, entries: Sequence[Entry]) -> None:
        """Say that the caller still works at them."""

    def depth(self) -> int:
        """How many positions wait, those that somebody works at among them."""

    def tally(self, *, minute: int, **counts: int) -> None:
        """Add to the minute's counts: `written`, `retried`, `dead`."""

    def figures(self, *, minute: int) -> Figures:
        """For people to look at."""


class MemoryQueue:
    """The queue of one process. What is in it when the process is killed is lost; a stop drains it."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._depth = 0
        self._open: set[str] = set()
        self._name = uuid.uuid4().hex[:8]  # dead letters are known by their entry, also after a restart
        self._number = 0
        self._waiting: deque[Entry] = deque()
        self._changed = Condition()
        self._tallies: dict[int, dict[str, int]] = {}

    def put(self, chunks: Sequence[tuple[bytes, int]]) -> None:
        """Take all chunks or none; raises QueueFull."""
        with self._changed:
            if self._depth >= self._limit:
                raise QueueFull
            for payload, count in chunks:
                self._number += 1
                entry = Entry(f"{self._name}-{self._number}", payload, count)
                self._waiting.append(entry)
                self._open.add(entry.id)
                self._depth += count
            self._changed.notify_all()

    def take(self, *, limit: int, wait_s: float) -> list[Entry]:
        """Up to `limit` entries; a writer that died would have taken this process with it, so nothing comes again."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, wait_s)
            return [self._waiting.popleft() for _ in range(min(limit, len(self._waiting)))]

    def done(self, entries: Sequence[Entry]) -> None:
        """Forget them; the same one again changes nothing."""
        with self._changed:
            for entry in entries:
                if entry.id in self._open:
                    self._open.remove(entry.id)
                    self._depth -= entry.rows

    def renew(self, entries: Sequence[Entry]) -> None:
        """They are nobody else's anyway."""

    def depth(self) -> int:
        """How many positions wait."""
        return self._depth

    def tally(self, *, minute: int, **counts: int) -> None:
        """Add to the minute's counts."""
        with self._changed:
            minute_counts = self._tallies.setdefault(minute, dict.fromkeys(TALLIED, 0))
            for name, count in counts.items():
                minute_counts[name] += count
            for old in [kept for kept in self._tallies if kept <= minute - MINUTES_KEPT]:
                del self._tallies[old]

    def figures(self, *, minute: int) -> Figures:
        """For people to look at."""
        with self._changed:
            minutes = [self._tallies.get(minute - ago, {}) for ago in range(MINUTES_KEPT)]
        columns = {name: [counts.get(name, 0) for counts in minutes] for name in TALLIED}
        return Figures(depth=self._depth, limit=self._limit, **columns)


def minute_now() -> int:
    """The minute that tallies are kept under, since the epoch."""
    return int(time.time()) // _MINUTE_S
