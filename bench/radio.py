"""How fast the radio link decodes, what noise it survives, what it takes for good that is not, and what loss costs.

Run it:  python -m bench.radio [--seconds 20]

A vehicle's frames, the half positions and half texts of 24 bytes, one core. Noise turns each bit of the line by chance,
delimiters included. A frame counts as bad when it was accepted and nobody has sent it. Delivery is 20 vehicles, 1,000
texts to them and their answers, on a simulated clock and an air of 9,600 bit/s that loses every third frame.
"""

import argparse
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np

from bench.fan_out import say
from bench.server import percentile
from radio.link.frames import Frame, FrameDecoder, frame_encode
from radio.link.modem import STEP_S, Air, Weather
from radio.link.payloads import BadPayload, FrameType, Position, Status, Text, payload_decode, payload_encode
from radio.link.protocol import Link
from radio.link.traffic import Acked, Failed, HeardAgain, Outgoing, Priority, Received, Sent

BATCH = 10_000
BAUDS = (115_200, 921_600)
BIT_ERRORS = (0.001, 0.01, 0.05)
TEXTS = 1_000
TRUCKS = 20
LOSS = 0.3


def frames(random: Random, version: int) -> list[Frame]:
    """A batch of a vehicle's frames, no two alike."""
    batch = []
    for number in range(BATCH):
        if number % 2:
            kind, payload = FrameType.TEXT, b"\0\0\1" + random.randbytes(10).hex().encode() + b"!"
        else:
            where = Position(
                lat=random.uniform(-90, 90),
                lng=random.uniform(-180, 180),
                speed=random.uniform(0, 40),
                heading=random.uniform(0, 359),
                at=1_790_000_000 + number,
            )
            kind, payload = FrameType.POSITION, payload_encode(where)
        sender = random.randrange(0xFFFF)
        batch.append(Frame(type=kind, sequence=number, sender=sender, payload=payload, version=version))
    return batch


def decoding(seconds: float) -> None:
    """Frames a second, down to typed payloads."""
    batch = frames(Random(1), 1)  # noqa: S311 - repeatable
    line = b"".join(map(frame_encode, batch))
    decoder, done, begin = FrameDecoder(), 0, time.perf_counter()
    while (took := time.perf_counter() - begin) < seconds:
        for at in range(0, len(line), 4_096):
            for frame in decoder.feed(line[at : at + 4_096]):
                payload_decode(frame.type, frame.payload)
        done += BATCH
    a_second = done / took
    say(f"\nDecoded: {a_second:,.0f} frames/s, {a_second * len(line) / BATCH / 1e6:.1f} MB/s.")
    for baud in BAUDS:
        share = baud / 10 / (a_second * len(line) / BATCH)
        say(f"A line of {baud:,} baud that is never silent takes {share:.1%} of a core.")


def noise(seconds: float) -> None:
    """What comes through at each chance of a wrong bit, and what comes through wrong, in each version."""
    say("\n| version | wrong bits | frames | recovered | whole when sent | accepted bad | with an impossible payload |")
    say("|---|---:|---:|---:|---:|---:|---:|")
    for version in (1, 2):
        for bit_errors in BIT_ERRORS:
            _noise_row(version, bit_errors, seconds)


def _noise_row(version: int, bit_errors: float, seconds: float) -> None:
    generator = np.random.default_rng(int(bit_errors * 1_000) + version)
    batch = frames(Random(2), version)  # noqa: S311 - repeatable
    coded = [frame_encode(frame) for frame in batch]
    line = np.unpackbits(np.frombuffer(b"".join(coded), np.uint8))
    starts = np.cumsum([0, *(len(piece) * 8 for piece in coded[:-1])])
    sent = set(batch)
    sums: Counter[str] = Counter()
    begin = time.perf_counter()
    while time.perf_counter() - begin < seconds:
        flips = generator.random(len(line)) < bit_errors
        sums["whole"] += BATCH - int(np.count_nonzero(np.add.reduceat(flips, starts, dtype=int)))
        decoder = FrameDecoder()
        for frame in decoder.feed(np.packbits(line ^ flips).tobytes()):
            _judge(frame, sent, sums)
        sums["frames"] += BATCH
    total = sums["frames"]
    say(
        f"| {version} | {bit_errors:.1%} | {total:,} | {sums['good'] / total:.2%} | {sums['whole'] / total:.2%} "
        f"| {sums['bad']:,} | {sums['impossible']:,} |"
    )


