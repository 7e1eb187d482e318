"""Calls that nobody ends: the scheduler's part."""

from datetime import datetime, timedelta

from v2v.calls.services import calls_grace_again, calls_lapse

_GAP = timedelta(seconds=5)  # without a sweep: five were left out


class CallSweep:
    """Ends what rang too long, lasted too long, or has lost a side.

    Sides are noted as connected by the servers, in the database. After a time in which nobody could note anything (the
    server was down, the database was away) every side has its whole grace again: a restart in mid-call ends no call
    whose sides come back.
    """

    def __init__(self) -> None:
        self._ran_at: datetime | None = None

    def step(self, now: datetime) -> bool:
        """One sweep; whether it found work."""
        if self._ran_at is None or now - self._ran_at > _GAP:
            calls_grace_again(now=now)
        found = calls_lapse(now=now)
        self._ran_at = now
        return found
