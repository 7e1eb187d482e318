"""What ends calls that nobody ends. Any number of processes may run it at once."""

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

from v2v.calls import rules
from v2v.calls.deeds import call_change, call_limits
from v2v.calls.models import IS_LIVE, CallSession
from v2v.calls.parties import Side
from v2v.calls.rules import State
from v2v.calls.selectors import WHOLE

_AT_ONCE = 100


def calls_seen(present: Collection[tuple[uuid.UUID, Side]], *, now: datetime) -> frozenset[uuid.UUID]:
    """Note that these sides of live calls are connected; which of the calls are live.

    What waited for the database until after a newer note, or after the grace was given again, takes neither back.
    """
    for side in ("caller", "callee"):
        pks = [pk for pk, which in present if which == side]
        if pks:
            is_newer = Q(**{f"{side}_seen_at": None}) | Q(**{f"{side}_seen_at__lt": now})
            CallSession.objects.filter(IS_LIVE, is_newer, pk__in=pks).update(**{f"{side}_seen_at": now})
    return frozenset(CallSession.objects.filter(IS_LIVE, pk__in={pk for pk, _ in present}).values_list("pk", flat=True))


def calls_lapse(*, now: datetime) -> bool:
    """End up to 100 calls whose time is over; whether there were any. Any number may run at once."""
    limits = call_limits()
    lost = now - limits.grace
    is_due = (
        (~Q(state=State.ACTIVE.value) & Q(ring_until__lte=now))
        | Q(caller_seen_at__lte=lost)
        | Q(callee_seen_at__lte=lost)
        | Q(answered_at__lte=now - limits.longest)
    )
    calls = list(CallSession.objects.select_related(*WHOLE).filter(IS_LIVE, is_due)[:_AT_ONCE])
    for call in calls:
        with transaction.atomic():
            call_change(call, rules.Lapsed(limits), now=now)
    return bool(calls)


def calls_grace_again(*, now: datetime) -> int:
    """Give both sides of every live call the whole grace from now; how many calls that were."""
    live_calls = CallSession.objects.filter(IS_LIVE)
    live_calls.filter(callee_seen_at__isnull=False).update(callee_seen_at=now)
    return live_calls.update(caller_seen_at=now)


def calls_of_removed_end(*, now: datetime) -> bool:
    """End up to 100 calls of vehicles that were disabled or deleted; whether there were any.

    Their sockets are closed at once; without this the other side would wait out the whole grace.
    """
    is_removed = Q()
    for side in ("caller", "callee"):
        is_removed |= Q(**{f"{side}_vehicle__disabled_at__isnull": False})
        is_removed |= Q(**{f"{side}_vehicle__deleted_at__isnull": False})
    calls = list(CallSession.objects.select_related(*WHOLE).filter(IS_LIVE, is_removed)[:_AT_ONCE])
    for call in calls:
        with transaction.atomic():
            call_change(call, rules.Closed(""), now=now)
    return bool(calls)