def _judge(frame: Frame, sent: set[Frame], sums: Counter[str]) -> None:
    if replace(frame, rssi=None, snr=None) in sent:
        sums["good"] += 1
        return
    try:
        payload_decode(frame.type, frame.payload)
    except BadPayload:
        sums["impossible"] += 1
    else:
        sums["bad"] += 1


class Delivery:
    """One bridge and its vehicles on a lossy air; what was given up goes out again when its vehicle is heard."""

    def __init__(self) -> None:
        self.bridge = Link(address=1, random=Random(1), answers_emergencies=True)  # noqa: S311 - repeatable
        self.trucks = [Link(address=10 + number, random=Random(2 + number)) for number in range(TRUCKS)]  # noqa: S311
        self.air = Air(Weather(loss=LOSS), seed=3)
        for link in (self.bridge, *self.trucks):
            link.opened(0)
            self.air.join(link)
        self.begun: dict[int, float] = {}
        self.took: dict[int, float] = {}
        self.attempts: Counter[int] = Counter()
        self.given_up: dict[int, set[int]] = {truck.address: set() for truck in self.trucks}
        self.failures = 0
        self.received = 0

    def run(self) -> None:
        """Until all have come: a text every 100 ms, a position of each vehicle every 10 s."""
        step = 0
        while len(self.took) < TEXTS:
            now = step * STEP_S
            if step % 10 == 0 and step // 10 < TEXTS:
                self.begun[step // 10] = now
                self._send(step // 10)
            if step % 50 == 0:
                where = Outgoing(key=0, payload=Position(lat=1, lng=2), priority=Priority.BACKGROUND)
                self.trucks[step // 50 % TRUCKS].offer(where)
            self.air.step(now)
            self._bridge_told(now)
            self._trucks_told(now)
            step += 1

    def _send(self, key: int) -> None:
        truck = self.trucks[key % TRUCKS].address
        self.bridge.offer(Outgoing(key=key, payload=Text(content=f"Text {key}"), recipient=truck, wants_ack=True))

    def _bridge_told(self, now: float) -> None:
        for event in self.bridge.take_events():
            match event:
                case Sent(key=key):
                    self.attempts[key] += 1
                case Acked(key=key):
                    self.took[key] = now - self.begun[key]
                case Failed(key=key):
                    self.failures += 1
                    self.given_up[self.trucks[key % TRUCKS].address].add(key)
                case HeardAgain(node=node):
                    for key in sorted(self.given_up[node]):
                        self._send(key)
                    self.given_up[node].clear()

    def _trucks_told(self, now: float) -> None:
        for truck in self.trucks:
            for event in truck.take_events():
                if isinstance(event, Received) and event.wants_ack:
                    self.received += 1
                    truck.acknowledge(event, Status.ACCEPTED, now)


def delivery() -> None:
    """What it takes to deliver over an air that loses every third frame."""
    run = Delivery()
    run.run()
    took = sorted(run.took.values())
    say(
        f"\n{TEXTS:,} texts, {LOSS:.0%} of all frames lost: {len(run.took):,} acknowledged, {run.failures:,} given up "
        f"once and sent anew when heard; {run.attempts.total() / TEXTS:.2f} attempts a text; acknowledged after "
        f"{percentile(took, 50):.1f} s (median), {percentile(took, 99):.1f} s (99 %), {took[-1]:.1f} s (last)."
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, and write it as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--seconds", type=float, default=20, help="for each row about noise; 200 take 20 million frames"
    )
    options = parser.parse_args(argv)
    decoding(min(options.seconds, 5))
    noise(options.seconds)
    delivery()


if __name__ == "__main__":
    main()
