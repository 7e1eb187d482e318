"""A radio link on its own thread: opens the port, reads, writes, and opens it again when it was lost."""

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Literal

import serial

from radio.link.meshtastic import MeshtasticLink
from radio.link.payloads import Status
from radio.link.protocol import Link
from radio.link.traffic import Conversation, LinkEvent, LinkLost, Outgoing, Received, State, StateChanged

LinkKind = Literal["frame", "meshtastic"]

READ_S = 0.02  # how long what was queued may wait for a silent port
WRITE_S = 1.0  # a modem that takes nothing for so long is lost
READ_BYTES = 4_096
CLOSE_S = 2.0
REOPEN_S = (0.5, 10.0)  # the first wait and the longest; the next is the first again once it has been open

logger = logging.getLogger(__name__)


class RadioLink:
    """One modem. All methods may be called from any thread, and none but `close` waits."""

    def __init__(self, conversation: Conversation, url: str, baud: int, on_event: Callable[[LinkEvent], None]) -> None:
        serial.serial_for_url(url, baud, do_not_open=True)  # ValueError for what no port can be
        self._conversation = conversation
        self._url = url
        self._baud = baud
        self._on_event = on_event
        self._lock = threading.Lock()  # over the conversation; held for computing only, never while waiting
        self._closing = threading.Event()
        self._last_state = StateChanged(state=State.AWAY, reason="not opened yet")
        self._reopen_s = REOPEN_S[0]
        self._random = Random()  # noqa: S311 - jitter, not secrets
        self._thread = threading.Thread(target=self._run, name=f"radio {url}", daemon=True)
        self._thread.start()

    @property
    def state(self) -> State:
        """Whether the modem is there."""
        return State.CLOSED if self._closing.is_set() else self._last_state.state

    @property
    def counts(self) -> Counter[str]:
        """Frames by what became of them: `good`, `sent`, `repeats`, and each reason for which one was refused."""
        with self._lock:
            return Counter(self._conversation.counts)

    def send(self, item: Outgoing) -> None:
        """Queue an item. Raises `Full` when there is no room, `BadPayload` when it cannot be sent at all."""
        with self._lock:
            self._conversation.offer(item)

    def acknowledge(self, received: Received, status: Status = Status.ACCEPTED) -> None:
        """Answer a frame, once what it carries is stored. One that wants no answer gets none."""
        with self._lock:
            self._conversation.acknowledge(received, status, time.monotonic())

    def close(self) -> None:
        """End within 2 s; what is queued is dropped without an event, and no event comes after it.

        Not to be called from `on_event`. A connection that is being made to a silent host outlives this by some
        seconds, on a thread that does nothing any more.
        """
        self._closing.set()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        while not self._closing.is_set():
            reason = self._connect()
            with self._lock:
                self._conversation.closed(time.monotonic(), reason)
                events = self._conversation.take_events()
            self._tell(events)
            self._closing.wait(self._reopen_s * self._random.uniform(0.75, 1.25))
            self._reopen_s = min(self._reopen_s * 2, REOPEN_S[1])

    def _connect(self) -> str:
        """Speak over the port until it is lost; in which words that was."""
        try:
            with contextlib.closing(self._open()) as port:
                self._converse(port)
        except (OSError, LinkLost) as error:
            return str(error)
        except Exception as error:  # drivers raise all kinds (termios.error is no OSError), and the thread must not end
            logger.exception("The radio link on %s stumbled and is opened anew", self._url)
            return f"{type(error).__name__}: {error}"
        return "closed"

    def _open(self) -> serial.SerialBase:
        # exclusive: two bridges on one modem would each get half of the bytes
        return serial.serial_for_url(self._url, self._baud, timeout=READ_S, write_timeout=WRITE_S, exclusive=True)

    def _converse(self, port: serial.SerialBase) -> None:
        self._reopen_s = REOPEN_S[0]
        with self._lock:
            self._conversation.opened(time.monotonic())
        while not self._closing.is_set():
            received = port.read(READ_BYTES)
            with self._lock:
                now = time.monotonic()
                self._conversation.receive(received, now)
                outgoing = self._outgoing(now)
                events = self._conversation.take_events()
            self._tell(events)
            if outgoing:
                port.write(outgoing)

    def _outgoing(self, now: float) -> bytes:
        pieces = []
        while piece := self._conversation.transmit(now):
            pieces.append(piece)
        return b"".join(pieces)

    def _tell(self, events: list[LinkEvent]) -> None:
        for event in events:
            if isinstance(event, StateChanged):
                if event == self._last_state:
                    continue
                self._last_state = event
            if self._closing.is_set():
                return
            try:
                self._on_event(event)
            except Exception:
                logger.exception("A radio event was lost by who was told of it")


def open_link(
    kind: LinkKind,
    url: str,
    baud: int = 115_200,
    *,
    on_event: Callable[[LinkEvent], None],
    address: int = 1,
    first_sequence: int = 0,
    air_bits_per_s: int = 9_600,
    version: int = 1,
) -> RadioLink:
    """Start a link on any pyserial URL. Raises ValueError for a URL, an address or a version that cannot be.

    `on_event` is called on the link's thread and must not block. `address` is the link's own (a Meshtastic radio
    brings its own). Frames are numbered from `first_sequence`; start again a good way behind the last that was seen,
    such as 1,024, since answers take numbers too. `air_bits_per_s` is what the modem can send, and at most
    what the line carries; `version` that of
    frames to everybody (2 has the longer check). A Meshtastic radio does its own pacing.
    """
    conversation: Conversation
    if kind == "meshtastic":
        conversation = MeshtasticLink(first_sequence=first_sequence)
    else:
        conversation = Link(
            address=address,
            first_sequence=first_sequence,
            air_bits_per_s=min(air_bits_per_s, baud * 8 // 10),
            answers_emergencies=True,
            version=version,
        )
    return RadioLink(conversation, url, baud, on_event)
