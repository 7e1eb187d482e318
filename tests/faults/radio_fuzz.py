"""Throws anything at both kinds of radio link: random bytes, damaged frames, any order of what can happen to a link.

Run it at length:  python -m tests.faults.radio_fuzz --minutes 60 [--seed 1]

A round ends with an exception that shows its seed when a link raises what it must not, holds more than it may, accepts
a frame that nobody sent (of version 2: what the check of version 1 lets through is measured in `bench.radio`), loses an
item, or tells of one what cannot be.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from radio.link import meshtastic_wire as wire
from radio.link.frames import BROADCAST, Frame, frame_encode
from radio.link.meshtastic import HANDSHAKE_S, MeshtasticLink
from radio.link.modem import noisy
from radio.link.payloads import (
    BadPayload,
    Control,
    Emergency,
    FrameType,
    Hello,
    Payload,
    Position,
    Status,
    Text,
    payload_encode,
)
from radio.link.protocol import Link
from radio.link.traffic import (
    ANSWERS,
    Acked,
    Conversation,
    Failed,
    Full,
    LinkLost,
    Outgoing,
    Priority,
    Received,
    Relayed,
    Sent,
    StateChanged,
)

STEPS = 400
OWN = 1


def payload(random: Random) -> Payload:
    """Any payload; some do not fit."""
    payloads: list[Payload] = [
        Position(lat=random.uniform(-91, 91), lng=random.uniform(-181, 181), speed=random.choice([None, 3.0])),
        Text(content="x" * random.randrange(205), part=random.randrange(3), parts=random.randrange(1, 4)),
        Emergency(content="help" * random.randrange(50)),
        Hello(vehicle_id="truck-1"),
        Control(sequence=random.randrange(1 << 16), status=random.choice(list(Status))),
    ]
    return random.choice(payloads)


class Round:
    """One link, and what is known of it from outside."""

    def __init__(self, link: Conversation, random: Random) -> None:
        self.link = link
        self.random = random
        self.now = 0.0
        self.key = 0
        self.is_open = False
        self.sent: set[tuple[int, int, int]] = set()  # frames that another station has really sent
        self.sequences: list[int] = []
        self.live: Counter[int] = Counter()  # items that were offered and are not done; 1 each
        self.unanswered: set[int] = set()  # those of them that end when they are sent
        self.to_all: set[int] = set()  # those that end when they are passed on
        self.received: list[Received] = []

    def run(self) -> None:
        """The steps."""
        for _ in range(STEPS):
            self.now += self.random.choice([0, 0.01, 0.3, 2, 20, 700])
            self.random.choice(
                [self.plug, self.hear, self.hear, self.transmit, self.transmit, self.offer, self.answer]
            )()
            self.events()
        self.settle()
        for _ in range(STEPS * 20):  # the other side is gone: all must end
            self.now += 1
            self.transmit()
            self.events()
        still = [key for key, alive in self.live.items() if alive]
        assert not still, f"never ended: {still}"

    def settle(self) -> None:
        """The port is opened anew and stays open."""
        if self.is_open:
            self.plug()
        self.plug()

    def plug(self) -> None:
        """Out or in."""
        if self.is_open:
            self.link.closed(self.now, "unplugged")
        else:
            self.link.opened(self.now)
        self.is_open = not self.is_open

    def transmit(self) -> None:
        """As the link's thread does."""
        try:
            for _ in range(5):
                if not self.is_open or not self.link.transmit(self.now):
                    return
        except LinkLost:
            self.plug()

    def offer(self) -> None:
        """Something to send."""
        self.key += 1
        item = Outgoing(
            key=self.key,
            payload=payload(self.random),
            recipient=self.random.choice([None, 7, BROADCAST, 1 << 16, 1 << 32]),
            priority=self.random.choice(list(Priority)),
            wants_ack=self.random.random() < 0.5,
            sequence=self.random.choice([None, None, *self.sequences[-3:]]),
        )
        try:
            self.link.offer(item)
        except (BadPayload, Full):
            return
        self.live[self.key] = 1
        if not item.wants_ack:
            self.unanswered.add(self.key)
        if item.recipient is None:
            self.to_all.add(self.key)

    def answer(self) -> None:
        """What was received is stored, or refused."""
        if self.received:
            self.link.acknowledge(self.random.choice(self.received), self.random.choice(sorted(ANSWERS)), self.now)

    def hear(self) -> None:
        """Bytes of any kind."""
        if self.is_open:
            line = b"".join(self.random.choice([self.garbage, self.message])() for _ in range(self.random.randrange(4)))
            self.link.receive(line, self.now)

    def garbage(self) -> bytes:
        """Nothing that means anything."""
        return self.random.choice(
            [
                self.random.randbytes(self.random.randrange(300)),
                b"\x00" * self.random.randrange(5),
                b"\xff" * self.random.randrange(700),
                wire.START + self.random.randbytes(self.random.randrange(20)),
            ]
        )

    def message(self) -> bytes:
        """One of the other side's, whole, damaged or cut."""
        raise NotImplementedError

    def events(self) -> None:
        """What the link tells must be so."""
        for event in self.link.take_events():
            match event:
                case Sent(key=key, sequence=sequence):
                    assert self.live[key] == 1, f"sent once more after its end: {key}"
                    self.live[key] -= key in self.unanswered
                    self.sequences.append(sequence)
                case Acked(key=key) | Failed(key=key):
                    assert self.live[key] == 1, f"ended twice: {key}"
                    self.live[key] = 0
                case Relayed(key=key):
                    self.live[key] -= key in self.to_all
                case Received():
                    self.received = [*self.received[-20:], event]
                    self.judge(event)
                case StateChanged():
                    pass

    def judge(self, event: Received) -> None:
        """Whether it may have been received."""


