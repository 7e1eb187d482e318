"""Who runs a bridge, and how its modem is: one row, which the running process refreshes."""

from datetime import datetime

import structlog
from django.db.models import Case, F, Value, When

from radio.models import RadioBridge
from radio.rules import LinkState
from v2v.fleets.models import Fleet

log = structlog.get_logger(__name__)

_NUMBERS_AHEAD = 1_024  # answers take numbers too, and are not told


def bridge_begin(*, name: str, link: str, port: str, fleet: str, holder: str, now: datetime) -> RadioBridge:
    """The bridge of that name, run by `holder` from now on."""
    its_fleet = Fleet.objects.filter(slug=fleet).first() if fleet else None
    if fleet and its_fleet is None:
        log.error("the radio bridge's fleet does not exist", bridge=name, fleet=fleet)
    changes = {
        "link": link,
        "port": port,
        "fleet": its_fleet,
        "holder": holder,
        "state": LinkState.AWAY.value,
        "state_at": now,
        "seen_at": now,
    }
    bridge, _ = RadioBridge.objects.update_or_create(name=name, defaults=changes)
    return RadioBridge.objects.select_related("fleet").get(pk=bridge.pk)


def bridge_note(*, bridge: RadioBridge, holder: str, state: LinkState, last_sequence: int, now: datetime) -> bool:
    """Say that it is alive; False when another process runs it now."""
    since = Case(When(state=state.value, then=F("state_at")), default=Value(now))
    mine = RadioBridge.objects.filter(pk=bridge.pk, holder=holder)
    return bool(mine.update(state_at=since, state=state.value, seen_at=now, last_sequence=last_sequence))


def sequence_of(last: int) -> int:
    """The number to begin with after a restart."""
    return (last + _NUMBERS_AHEAD) % 0x1_0000
