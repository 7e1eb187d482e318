"""The list of calls as the console shows it: what is live, then what was, and what nobody has called back."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from v2v.calls.models import IS_LIVE, CallSession
from v2v.calls.rules import Reason, State
from v2v.calls.selectors import calls_where
from v2v.fleets.policy import Actor

PAGE = 50
LONGEST = 500  # rows in one answer: a list that was scrolled that far is fetched again whole
MAX_LIVE = 100
MISSED_FOR = timedelta(hours=24)  # what nobody has called back within it is history

ALL, MISSED, ANSWERED = "", "missed", "answered"
_UNHEARD = [Reason.TIMEOUT.value, Reason.CANCELLED.value, Reason.CONNECTION_LOST.value, Reason.OFFLINE.value]


@dataclass(frozen=True, slots=True)
class CallChoice:
    """Which calls: all, those missed or those answered; of whom `search` names; `count` before the call `before`."""

    which: str = ALL
    search: str = ""
    before: uuid.UUID | None = None
    count: int = PAGE


@dataclass(frozen=True, slots=True)
class CallPage:
    """`live` on the first page only. `next_before` is the call before which the next page is, if there is one."""

    live: list[CallSession]
    past: list[CallSession]
    next_before: uuid.UUID | None
    waiting: frozenset[uuid.UUID]  # of `past`, what nobody has called back


def call_page(*, actor: Actor, choice: CallChoice, now: datetime) -> CallPage:
    """The chosen calls that the actor may view, the newest first."""
    calls = _chosen(calls_where(actor), choice)
    live = [] if choice.before or choice.which == MISSED else list(calls.filter(IS_LIVE)[:MAX_LIVE])
    over = calls.exclude(IS_LIVE)
    if choice.before is not None:
        # A call of another's fleet, or none: then there is nothing before it.
        at = calls_where(actor).filter(pk=choice.before).values_list("started_at", flat=True).first()
        over = over.filter(Q(started_at__lt=at) | Q(started_at=at, pk__lt=choice.before)) if at else over.none()
    found = list(over[: choice.count + 1])
    past = found[: choice.count]
    waiting = _waiting(CallSession.objects.filter(pk__in=[call.pk for call in past]), now)
    return CallPage(
        live=live,
        past=past,
        next_before=past[-1].pk if len(found) > choice.count else None,
        waiting=frozenset(waiting.values_list("pk", flat=True)),
    )


def calls_waiting(*, actor: Actor, now: datetime) -> int:
    """How many vehicles have called dispatch, were not answered, and nobody has called back."""
    waiting = _waiting(calls_where(actor), now)
    return waiting.order_by().values("caller_vehicle").distinct().count()


def call_seen(actor: Actor, call_id: str) -> CallSession | None:
    """The call of that id, if there is one that the actor may view."""
    try:
        key = uuid.UUID(call_id)
    except ValueError:
        return None
    return calls_where(actor).filter(pk=key).first()


def call_waits(call: CallSession, *, now: datetime) -> bool:
    """Whether nobody has called back."""
    return _waiting(CallSession.objects.filter(pk=call.pk), now).exists()


def _chosen(calls: QuerySet[CallSession], choice: CallChoice) -> QuerySet[CallSession]:
    if choice.which == MISSED:
        calls = calls.filter(state=State.MISSED.value)
    elif choice.which == ANSWERED:
        calls = calls.filter(answered_at__isnull=False)
    if text := choice.search:
        calls = calls.filter(
            Q(caller_vehicle__vehicle_id__icontains=text)
            | Q(callee_vehicle__vehicle_id__icontains=text)
            | Q(caller_name__icontains=text)
            | Q(callee_name__icontains=text)
        )
    return calls


def _waiting(calls: QuerySet[CallSession], now: datetime) -> QuerySet[CallSession]:
    """A missed call waits until dispatch has rung the vehicle, or has answered it, after that."""
    later = CallSession.objects.filter(started_at__gt=OuterRef("started_at"))
    rung_back = later.filter(callee_vehicle=OuterRef("caller_vehicle"), caller_user__isnull=False)
    answered = later.filter(caller_vehicle=OuterRef("caller_vehicle"), callee_user__isnull=False)
    missed = calls.filter(
        state=State.MISSED.value, end_reason__in=_UNHEARD, callee_vehicle=None, started_at__gt=now - MISSED_FOR
    )
    return missed.filter(~Exists(rung_back), ~Exists(answered))
