"""How services tell the realtime engine, which they do not know, that somebody has lost a right.

The console's app hangs a listener here that tells every server process.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.db import transaction


class Reason(StrEnum):
    """Why sessions end."""

    VEHICLE_DISABLED = "vehicle_disabled"
    VEHICLE_DELETED = "vehicle_deleted"
    VEHICLE_MOVED = "vehicle_moved"  # to another fleet or owner: what it may see has changed
    DEVICE_REVOKED = "device_revoked"
    DEVICE_DELETED = "device_deleted"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a reason, not a secret


class Listener(Protocol):
    """Ends the sessions of a vehicle, or of a device and of whoever came in with that device's token."""

    def __call__(self, *, vehicle_pk: int | None, device_pk: int | None, reason: Reason) -> None:
        """Called after commit, in the thread of the service; must return at once and not raise."""


_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have `listener` called for each right that is lost."""
    _listeners.append(listener)


def unlisten(listener: Listener) -> None:
    """Take it off again."""
    _listeners.remove(listener)


def sessions_end(*, vehicle_pk: int | None = None, device_pk: int | None = None, reason: Reason) -> None:
    """Tell the listeners once the transaction is committed; what one of them raises is logged and hurts nobody."""
    for listener in _listeners:
        transaction.on_commit(_Notice(listener, vehicle_pk, device_pk, reason).tell, robust=True)


@dataclass(frozen=True, slots=True)
class _Notice:
    listener: Listener
    vehicle_pk: int | None
    device_pk: int | None
    reason: Reason

    def tell(self) -> None:
        self.listener(vehicle_pk=self.vehicle_pk, device_pk=self.device_pk, reason=self.reason)
