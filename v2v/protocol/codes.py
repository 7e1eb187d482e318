"""Error and close codes, each with its words: the one place that socket, API, pages and docs read."""

from enum import IntEnum, StrEnum
from typing import NamedTuple


class ErrorCode(StrEnum):
    """Why a command or a request was refused."""

    INVALID_REGISTER = "invalid_register"
    INVALID_LOCATION = "invalid_location"
    UNKNOWN_EVENT = "unknown_event"
    TARGET_OFFLINE = "target_offline"
    RATE_LIMITED = "rate_limited"
    AUTH_FAILED = "auth_failed"
    VALIDATION_ERROR = "validation_error"
    NOT_REGISTERED = "not_registered"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    LOCKED = "locked"
    EXPIRED = "expired"
    CLOCK_SKEW = "clock_skew"
    UNAVAILABLE = "unavailable"
    INTERNAL_ERROR = "internal_error"


class ErrorText(NamedTuple):
    """What a person is told: what happened and what to do; and the status that HTTP gives it."""

    title: str
    advice: str
    http_status: int


ERRORS: dict[ErrorCode, ErrorText] = {
    ErrorCode.INVALID_REGISTER: ErrorText(
        "The registration is not valid.",
        "Check the vehicle id and the named field, then register again.",
        400,
    ),
    ErrorCode.INVALID_LOCATION: ErrorText(
        "The position is not valid.", "Check the named field: degrees, meters per second, milliseconds.", 400
    ),
    ErrorCode.UNKNOWN_EVENT: ErrorText(
        "The server does not know this event.", "Check the event's name, or update the client.", 400
    ),
    ErrorCode.TARGET_OFFLINE: ErrorText("The other side is offline.", "Try again once it is back online.", 409),
    ErrorCode.RATE_LIMITED: ErrorText(
        "Too many requests in a short time.", "Wait the time given, then try again.", 429
    ),
    ErrorCode.AUTH_FAILED: ErrorText("The credentials were not accepted.", "Sign in again or get a new token.", 401),
    ErrorCode.VALIDATION_ERROR: ErrorText("The input is not valid.", "Correct the named field and send it again.", 400),
    ErrorCode.NOT_REGISTERED: ErrorText("The vehicle has not registered yet.", "Register first.", 409),
    ErrorCode.FORBIDDEN: ErrorText(
        "You may not do this.", "Ask an admin of the fleet for the role that it needs.", 403
    ),
    ErrorCode.NOT_FOUND: ErrorText(
        "It does not exist, or not for you.", "Check the id; it may have been removed.", 404
    ),
    ErrorCode.CONFLICT: ErrorText("Somebody else changed it first.", "Load it again and repeat your change.", 409),
    ErrorCode.LOCKED: ErrorText(
        "Somebody else is working on it.", "Wait until it is released, or ask the holder.", 423
    ),
    ErrorCode.EXPIRED: ErrorText("It came too late to be of use.", "Send it anew if it still matters.", 410),
    ErrorCode.CLOCK_SKEW: ErrorText(
        "The device's clock is wrong.", "Set the device's clock by the network's time.", 400
    ),
    ErrorCode.UNAVAILABLE: ErrorText(
        "This is not available at the moment.", "Nothing is lost: try again shortly.", 503
    ),
    ErrorCode.INTERNAL_ERROR: ErrorText(
        "Something went wrong in the server.", "Try again; report it if it stays.", 500
    ),
}


class CloseCode(IntEnum):
    """Why the server closed a socket."""

    NORMAL = 1000
    BINARY = 1003
    INVALID_UTF8 = 1007
    TOO_LARGE = 1009
    RESTARTING = 1012
    OVERLOADED = 1013
    MALFORMED = 4400
    AUTH_FAILED = 4401
    FORBIDDEN = 4403
    TIMED_OUT = 4408
    REPLACED = 4409
    REMOVED = 4410
    ABUSE = 4429
    SLOW_READER = 4431


class CloseText(NamedTuple):
    """The reason that goes with the close frame, and whether a client should connect again by itself."""

    reason: str
    reconnect: bool


CLOSES: dict[CloseCode, CloseText] = {
    CloseCode.NORMAL: CloseText("closed", reconnect=False),
    CloseCode.BINARY: CloseText("binary frames are not taken", reconnect=False),
    CloseCode.INVALID_UTF8: CloseText("invalid UTF-8", reconnect=False),
    CloseCode.TOO_LARGE: CloseText("frame over 64 KiB", reconnect=False),
    CloseCode.RESTARTING: CloseText("the server restarts", reconnect=True),
    CloseCode.OVERLOADED: CloseText("overloaded, back off", reconnect=True),
    CloseCode.MALFORMED: CloseText("malformed messages again and again", reconnect=False),
    CloseCode.AUTH_FAILED: CloseText("authentication failed", reconnect=False),
    CloseCode.FORBIDDEN: CloseText("forbidden", reconnect=False),
    CloseCode.TIMED_OUT: CloseText("no register, or no sign of life, in time", reconnect=True),
    CloseCode.REPLACED: CloseText("replaced by a newer connection", reconnect=False),
    CloseCode.REMOVED: CloseText("account or device removed", reconnect=False),
    CloseCode.ABUSE: CloseText("too many refused messages", reconnect=True),
    CloseCode.SLOW_READER: CloseText("too slow a reader", reconnect=True),
}
