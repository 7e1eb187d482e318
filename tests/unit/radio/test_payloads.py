"""What a frame carries: what goes in comes out, and nothing that cannot be is taken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.link.payloads import (
    EMERGENCY_TYPES,
    MAX_PAYLOAD_BYTES,
    SEVERITIES,
    BadPayload,
    Control,
    Emergency,
    Flaw,
    FrameType,
    Hello,
    Position,
    Status,
    Text,
    payload_decode,
    payload_encode,
    payload_type,
    text_parts,
)

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]))
LATITUDES = st.integers(-900_000_000, 900_000_000).map(lambda value: value / 1e7)
LONGITUDES = st.integers(-1_800_000_000, 1_800_000_000).map(lambda value: value / 1e7)
POSITIONS = st.builds(
    Position,
    lat=LATITUDES,
    lng=LONGITUDES,
    speed=st.none() | st.integers(0, 20_000).map(lambda value: value / 100),
    heading=st.none() | st.integers(0, 35_999).map(lambda value: value / 100),
    at=st.none() | st.integers(1, 0xFFFFFFFF),
)
TEXTS = st.builds(
    lambda content, group, parts: Text(content=content, group=group, part=min(parts), parts=max(parts) + 1),
    WORDS.filter(lambda text: 1 <= len(text.encode()) <= 197),
    st.integers(0, 255),
    st.lists(st.integers(0, 15), min_size=1),
)
EMERGENCIES = st.builds(
    lambda type, severity, place, content, drill: Emergency(  # noqa: A006
        type=type, severity=severity, lat=place[0], lng=place[1], content=content, drill=drill
    ),
    st.sampled_from(EMERGENCY_TYPES),
    st.sampled_from(SEVERITIES),
    st.just((None, None)) | st.tuples(LATITUDES, LONGITUDES),
    WORDS.filter(lambda text: len(text.encode()) <= 190),
    st.booleans(),
)
HELLOS = st.builds(Hello, vehicle_id=st.from_regex(r"\A[A-Za-z0-9._-]{3,40}\Z"))
CONTROLS = st.builds(Control, sequence=st.integers(0, 0xFFFF), status=st.sampled_from(Status))
PAYLOADS = POSITIONS | TEXTS | EMERGENCIES | HELLOS | CONTROLS


@given(PAYLOADS)
def test_what_is_encoded_is_decoded_again(payload):
    data = payload_encode(payload)
    assert len(data) <= MAX_PAYLOAD_BYTES
    assert payload_decode(payload_type(payload), data) == payload


@given(st.integers(0, 0x1F), st.binary(max_size=MAX_PAYLOAD_BYTES))
def test_any_bytes_are_a_payload_that_encodes_alike_or_are_refused(frame_type, data):
    try:
        payload = payload_decode(frame_type, data)
    except BadPayload:
        return
    assert payload_encode(payload) == data


@given(st.text(max_size=700))
def test_the_parts_of_a_text_are_the_text(content):
    try:
        parts = text_parts(content, 7)
    except BadPayload:
        assert not content
        return
    assert "".join(part.content for part in parts) == content
    assert [(part.part, part.parts, part.group) for part in parts] == [(n, len(parts), 7) for n in range(len(parts))]
    assert all(len(part.content.encode(errors="replace")) <= 197 for part in parts)


def test_a_text_of_more_than_16_parts_is_refused():
    assert len(text_parts("ä" * 98 * 16, 0)) == 16
    with pytest.raises(BadPayload):
        text_parts("ä" * 98 * 16 + "ä", 0)


@pytest.mark.parametrize(
    ("payload", "flaw"),
    [
        (Position(lat=90.1, lng=0), Flaw.RANGE),
        (Position(lat=float("nan"), lng=0), Flaw.RANGE),
        (Position(lat=0, lng=-180.5), Flaw.RANGE),
        (Position(lat=0, lng=0, speed=float("inf")), Flaw.RANGE),
        (Position(lat=0, lng=0, heading=-1), Flaw.RANGE),
        (Position(lat=0, lng=0, at=1 << 32), Flaw.RANGE),
        (Text(content=""), Flaw.RANGE),
        (Text(content="x" * 198), Flaw.LENGTH),
        (Text(content="\x1b[2J"), Flaw.TEXT),
        (Text(content="\ud800"), Flaw.TEXT),
        (Text(content="x", part=1, parts=1), Flaw.RANGE),
        (Emergency(lat=1.0), Flaw.RANGE),
        (Emergency(content="ä" * 96), Flaw.LENGTH),
        (Hello(vehicle_id="no"), Flaw.TEXT),
        (Hello(vehicle_id="truck-1\n"), Flaw.TEXT),
        (Control(sequence=1 << 16), Flaw.RANGE),
    ],
)
def test_what_no_receiver_would_take_is_not_sent(payload, flaw):
    with pytest.raises(BadPayload) as refused:
        payload_encode(payload)
    assert refused.value.flaw is flaw


@pytest.mark.parametrize(
    ("frame_type", "data", "flaw"),
    [
        (FrameType.POSITION, bytes(15), Flaw.LENGTH),
        (FrameType.POSITION, bytes.fromhex("35a4e901 00000000 0000 0000 00000000"), Flaw.RANGE),  # 90.0000001 degrees
        (FrameType.POSITION, bytes.fromhex("00000000 6b49d201 0000 0000 00000000"), Flaw.RANGE),
        (FrameType.POSITION, bytes.fromhex("00000000 00000000 4e21 0000 00000000"), Flaw.RANGE),  # 200.01 m/s
        (FrameType.POSITION, bytes.fromhex("00000000 00000000 0000 8ca0 00000000"), Flaw.RANGE),  # 360 degrees
        (FrameType.TEXT, bytes.fromhex("00 00 01"), Flaw.LENGTH),
        (FrameType.TEXT, bytes.fromhex("00 01 01 61"), Flaw.RANGE),
        (FrameType.TEXT, bytes.fromhex("00 00 11 61"), Flaw.RANGE),
        (FrameType.TEXT, bytes.fromhex("00 00 01 c0 80"), Flaw.TEXT),  # an overlong zero
        (FrameType.TEXT, bytes.fromhex("00 00 01 ed a0 80"), Flaw.TEXT),  # a lone surrogate
        (FrameType.EMERGENCY, bytes.fromhex("00 01 00000000 00000000"), Flaw.RANGE),
        (FrameType.EMERGENCY, bytes.fromhex("07 01 00000000 00000000"), Flaw.RANGE),
        (FrameType.EMERGENCY, bytes.fromhex("01 05 00000000 00000000"), Flaw.RANGE),
        (FrameType.EMERGENCY, bytes.fromhex("01 01 7fffffff 00000000"), Flaw.RANGE),
        (FrameType.HELLO, b"ab", Flaw.TEXT),
        (FrameType.CONTROL, bytes.fromhex("0001 06"), Flaw.RANGE),
        (0x05, b"", Flaw.TYPE),
    ],
)
def test_what_cannot_be_is_refused(frame_type, data, flaw):
    with pytest.raises(BadPayload) as refused:
        payload_decode(frame_type, data)
    assert refused.value.flaw is flaw


def test_north_is_0_and_360_degrees():
    assert payload_encode(Position(lat=0, lng=0, heading=360)) == payload_encode(Position(lat=0, lng=0, heading=0))
