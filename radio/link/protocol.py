"""One station that speaks the own frame: what goes out when, what is repeated, what was heard before.

No input or output happens here, and the clock is passed in. The rules are those of `docs/radio-frame.md`.
"""

import heapq
import itertools
import zlib
from collections import Counter
from dataclasses import dataclass
from random import Random

from radio.link.frames import BROADCAST, VERSIONS, Frame, FrameDecoder, frame_encode
from radio.link.payloads import (
    BadPayload,
    Control,
    Emergency,
    Flaw,
    FrameType,
    Payload,
    Status,
    payload_decode,
    payload_encode,
    payload_type,
)
from radio.link.repeats import Repeats
from radio.link.traffic import (
    ANSWERS,
    Acked,
    Failed,
    Full,
    HeardAgain,
    LinkEvent,
    Outgoing,
    Priority,
    Received,
    Sent,
    State,
    StateChanged,
)

MAX_ITEMS = 1_000
ALERT_ROOM = 100  # kept for alerts once the rest is full
MAX_ANSWERS = 256
BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 8.0)  # after each attempt; behind the last it is given up
JITTER = 0.25  # so that two stations that collided do not collide again
AHEAD_S = 0.1  # how much airtime the modem may hold: more would let an alert wait behind it
NO_ANSWER = "no_answer"
REFUSED = "refused"


@dataclass(slots=True, kw_only=True)
class _Item:
    """One frame on its way. Without a key it is an answer of the link's own."""

    key: int | None
    type: FrameType
    body: bytes
    recipient: int
    priority: int
    wants_ack: bool
    sequence: int | None
    attempts: int = 0
    due: float | None = None  # when it is repeated or given up; None while it is queued
    done: bool = False


