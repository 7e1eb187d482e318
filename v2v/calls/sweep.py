"""Calls that nobody ends: the scheduler's part."""

from datetime import datetime, timedelta

from v2v.calls.deeds import call_limits
from v2v.calls.upkeep import calls_grace_again, calls_lapse, calls_of_removed_end

# Without a sweep. Sides are noted three times a grace, so that after a gap of a third nobody has missed the whole of
# it; and never less than two sweeps.
_GAP_OF_GRACE = 3
_LEAST_GAP = timedelta(seconds=2)


class CallSweep:
    """Ends what rang too long, lasted too long, has lost a side, or whose vehicle was removed.

    Sides are noted as connected by the servers, in the database. After a time in which nobody could note anything (the
    server was down, the database was away) every side has its whole grace again: a restart in mid-call ends no call
    whose sides come back.
    """

    def __init__(self) -> None:
        self._ran_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """One sweep; whether it found work."""
        gap = max(call_limits().grace / _GAP_OF_GRACE, _LEAST_GAP)
        if self._ran_at is None or now - self._ran_at > gap:
            calls_grace_again(now=now)
        found = calls_lapse(now=now) | calls_of_removed_end(now=now)
        self._ran_at = now
        return found
