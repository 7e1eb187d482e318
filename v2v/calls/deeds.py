"""One way to change a call: apply a deed as the rules say, store it if nobody was between, tell after the commit."""

from dataclasses import asdict, fields
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction

from v2v.calls import metrics, rules
from v2v.calls.models import CallEvent, CallSession
from v2v.calls.rules import State
from v2v.calls.selectors import WHOLE
from v2v.calls.telling import tell_incoming, tell_state
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal

log = structlog.get_logger(__name__)

Kind = CallEvent.Kind
_TRIES = 10  # as many changes of one call at the same moment as one more can wait for
_STANDING = [field.name for field in fields(rules.Standing)]


def call_limits() -> rules.Limits:
    """From the settings."""
    return rules.Limits(
        ring=timedelta(milliseconds=settings.CALL_RINGING_TIMEOUT_MS),
        grace=timedelta(milliseconds=settings.CALL_GRACE_MS),
        longest=timedelta(milliseconds=settings.CALL_MAX_DURATION_MS),
    )


def standing_of(call: CallSession) -> rules.Standing:
    """The part of a call that the rules decide on."""
    values = {name: getattr(call, name) for name in _STANDING}
    return rules.Standing(**{**values, "state": State(call.state)})


def columns_of(standing: rules.Standing) -> dict[str, Any]:
    """The same as the values of a call's columns."""
    return {**asdict(standing), "state": standing.state.value}


def call_change(
    call: CallSession,
    deed: rules.Deed,
    *,
    now: datetime,
    by: str = "",
    sender_key: str = "",
    client_id: str = "",
) -> CallSession:
    """Apply a deed to the call as it is now; the call after it. In the caller's transaction."""
    for _ in range(_TRIES):
        current = CallSession.objects.select_related(*WHOLE).get(pk=call.pk)
        before = standing_of(current)
        after = rules.after(before, deed, now)
        if after == before:
            return current
        changed = {**columns_of(after), "version": current.version + 1}
        if not CallSession.objects.filter(pk=call.pk, version=current.version).update(**changed):
            continue  # somebody else was between: look again
        current = CallSession.objects.select_related(*WHOLE).get(pk=call.pk)
        call_note(current, by=by, now=now, sender_key=sender_key, client_id=client_id)
        return current
    raise Refusal(ErrorCode.UNAVAILABLE)


def call_note(call: CallSession, *, now: datetime, by: str = "", sender_key: str = "", client_id: str = "") -> None:
    """Add what the call has become to its history, and tell everybody after the commit."""
    kind = Kind.ANSWERED if call.state == State.ACTIVE else Kind(call.state)
    history_add(call, kind, by=by, now=now, reason=call.end_reason, sender_key=sender_key, client_id=client_id)
    if call.state == State.RINGING:
        tell_incoming(call, now=now)
    tell_state(call)
    transaction.on_commit(partial(_count, call), robust=True)


def _count(call: CallSession) -> None:
    if not call.is_live:
        metrics.SESSIONS.labels(call.state, call.end_reason).inc()
        log.info("call over", call=str(call.pk), state=call.state, reason=call.end_reason, by=call.ended_by)
    elif call.answered_at is not None:
        metrics.ANSWER.observe((call.answered_at - call.started_at).total_seconds())
        log.info("call answered", call=str(call.pk), by=call.callee_name)


def history_add(
    call: CallSession,
    kind: CallEvent.Kind,
    *,
    by: str,
    now: datetime,
    reason: str = "",
    sender_key: str = "",
    client_id: str = "",
) -> None:
    """Add a line to the call\'s history."""
    CallEvent.objects.create(
        call=call, kind=kind, at=now, by=by, reason=reason, sender_key=sender_key, client_id=client_id
    )
