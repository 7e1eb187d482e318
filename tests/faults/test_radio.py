"""A serial line at its worst, up to the port of a running link: noise, cut frames, the plug pulled."""

import os
import queue
import time
from random import Random

import pytest

from radio.link.frames import Frame, frame_encode
from radio.link.modem import PtyModem, noisy
from radio.link.payloads import FrameType, payload_decode
from radio.link.traffic import Received, State, StateChanged
from radio.link.transport import open_link
from tests.faults.conftest import LONG
from tests.faults.radio_fuzz import fuzz

FRAMES = 20_000 if os.environ.get(LONG) else 2_000
ROUNDS = 2_000 if os.environ.get(LONG) else 60
WAIT_S = 30.0


def text_frame(number: int, random: Random) -> Frame:
    payload = b"\0\0\1" + random.randbytes(12).hex().encode()
    return Frame(type=FrameType.TEXT, sequence=number & 0xFFFF, sender=7, payload=payload, version=2)


@pytest.fixture
def told() -> queue.Queue:
    return queue.Queue()


@pytest.fixture
def modem(tmp_path, told):
    modem = PtyModem(tmp_path / "modem")
    link = open_link("frame", str(modem.path), on_event=told.put)
    assert wait_for(told, StateChanged).state is State.UP
    yield modem
    link.close()
    modem.unplug()


def wait_for(told, kind):
    while True:
        event = told.get(timeout=WAIT_S)
        if isinstance(event, kind):
            return event


def cut(data: bytes, random: Random) -> bytes:
    return data[: random.randrange(len(data))] if random.random() < 0.1 else data


def feed(modem: PtyModem, told: queue.Queue, line: list[bytes]) -> list[Received]:
    """What the link makes of it, 50 frames and a whole one at a time: a pty drops what its buffer does not hold."""
    seen: list[Received] = []
    for number in range(0, len(line), 50):
        mark = Frame(type=FrameType.HELLO, sequence=number, sender=9, payload=b"mark", version=2)
        modem.receive(b"".join(line[number : number + 50]) + frame_encode(mark), 0)
        while (event := wait_for(told, Received)).sender != mark.sender:
            seen.append(event)
        assert event.sequence == number, "the frame behind the noise was not found"
    return seen


@pytest.mark.parametrize(
    ("fault", "spoil"),
    [
        ("one wrong bit in a thousand", lambda data, random: noisy(data, 0.001, random)),
        ("one wrong bit in a hundred", lambda data, random: noisy(data, 0.01, random)),
        ("every tenth frame cut short", cut),
    ],
)
def test_noise_costs_the_frames_that_it_hits_and_nothing_else(modem, told, record_figure, fault, spoil):
    random = Random(4)
    frames = [text_frame(number, random) for number in range(FRAMES)]
    line = [spoil(frame_encode(frame), random) for frame in frames]
    whole = sum(data == frame_encode(frame) for frame, data in zip(frames, line, strict=True))
    seen = feed(modem, told, line)
    sent = {(frame.sequence, payload_decode(frame.type, frame.payload)) for frame in frames}
    assert [event for event in seen if (event.sequence, event.payload) not in sent] == []
    # one that lost but a delimiter is good, too: the next one brings another
    assert whole <= len(seen)
    record_figure(
        f"Serial line: {fault}", "in step at the next frame", f"{len(seen):,} of {FRAMES:,} recovered, bad accepted 0"
    )


def test_nothing_breaks_either_kind_of_link(record_figure):
    begin = time.monotonic()
    for seed in range(ROUNDS):
        fuzz(seed)
    record_figure(
        "Radio links fuzzed: bytes, events, commands in any order",
        "no exception, every item ends once, bad accepted 0",
        f"{ROUNDS} rounds in {time.monotonic() - begin:.0f} s",
    )
