"""What goes over the air first, how long it is tried, and which clocks are believed. Plain functions."""

from datetime import timedelta
from enum import StrEnum

from radio.link.payloads import Status
from v2v.protocol.fields import CLOCK_SKEW_MS


class LinkState(StrEnum):
    """Whether the modem is there."""

    UP = "up"
    AWAY = "away"
    STOPPED = "stopped"


SEEN_WITHIN = timedelta(seconds=15)  # a bridge that is silent for longer has died
HEARD_WITHIN = timedelta(hours=1)  # a node that was heard so lately can be reached
FALLBACK_AFTER = timedelta(seconds=10)  # a client that is really there has said by then that the message came
ALERT_TTL = timedelta(hours=1)
NEWS_TTL = timedelta(hours=24)  # what became of an alert, to its sender
DUPLICATE_WITHIN = timedelta(minutes=10)
EMERGENCY_EVERY = timedelta(seconds=10)  # of one node, as of one vehicle on the socket
TEXT_TTL = timedelta(hours=24)
_FIRST_PAUSE = timedelta(seconds=30)  # about as long as one round of five tries takes
_LONGEST_PAUSE = timedelta(minutes=15)


def pause_after(rounds: int) -> timedelta:
    """How long a frame that was given up `rounds` times rests before its node, when it is heard, gets it again.

    The air is slow and shared: a node that hears nothing but is heard must not use it up.
    """
    doubled: int = 2 ** min(rounds - 1, 10)
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * doubled)


def fix_time(*, said_s: int | None, now_ms: int) -> tuple[int, int | None]:
    """When a position was taken (epoch ms), and how far the node's clock is ahead (seconds; None: it has none).

    That of a node without a clock is as old as its frame. One whose clock is wrong is believed all the
    same, so that what it says is refused or kept as history like anybody's, and never taken for the newest.
    """
    if said_s is None:
        return now_ms, None
    return said_s * 1000, round(said_s - now_ms / 1000)


def is_off(clock_offset_s: int | None) -> bool:
    """Whether a clock is further off than is tolerated."""
    return clock_offset_s is not None and abs(clock_offset_s) * 1000 > CLOCK_SKEW_MS


NEWS_WORDS = {
    Status.DISPLAYED: "A dispatcher sees your alert.",
    Status.ACKNOWLEDGED: "A dispatcher has taken your alert.",
    Status.RESOLVED: "Your alert is closed.",
}


def alert_news(change: str) -> Status | None:
    """What the sender of an alert is told of a change; None for what is not worth the air."""
    return {
        "displayed": Status.DISPLAYED,
        "acknowledged": Status.ACKNOWLEDGED,
        "assigned": Status.ACKNOWLEDGED,
        "resolved": Status.RESOLVED,
        "negated": Status.RESOLVED,
    }.get(change)
