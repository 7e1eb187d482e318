"""Dead letters: who may see them, what they say, and what can be done about them."""

from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from django.db import transaction
from django.db.models import QuerySet

from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import moment
from v2v.tracking.backends import queue_get
from v2v.tracking.models import DeadLetter
from v2v.tracking.queue import QueueUnavailable
from v2v.tracking.records import PositionRecord, records_in
from v2v.vehicles.models import Vehicle

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Said:
    """What a letter says: its position and the name of its vehicle, as far as that is known."""

    record: PositionRecord
    vehicle_id: str
    recorded_at: datetime


def letters_seen(actor: Actor) -> QuerySet[DeadLetter]:
    """Those of the fleets that the actor manages; one that names no fleet is for system admins alone."""
    return DeadLetter.objects.filter(within(actor, Action.MANAGE)).select_related("fleet")


def said_by(letters: list[DeadLetter]) -> dict[int, Said | None]:
    """What each letter says, by primary key; None for one that cannot be read."""
    records = {letter.pk: _record(letter) for letter in letters}
    wanted = {record.vehicle for record in records.values() if record is not None}
    names = dict(Vehicle.objects.filter(pk__in=wanted).values_list("pk", "vehicle_id"))
    return {
        pk: None if record is None else Said(record, names.get(record.vehicle, ""), moment(record.ts))
        for pk, record in records.items()
    }


def letter_send_again(*, letter: DeadLetter) -> bool:
    """Put it into the queue once more; False when somebody else has just done so, or has discarded it.

    Raises Refusal `validation_error` for one that cannot be read, and `unavailable`.
    """
    if _record(letter) is None:
        raise Refusal(ErrorCode.VALIDATION_ERROR, "It cannot be read, so it cannot be sent again.")
    try:
        with transaction.atomic():
            if not DeadLetter.objects.filter(pk=letter.pk).delete()[0]:
                return False
            queue_get().put([(bytes(letter.payload), 1)])
    except QueueUnavailable:
        raise Refusal(ErrorCode.UNAVAILABLE, "The queue takes nothing at the moment. Try again later.") from None
    log.info("dead letter sent again", key=letter.key)
    return True


def letter_discard(*, letter: DeadLetter) -> bool:
    """Give it up for good; False when it is gone already."""
    if not DeadLetter.objects.filter(pk=letter.pk).delete()[0]:
        return False
    log.info("dead letter discarded", key=letter.key, reason=letter.reason)
    return True


def _record(letter: DeadLetter) -> PositionRecord | None:
    try:
        records = records_in(bytes(letter.payload))
    except msgspec.MsgspecError:
        return None
    return records[0] if len(records) == 1 else None
