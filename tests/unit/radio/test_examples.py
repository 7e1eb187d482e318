"""The examples of docs/radio-frame.md are frames that mean what stands beside them."""

import re
from pathlib import Path

import pytest

from radio.link.frames import BROADCAST, FrameDecoder
from radio.link.payloads import Control, Emergency, Hello, Position, Status, Text, payload_decode

PAGE = Path(__file__).parents[3] / "docs" / "radio-frame.md"
EXAMPLES = re.findall(r"^\| `([0-9a-f]+)` \| ", PAGE.read_text(), re.MULTILINE)
HELLO = Hello(vehicle_id="truck-7")
MEANINGS = [
    (7, BROADCAST, Position(lat=25.2048, lng=55.2708, speed=13.89, heading=271.5, at=1_790_000_000)),
    (7, BROADCAST, Position(lat=-33.8688, lng=151.2093)),
    (7, 1, Text(content="At the gate")),
    (1, 7, Text(content="größer", part=1, parts=2, group=9)),
    (7, BROADCAST, Emergency(type="medical", severity="high", lat=25.2048, lng=55.2708, content="Driver faints")),
    (7, BROADCAST, Emergency(type="crash", drill=True)),
    (7, BROADCAST, HELLO),
    (1, 7, Control(sequence=5)),
    (1, 7, Control(sequence=5, status=Status.ACKNOWLEDGED)),
    (7, BROADCAST, HELLO),
    (7, BROADCAST, HELLO),
]


def only(example):
    (frame,) = FrameDecoder().feed(bytes.fromhex(example))
    return frame


@pytest.mark.parametrize(("example", "meaning"), list(zip(EXAMPLES, MEANINGS, strict=True)))
def test_an_example_means_what_the_page_says(example, meaning):
    frame = only(example)
    assert (frame.sender, frame.recipient, payload_decode(frame.type, frame.payload)) == meaning


def test_the_last_two_show_the_signal_and_the_longer_check():
    heard, second = map(only, EXAMPLES[-2:])
    assert (heard.rssi, heard.snr, heard.version, second.version) == (-97, -4.5, 1, 2)
