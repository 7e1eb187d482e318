"""A radio link on its own thread: opens the port, reads, writes, and opens it again when it was lost."""

from collections.abc import Callable, Mapping
from typing import Literal

from radio.link.payloads import Status
from radio.link.traffic import LinkEvent, Outgoing, Received, State

LinkKind = Literal["frame", "meshtastic"]


class RadioLink:
    """One modem. All methods may be called from any thread, and none waits."""

    @property
    def state(self) -> State:
        """Whether the modem is there."""
        raise NotImplementedError

    @property
    def counts(self) -> Mapping[str, int]:
        """Frames by what became of them: `good`, `sent`, `repeats`, and each reason for which one was refused."""
        raise NotImplementedError

    def send(self, item: Outgoing) -> None:
        """Queue an item. Raises `Full` when there is no room, `BadPayload` when it cannot be sent at all."""
        raise NotImplementedError

    def acknowledge(self, received: Received, status: Status = Status.ACCEPTED) -> None:
        """Answer a frame, once what it carries is stored. One that wants no answer gets none."""
        raise NotImplementedError

    def close(self) -> None:
        """End within 2 s; what is queued is dropped without an event."""
        raise NotImplementedError


def open_link(
    kind: LinkKind,
    url: str,
    baud: int = 115_200,
    *,
    on_event: Callable[[LinkEvent], None],
    address: int = 1,
    first_sequence: int = 0,
    air_bits_per_s: int = 9_600,
) -> RadioLink:
    """Start a link on any pyserial URL.

    `on_event` is called on the link's thread and must not block. `address` is the link's own (a Meshtastic radio
    brings its own). Frames are numbered from `first_sequence`; start again a good way behind the last that was seen,
    such as 1,024, since answers take numbers too. `air_bits_per_s` is what the modem can send.
    """
    raise NotImplementedError