class Link:
    """A station of the own frame. `address` is 0..65534.

    `answers_emergencies`: whether emergencies to everybody are answered here, as a dispatcher's station does. `version`
    is that of frames to everybody and to those who were not heard yet; others are spoken to as they speak.
    """

    def __init__(
        self,
        *,
        address: int,
        first_sequence: int = 0,
        air_bits_per_s: int = 9_600,
        answers_emergencies: bool = False,
        version: int = 1,
        random: Random | None = None,
    ) -> None:
        if not 0 <= address < BROADCAST:
            raise ValueError("An address is 0 to 65534")
        if version not in VERSIONS or air_bits_per_s <= 0:
            raise ValueError("A version is 1 or 2, and the air takes more than nothing")
        self.address = address
        self._air_bits_per_s = air_bits_per_s
        self._answers_emergencies = answers_emergencies
        self._version = version
        self._random = random or Random()  # noqa: S311 - jitter, not secrets
        self._decoder = FrameDecoder()
        self.counts: Counter[str] = self._decoder.counts
        self._next_sequence = first_sequence & 0xFFFF
        self._order = itertools.count()
        self._queue: list[tuple[int, int, _Item]] = []
        self._deadlines: list[tuple[float, int, _Item]] = []
        self._open: dict[int, _Item] = {}  # by sequence: was sent, now or before a restart, and not done
        self._held = 0
        self._answers = 0
        self._air_free_at = 0.0
        self._repeats = Repeats()
        self._versions: dict[int, int] = {}
        self._failed_to: set[int] = set()
        self._events: list[LinkEvent] = []

    def opened(self, now: float) -> None:
        """The port is open."""
        self._air_free_at = now
        self._events.append(StateChanged(state=State.UP))

    def closed(self, now: float, reason: str) -> None:
        """The port was lost: what waited for an answer goes out again, and that attempt does not count."""
        del now
        for item in self._open.values():
            if item.due is not None:
                item.attempts -= 1
                self._enqueue(item)
        self._events.append(StateChanged(state=State.AWAY, reason=reason))

    def offer(self, item: Outgoing) -> None:
        """Queue an item. Raises Full, or BadPayload for what does not fit a frame."""
        if self._held >= MAX_ITEMS + (ALERT_ROOM if item.priority >= Priority.ALERT else 0):
            raise Full
        body = payload_encode(item.payload)
        recipient = BROADCAST if item.recipient is None else item.recipient
        if not 0 <= recipient <= BROADCAST:
            raise BadPayload(Flaw.RANGE)
        entry = _Item(
            key=item.key,
            type=payload_type(item.payload),
            body=body,
            recipient=recipient,
            priority=item.priority,
            wants_ack=item.wants_ack,
            sequence=None,
        )
        if item.sequence is not None and item.sequence & 0xFFFF not in self._open:
            self._number(entry, item.sequence & 0xFFFF)
        self._held += 1
        self._enqueue(entry)

    def acknowledge(self, received: Received, status: Status, now: float) -> None:
        """Answer a frame; from now on its repeats are answered alike and dropped."""
        if not received.wants_ack:
            return
        self._repeats.answered((received.sender, received.sequence, received.check), status, now)
        self._answer(received.sender, received.sequence, status)

    def receive(self, data: bytes, now: float) -> None:
        """Bytes from the modem."""
        for frame in self._decoder.feed(data):
            self._frame(frame, now)

    def transmit(self, now: float) -> bytes:
        """One frame for the modem, or nothing: nothing is due, or it has enough to send for now."""
        while self._deadlines and self._deadlines[0][0] <= now:
            due, _, item = heapq.heappop(self._deadlines)
            if item.due == due and not item.done:
                self._overdue(item)
        if self._air_free_at > now + AHEAD_S:
            return b""
        while self._queue:
            _, _, item = heapq.heappop(self._queue)
            if not item.done:
                return self._send(item, now)
        return b""

    def take_events(self) -> list[LinkEvent]:
        """What happened since the last call."""
        events, self._events = self._events, []
        return events

    def _enqueue(self, item: _Item) -> None:
        item.due = None
        heapq.heappush(self._queue, (-item.priority, next(self._order), item))

    def _number(self, item: _Item, sequence: int) -> int:
        item.sequence = sequence
        self._open[sequence] = item
        return sequence

    def _take_sequence(self) -> int:
        while self._next_sequence in self._open:  # at most 1,356 of the 65,536 are
            self._next_sequence = (self._next_sequence + 1) & 0xFFFF
        sequence = self._next_sequence
        self._next_sequence = (sequence + 1) & 0xFFFF
        return sequence

    def _send(self, item: _Item, now: float) -> bytes:
        sequence = self._number(item, self._take_sequence()) if item.sequence is None else item.sequence
        frame = Frame(
            type=item.type,
            sequence=sequence,
            sender=self.address,
            recipient=item.recipient,
            payload=item.body,
            version=self._versions.get(item.recipient, self._version),
        )
        data = frame_encode(frame)
        airtime_s = len(data) * 8 / self._air_bits_per_s
        self._air_free_at = max(self._air_free_at, now) + airtime_s
        item.attempts += 1
        self.counts["sent"] += 1
        if item.key is not None:
            self._events.append(Sent(key=item.key, sequence=sequence, attempt=item.attempts))
        if item.wants_ack:
            wait_s = BACKOFF_S[item.attempts - 1] * self._random.uniform(1 - JITTER, 1 + JITTER)
            item.due = self._air_free_at + wait_s
            heapq.heappush(self._deadlines, (item.due, next(self._order), item))
        else:
            self._end(item)
        return data

    def _overdue(self, item: _Item) -> None:
        if item.attempts < len(BACKOFF_S):
            self._enqueue(item)
        else:
            self._fail(item, NO_ANSWER)

    def _end(self, item: _Item) -> None:
        item.done = True
        if item.sequence is not None:
            del self._open[item.sequence]
        if item.key is None:
            self._answers -= 1
        else:
            self._held -= 1

    def _fail(self, item: _Item, reason: str) -> None:
        self._end(item)
        if item.recipient != BROADCAST and reason == NO_ANSWER:
            self._failed_to.add(item.recipient)
        if item.key is not None:
            self._events.append(Failed(key=item.key, reason=reason))

    def _answer(self, recipient: int, sequence: int, status: Status) -> None:
        if self._answers >= MAX_ANSWERS:  # who is not answered repeats
            self.counts["answers_dropped"] += 1
            return
        self._answers += 1
        body = payload_encode(Control(sequence=sequence, status=status))
        answer = _Item(
            key=None,
            type=FrameType.CONTROL,
            body=body,
            recipient=recipient,
            priority=Priority.ACK,
            wants_ack=False,
            sequence=None,
        )
        self._enqueue(answer)

    def _frame(self, frame: Frame, now: float) -> None:
        if frame.sender == self.address:
            self.counts["own"] += 1  # a modem that hears itself, or a second station of this address
            return
        try:
            payload = payload_decode(frame.type, frame.payload)
        except BadPayload as error:
            self.counts[f"payload_{error.flaw}"] += 1
            return
        self._versions[frame.sender] = frame.version
        if frame.sender in self._failed_to:
            self._failed_to.remove(frame.sender)
            self._events.append(HeardAgain(node=frame.sender))
        if isinstance(payload, Control) and payload.status in ANSWERS:
            if frame.recipient == self.address:
                self._answered(frame.sender, payload)
        else:
            self._payload(frame, payload, now)

    def _payload(self, frame: Frame, payload: Payload, now: float) -> None:
        wants_ack = frame.recipient == self.address or (
            frame.recipient == BROADCAST and isinstance(payload, Emergency) and self._answers_emergencies
        )
        # not the frame's own check: a repeat may come in another version
        check = zlib.crc32(frame.payload, frame.type)
        known, answer = self._repeats.heard((frame.sender, frame.sequence, check), now)
        if known and (answer is not None or not wants_ack):
            self.counts["repeats"] += 1
            if answer is not None:
                self._answer(frame.sender, frame.sequence, answer)
            return
        self._events.append(
            Received(
                sender=frame.sender,
                recipient=None if frame.recipient == BROADCAST else frame.recipient,
                sequence=frame.sequence,
                payload=payload,
                wants_ack=wants_ack,
                check=check,
                rssi=frame.rssi,
                snr=frame.snr,
            )
        )

    def _answered(self, sender: int, answer: Control) -> None:
        item = self._open.get(answer.sequence)
        if item is None or item.recipient not in (sender, BROADCAST):
            self.counts["answers_unasked"] += 1
        elif answer.status is Status.REFUSED:
            self._fail(item, REFUSED)
        else:
            self._end(item)
            if item.key is not None:
                self._events.append(Acked(key=item.key))
