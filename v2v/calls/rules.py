"""What can become of a call. Plain functions: a call's standing and a deed give its new standing, or a refusal.

initiated -> ringing -> active -> over; no step is left out, and what is over stays as it is. There is no state that
only a client can end: each has a deadline, which `Lapsed` looks at.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal


class State(StrEnum):
    """As on the wire, where `initiated` is never seen: it lasts no longer than the transaction that rings."""

    INITIATED = "initiated"
    RINGING = "ringing"
    ACTIVE = "active"
    ENDED = "ended"  # after they had talked
    MISSED = "missed"  # nobody answered
    REJECTED = "rejected"  # somebody would not, or could not
    FAILED = "failed"  # it broke


class Reason(StrEnum):
    """Why a call is over."""

    HANGUP = "hangup"
    MAX_DURATION = "max_duration"
    CLOSED = "closed"  # by an admin or a dispatcher who was not in it
    TIMEOUT = "timeout"  # it rang for too long
    CANCELLED = "cancelled"  # by its caller, before anybody answered
    OFFLINE = "offline"  # nobody was there to ring
    DECLINED = "declined"
    BUSY = "busy"
    CONNECTION_LOST = "connection_lost"  # a side went away and did not come back in time
    MEDIA_FAILURE = "media_failure"  # the two could not hear each other


LIVE = (State.INITIATED, State.RINGING, State.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long it rings, how long a side may be away, how long a call lasts."""

    ring: timedelta
    grace: timedelta
    longest: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a call stands. `callee_user_id` (None for a vehicle) and `callee_device` are of who has answered.

    `..._seen_at` is when a side was last known to be connected.
    """

    state: State
    started_at: datetime
    ring_until: datetime
    caller_seen_at: datetime
    callee_seen_at: datetime | None = None
    callee_user_id: int | None = None
    callee_device: str = ""
    callee_name: str = ""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    end_reason: str = ""
    ended_by: str = ""

    @property
    def is_live(self) -> bool:
        """Whether it is not over yet."""
        return self.state in LIVE


@dataclass(frozen=True, slots=True)
class Rang:
    """It rings at the callee."""


@dataclass(frozen=True, slots=True)
class NotReached:
    """It cannot ring: nobody is there, or the callee is in another call."""

    reason: Reason


@dataclass(frozen=True, slots=True)
class Answered:
    """A device of the callee takes it; the first does."""

    user_id: int | None
    device: str
    name: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The callee does not take it."""

    by: str
    reason: Reason = Reason.DECLINED


@dataclass(frozen=True, slots=True)
class HungUp:
    """A side ends it. Before the answer only the caller does: from the callee that is `Rejected`."""

    by: str
    reason: Reason = Reason.HANGUP


@dataclass(frozen=True, slots=True)
class Closed:
    """Somebody who is not in it ends it."""

    by: str


@dataclass(frozen=True, slots=True)
class Lapsed:
    """Time has passed."""

    limits: Limits


Deed = Rang | NotReached | Answered | Rejected | HungUp | Closed | Lapsed


def initiated(*, now: datetime, limits: Limits) -> Standing:
    """How a new call stands."""
    return Standing(state=State.INITIATED, started_at=now, ring_until=now + limits.ring, caller_seen_at=now)


def after(standing: Standing, deed: Deed, now: datetime) -> Standing:
    """How the call stands after the deed; the same standing when there was nothing left to do.

    Whoever ends what is over already has what he wanted. Raises Refusal `conflict`, with the state and who was first,
    for an answer that comes too late and for rejecting what was answered.
    """
    if not standing.is_live:
        if isinstance(deed, Answered):
            raise conflict(standing)
        return standing
    match deed:
        case Rang():
            return _rang(standing)
        case NotReached(reason):
            return _not_reached(standing, reason, now)
        case Answered():
            return _answered(standing, deed, now)
        case Rejected(by, reason):
            return _rejected(standing, by, reason, now)
        case HungUp(by, reason):
            return _hung_up(standing, by, reason, now)
        case Closed(by):
            return _closed(standing, by, now)
        case Lapsed(limits):
            return _lapsed(standing, limits, now)


def _rang(standing: Standing) -> Standing:
    return replace(standing, state=State.RINGING) if standing.state is State.INITIATED else standing


def _not_reached(standing: Standing, reason: Reason, now: datetime) -> Standing:
    if standing.state is not State.INITIATED:
        return standing
    state = State.REJECTED if reason is Reason.BUSY else State.MISSED
    return _over(standing, state, reason, now)


def _answered(standing: Standing, deed: Answered, now: datetime) -> Standing:
    if standing.state is State.ACTIVE and (standing.callee_user_id, standing.callee_device) == (
        deed.user_id,
        deed.device,
    ):
        return standing
    if standing.state is not State.RINGING:
        raise conflict(standing)
    return replace(
        standing,
        state=State.ACTIVE,
        callee_user_id=deed.user_id,
        callee_device=deed.device,
        callee_name=deed.name,
        callee_seen_at=now,
        answered_at=now,
    )


def _rejected(standing: Standing, by: str, reason: Reason, now: datetime) -> Standing:
    if standing.state is State.ACTIVE:
        raise conflict(standing)
    return _over(standing, State.REJECTED, reason, now, by)


def _closed(standing: Standing, by: str, now: datetime) -> Standing:
    state = State.ENDED if standing.state is State.ACTIVE else State.MISSED
    return _over(standing, state, Reason.CLOSED, now, by)


def _hung_up(standing: Standing, by: str, reason: Reason, now: datetime) -> Standing:
    if reason is Reason.MEDIA_FAILURE:
        return _over(standing, State.FAILED, reason, now, by)
    if standing.state is State.ACTIVE:
        return _over(standing, State.ENDED, reason, now, by)
    return _over(standing, State.MISSED, Reason.CANCELLED, now, by)


def _lapsed(standing: Standing, limits: Limits, now: datetime) -> Standing:
    is_caller_lost = now - standing.caller_seen_at >= limits.grace
    if standing.state is not State.ACTIVE:
        if now >= standing.ring_until:
            return _over(standing, State.MISSED, Reason.TIMEOUT, now)
        return _over(standing, State.MISSED, Reason.CONNECTION_LOST, now) if is_caller_lost else standing
    is_callee_lost = standing.callee_seen_at is not None and now - standing.callee_seen_at >= limits.grace
    if is_caller_lost or is_callee_lost:
        return _over(standing, State.FAILED, Reason.CONNECTION_LOST, now)
    if standing.answered_at is not None and now - standing.answered_at >= limits.longest:
        return _over(standing, State.ENDED, Reason.MAX_DURATION, now)
    return standing


def _over(standing: Standing, state: State, reason: Reason, now: datetime, by: str = "") -> Standing:
    return replace(standing, state=state, end_reason=reason.value, ended_at=now, ended_by=by)


def conflict(standing: Standing) -> Refusal:
    """It is no longer what somebody takes it for: what it is now, and by whom."""
    by = standing.ended_by if not standing.is_live else standing.callee_name
    details: dict[str, Any] = {"state": standing.state.value, "by": by}
    if standing.end_reason:
        details["endReason"] = standing.end_reason
    return Refusal(ErrorCode.CONFLICT, f"The call is {standing.state.value}.", details=details)
