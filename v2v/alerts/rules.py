"""What can become of an alert. Plain functions: an alert's standing and a deed give its new standing, or a refusal.

An alert is open until a dispatcher acknowledges or assigns it, and active until it is resolved by a dispatcher,
cancelled by its sender or negated by a dispatcher on a third party's word (ETSI EN 302 637-3: cancellation and
negation). Nothing ends by the clock: an alert that nobody acknowledges is told again, louder, and stays open.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms

POSITION_VALID = timedelta(seconds=600)  # validityDuration of a DENM, unless it says otherwise
MAX_ESCALATIONS = 20

# causeCode of ETSI TS 102 894-2: accident, human problem, vehicle breakdown; a dangerous situation is all the rest.
CAUSE_CODES = {"crash": 2, "medical": 93, "breakdown": 91, "hazard": 99, "security": 99, "other": 99}
_RANKS = {"low": 0, "medium": 1, "high": 2, "critical": 3}


class State(StrEnum):
    """As on the wire."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"
    NEGATED = "negated"


ACTIVE = (State.OPEN, State.ACKNOWLEDGED, State.ASSIGNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an alert stands. Names of people and vehicles, empty where there is none.

    `answered_at` is when it was first taken; `acked_at` and `acked_by` are of who has it now: an alert that is worse
    than when it was taken is nobody's again.
    """

    state: State
    severity: str
    displayed_at: datetime | None = None
    displayed_by: str = ""
    answered_at: datetime | None = None
    acked_at: datetime | None = None
    acked_by: str = ""
    assigned_to: str = ""
    closed_at: datetime | None = None
    closed_by: str = ""
    disposition: str = ""
    escalate_at: datetime | None = None
    escalation_level: int = 0

    @property
    def is_active(self) -> bool:
        """Whether anything is left to do."""
        return self.state in ACTIVE


@dataclass(frozen=True, slots=True)
class Displayed:
    """A dispatcher's screen shows it."""

    by: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A dispatcher takes it."""

    by: str


@dataclass(frozen=True, slots=True)
class Assigned:
    """A dispatcher gives it to somebody; from `replaces`, if it was somebody's."""

    by: str
    assignee: str
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A dispatcher closes it, as valid or false."""

    by: str
    disposition: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Negated:
    """A dispatcher declares it over on a third party's word."""

    by: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Its sender takes it back."""

    by: str


@dataclass(frozen=True, slots=True)
class Updated:
    """Its sender says more; a higher severity opens it again. It escalates after `escalate_after` without an answer."""

    severity: str | None
    escalate_after: timedelta


@dataclass(frozen=True, slots=True)
class Escalated:
    """Nobody has taken it in time."""

    interval: timedelta


Deed = Displayed | Acknowledged | Assigned | Resolved | Negated | Cancelled | Updated | Escalated


def opened(*, severity: str, now: datetime, escalate_after: timedelta) -> Standing:
    """How a new alert stands."""
    return Standing(state=State.OPEN, severity=severity, escalate_at=now + escalate_after)


def after(standing: Standing, deed: Deed, now: datetime) -> Standing:
    """How the alert stands after the deed; the same standing when there was nothing left to do.

    Raises Refusal: `conflict`, with who was first, when it is no longer what the deed takes it for;
    `validation_error` for a false alert without a note.
    """
    match deed:
        case Escalated(interval):
            return _escalated(standing, interval, now)
        case Displayed(by):
            return _displayed(standing, by, now)
        case Acknowledged(by):
            return _acknowledged(standing, by, now)
        case Assigned():
            return _assigned(standing, deed, now)
        case Updated():
            return _updated(standing, deed, now)
        case _:
            return _closed(standing, deed, now)


def _displayed(standing: Standing, by: str, now: datetime) -> Standing:
    if standing.displayed_at is not None or not standing.is_active:
        return standing
    return replace(standing, displayed_at=now, displayed_by=by)


def _acknowledged(standing: Standing, by: str, now: datetime) -> Standing:
    if standing.is_active and standing.acked_by == by:
        return standing
    if standing.state is not State.OPEN:
        raise _taken(standing)
    return replace(_taken_by(standing, by, now), state=State.ACKNOWLEDGED)


def _assigned(standing: Standing, deed: Assigned, now: datetime) -> Standing:
    if standing.state is State.ASSIGNED and standing.assigned_to == deed.assignee:
        return standing
    if not standing.is_active or standing.assigned_to != deed.replaces:
        raise _taken(standing)
    return replace(_taken_by(standing, deed.by, now), state=State.ASSIGNED, assigned_to=deed.assignee)


def _taken_by(standing: Standing, by: str, now: datetime) -> Standing:
    """Taken, if it was nobody's: no longer waiting for an answer."""
    if standing.acked_at is not None:
        return standing
    answered_at = standing.answered_at or now
    return replace(standing, acked_at=now, acked_by=by, answered_at=answered_at, escalate_at=None)


def _updated(standing: Standing, deed: Updated, now: datetime) -> Standing:
    if not standing.is_active:
        raise _taken(standing)
    if deed.severity is None or not is_worse(deed.severity, standing.severity):
        return standing
    if standing.state is State.OPEN:
        return replace(standing, severity=deed.severity)
    return replace(
        standing,
        state=State.OPEN,
        severity=deed.severity,
        acked_at=None,
        acked_by="",
        assigned_to="",
        escalate_at=now + deed.escalate_after,
        escalation_level=0,
    )


def _escalated(standing: Standing, interval: timedelta, now: datetime) -> Standing:
    if standing.state is not State.OPEN or standing.escalate_at is None or standing.escalate_at > now:
        return standing
    level = standing.escalation_level + 1
    next_at = now + interval if level < MAX_ESCALATIONS else None
    return replace(standing, escalation_level=level, escalate_at=next_at)


def _closed(standing: Standing, deed: Resolved | Negated | Cancelled, now: datetime) -> Standing:
    state, disposition = State.RESOLVED, ""
    match deed:
        case Resolved(_, disposition, note):
            if disposition == "false" and not note.strip():
                issue = "A false alert needs a note that says why."
                raise Refusal(ErrorCode.VALIDATION_ERROR, issue, details={"field": "note", "issue": issue})
        case Negated():
            state = State.NEGATED
        case Cancelled():
            state = State.CANCELLED
    if (standing.state, standing.closed_by, standing.disposition) == (state, deed.by, disposition):
        return standing
    if not standing.is_active:
        raise _taken(standing)
    # A dispatcher who closes what nobody had taken has thereby answered it; its sender has not.
    taken = standing if isinstance(deed, Cancelled) else _taken_by(standing, deed.by, now)
    return replace(taken, state=state, disposition=disposition, closed_at=now, closed_by=deed.by, escalate_at=None)


def _taken(standing: Standing) -> Refusal:
    """Somebody was first: who, and what it is now."""
    by = standing.closed_by or standing.assigned_to or standing.acked_by
    at = standing.closed_at or standing.acked_at
    details: dict[str, Any] = {"state": standing.state.value, "by": by}
    if at is not None:
        details["at"] = epoch_ms(at)
    message = f"It is {standing.state.value}, by {by}." if by else f"It is {standing.state.value}."
    return Refusal(ErrorCode.CONFLICT, message, details=details)


def is_worse(severity: str, than: str) -> bool:
    """Whether a severity is higher than another."""
    return _RANKS[severity] > _RANKS[than]


def position_is_stale(fix_at: datetime | None, now: datetime) -> bool:
    """Whether a position is too old to be where the alert is now; none is never stale."""
    return fix_at is not None and now - fix_at > POSITION_VALID
