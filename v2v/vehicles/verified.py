"""Tokens that were found good a short while ago, so that not every report of a tracker asks the database.

A right that is taken away takes its token out at once, in every process (`RightLost`). For a word that was missed, and
for what else may change, a token is looked up again after 30 s.
"""

import time
from collections.abc import Callable
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from v2v.realtime.notices import RightLost
from v2v.vehicles.identity import Authenticated, AuthRefusal, token_authenticate
from v2v.vehicles.tokens import token_digest

FRESH_S = 30.0
MAX_TOKENS = 50_000


class Known(NamedTuple):
    """Whose a token was when it was looked up; `fresh_until` in monotonic seconds."""

    who: Authenticated
    fresh_until: float


class VerifiedTokens:
    """Up to 50,000 tokens, by their digests. Safe in any thread."""

    def __init__(self, *, limit: int = MAX_TOKENS, clock: Callable[[], float] = time.monotonic) -> None:
        self.notices = 0  # how many rights were taken away so far
        self._limit = limit
        self._clock = clock
        self._known: dict[str, Known] = {}
        self._lock = Lock()

    def keep(self, token: str, who: Authenticated, *, notices: int) -> None:
        """Remember whose it is; `notices` is what it was before the token was looked up.

        A right may have been taken away since, and might have been this one's: then it is looked up again next time.
        """
        with self._lock:
            if notices != self.notices:
                return
            digest = token_digest(token)
            self._known.pop(digest, None)
            if len(self._known) >= self._limit:
                del self._known[next(iter(self._known))]
            self._known[digest] = Known(who, self._clock() + FRESH_S)

    def get(self, token: str, *, now: datetime) -> tuple[Authenticated, bool] | None:
        """Whose it is, and whether that was looked up within 30 s; None for one that is not known, or has expired."""
        known = self._known.get(token_digest(token))
        if known is None or (known.who.token_expires_at is not None and known.who.token_expires_at <= now):
            return None
        return known.who, known.fresh_until > self._clock()

    def drop(self, token: str) -> None:
        """Forget a token that was found not to be good any more."""
        with self._lock:
            self._known.pop(token_digest(token), None)

    def forget(self, lost: RightLost) -> None:
        """Takes the notice of a right that is lost, in whichever process."""
        with self._lock:
            self.notices += 1
            known = self._known.items()
            gone = [digest for digest, (who, _) in known if _concerns(who, lost.vehicle_pk, lost.device_pk)]
            for digest in gone:
                del self._known[digest]

    def __len__(self) -> int:
        return len(self._known)


def _concerns(who: Authenticated, vehicle_pk: int | None, device_pk: int | None) -> bool:
    return who.vehicle_pk == vehicle_pk or device_pk in (who.device_pk, who.granted_by)


verified = VerifiedTokens()


def token_verify(*, token: str, now: datetime) -> Authenticated:
    """The vehicle that owns the token, which is looked up, and remembered. Raises as `token_authenticate` does."""
    notices = verified.notices
    try:
        who = token_authenticate(token=token, now=now)
    except AuthRefusal:
        verified.drop(token)
        raise
    verified.keep(token, who, notices=notices)
    return who