class FrameRound(Round):
    """With the own frame."""

    def message(self) -> bytes:
        """A frame of version 2, or an answer to one of ours."""
        sender = self.random.choice([7, 8, OWN, 0])
        what = payload(self.random)
        if self.sequences and self.random.random() < 0.5:
            what = Control(sequence=self.random.choice(self.sequences), status=self.random.choice(list(Status)))
        try:
            body = payload_encode(what)
        except BadPayload:
            body = self.random.randbytes(self.random.randrange(200))
        frame = Frame(
            type=self.random.choice(list(FrameType)),
            sequence=self.random.randrange(1 << 16),
            sender=sender,
            recipient=self.random.choice([OWN, 9, BROADCAST]),
            payload=body,
            version=2,
            rssi=self.random.choice([None, -90]),
        )
        coded = frame_encode(frame)
        match self.random.randrange(4):
            case 0:
                return noisy(coded, self.random.choice([0.001, 0.01, 0.1]), self.random) + self.whole(frame, coded)
            case 1:
                return coded[: self.random.randrange(len(coded))] + self.whole(frame, coded)
        return self.whole(frame, coded)

    def whole(self, frame: Frame, coded: bytes) -> bytes:
        self.sent.add((frame.sender, frame.sequence, frame.type))
        return coded * self.random.choice([1, 1, 2])

    def judge(self, event: Received) -> None:
        assert (event.sender, event.sequence) in {(sender, sequence) for sender, sequence, _ in self.sent}, event


class MeshtasticRound(Round):
    """With a Meshtastic radio, whose stream has no check: what it tells is damaged only by being read out of step."""

    def settle(self) -> None:
        """The radio is there, and tells nothing more than that."""
        super().settle()
        for number in range(1, 4):
            self.transmit()
            self.now += HANDSHAKE_S
            data = wire.FromRadio(config_complete_id=number).SerializeToString()
            self.link.receive(b"\0" * 600 + wire.START + len(data).to_bytes(2) + data, self.now)

    def message(self) -> bytes:
        """What a radio might tell, or bytes in the place of it."""
        packet: dict[str, Any] = {
            "sender": self.random.choice([7, 8, OWN, 0]),
            "to": self.random.choice([OWN, wire.BROADCAST]),
            "id": self.random.randrange(1 << 32),
            "decoded": {
                "portnum": self.random.choice([1, 3, 4, 5, 11, 67]),
                "payload": self.random.choice(
                    [
                        self.random.randbytes(self.random.randrange(230)),
                        b"SOS crash",
                        b"\x18" + self.random.randbytes(1),
                    ]
                ),
                "request_id": self.random.choice([0, *self.sequences]),
            },
            "rx_rssi": self.random.randrange(-140, 20),
            "hop_start": self.random.randrange(8),
            "hop_limit": self.random.randrange(8),
        }
        kinds: list[dict[str, Any]] = [
            {"packet": packet},
            {"packet": packet},
            {"my_info": {"my_node_num": OWN}},
            {"config_complete_id": self.random.randrange(4)},
            {"rebooted": True},
            {"node_info": {"num": 7, "user": {"long_name": "Truck"}}},
            {
                "queue_status": {
                    "res": self.random.choice([0, 9]),
                    "mesh_packet_id": self.random.choice([0, *self.sequences]),
                }
            },
        ]
        data = wire.FromRadio(**self.random.choice(kinds)).SerializeToString()
        if self.random.random() < 0.2:
            data = noisy(data, 0.02, self.random)
        return wire.START + len(data).to_bytes(2) + data


def fuzz(seed: int) -> None:
    """One round of each kind; raises with its seed."""
    try:
        FrameRound(Link(address=OWN, random=Random(seed), answers_emergencies=True, version=2), Random(seed)).run()
        MeshtasticRound(MeshtasticLink(), Random(seed)).run()
    except Exception as error:
        error.add_note(f"seed {seed}")
        raise


def main(argv: Sequence[str] | None = None) -> None:
    """Rounds until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=1, help="of the first round")
    options = parser.parse_args(argv)
    seed, end = options.seed, time.monotonic() + options.minutes * 60
    while time.monotonic() < end:
        fuzz(seed)
        seed += 1
    sys.stdout.write(f"{seed - options.seed:,} rounds of each kind, {STEPS} steps each: nothing broke.\n")


if __name__ == "__main__":
    main()
