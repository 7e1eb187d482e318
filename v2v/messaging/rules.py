"""What may become of a message, how long it is good for, and which conversation it belongs to."""

from enum import StrEnum

from v2v.protocol.fields import CLOCK_SKEW_MS

DEFAULT_TTL_MS = 24 * 3600 * 1000
EVERYBODY = "*"  # the conversation of what goes to the whole fleet; no vehicle can be called so


class Status(StrEnum):
    """Where a message is on its way to one recipient.

    Delivered means that a client of the recipient has said so: that the server wrote it to a socket proves nothing.
    """

    QUEUED = "queued"
    DELIVERED = "delivered"
    READ = "read"
    EXPIRED = "expired"


_NEXT: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.DELIVERED, Status.READ, Status.EXPIRED}),
    Status.DELIVERED: frozenset({Status.READ}),
    Status.READ: frozenset(),
    Status.EXPIRED: frozenset(),
}
UNREAD = (Status.QUEUED, Status.DELIVERED)


def may_become(now: Status, then: Status) -> bool:
    """Whether one follows the other; nothing goes back, and nothing follows `read` or `expired`."""
    return then in _NEXT[now]


def before(then: Status) -> list[Status]:
    """What may become `then`: the condition of the UPDATE that makes it so."""
    return [status for status in Status if may_become(status, then)]


def good_until_ms(*, now_ms: int, sent_ms: int | None, ttl_ms: int | None) -> int:
    """When a message that comes in now expires; not after now when it is over already.

    Within the tolerated skew of clocks the server's counts. A message that waited for a connection for longer than that
    has used up some of its time.
    """
    began_ms = now_ms if sent_ms is None or sent_ms >= now_ms - CLOCK_SKEW_MS else sent_ms
    return began_ms + (ttl_ms or DEFAULT_TTL_MS)


def conversation_key(vehicle_ids: list[str]) -> str:
    """The name, within its fleet, of a conversation: the vehicles that take part, beside dispatch.

    `truck-7` with dispatch, `truck-7:truck-9` between two vehicles, `*` for what goes to everybody.
    """
    return ":".join(sorted(vehicle_ids)) or EVERYBODY
