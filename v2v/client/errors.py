"""What the client raises."""

from typing import Any

from v2v.protocol import events


class ClientError(Exception):
    """The client could not do what it was asked."""


class Stopped(ClientError):
    """The client has stopped for good: it was closed, or the server said not to come back; `code` is why."""

    def __init__(self, reason: str, code: int | str | None = None) -> None:
        self.reason = reason
        self.code = code
        super().__init__(reason if code is None else f"{reason} ({code})")


class NotConnected(ClientError):
    """There is no connection now, and the command is none that waits for one."""


class TooManyPending(ClientError):
    """So many commands wait for their answer that no other is taken."""


class CommandRefused(ClientError):
    """The server's answer was an error: `code` of the contract, words for people, `details` for programs."""

    def __init__(self, error: events.Error.Data) -> None:
        self.code = error.code
        self.message = error.message
        self.details: dict[str, Any] = error.details or {}
        super().__init__(f"{error.code}: {error.message}")

    @property
    def retry_after_ms(self) -> int | None:
        """How long to wait before another try, where the server said so."""
        wait = self.details.get("retryAfterMs")
        return int(wait) if isinstance(wait, int | float) else None
