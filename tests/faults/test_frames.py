"""Frames of every wrong kind, byte by byte, against a running server."""

import json
import time
from collections.abc import Iterator

import pytest

from tests.faults.peer import Peer
from tests.frames import BINARY, CLOSE, CONTINUATION, PING, TEXT, fragments, frame
from tests.servers.v2v import V2VServer

pytestmark = pytest.mark.usefixtures("still_serves")

LIMIT = 64 * 1024
HEARTBEAT = b'{"event":"heartbeat","data":{},"id":"after"}'


@pytest.fixture(scope="module")
def who(target: V2VServer) -> tuple[str, str]:
    return target.vehicle()


@pytest.fixture
def peer(target: V2VServer, who: tuple[str, str]) -> Iterator[Peer]:
    """A vehicle's socket that has registered."""
    with Peer(target) as peer:
        assert peer.upgrade() == 101
        peer.register(*who)
        yield peer


def padded(size: int) -> bytes:
    """A command of exactly so many bytes."""
    head, tail = b'{"event":"heartbeat","data":{},"id":"big"', b"}"
    return head + b" " * (size - len(head) - len(tail)) + tail


def test_64_kib_are_taken(peer: Peer) -> None:
    peer.send(frame(TEXT, padded(LIMIT)))
    assert peer.next("ack") == {"id": "big"}


@pytest.mark.parametrize("size", [LIMIT + 1, 1 << 20])
def test_a_frame_over_64_kib_is_not(peer: Peer, size: int) -> None:
    peer.send(frame(TEXT, padded(size)))
    assert peer.closed() == 1009


def test_the_length_alone_is_refused_before_the_payload_comes(peer: Peer) -> None:
    peer.send(b"\x81\xff" + (1 << 62).to_bytes(8) + b"mask")
    assert peer.closed() == 1009


def test_fragments_with_a_ping_between_them_are_one_message(peer: Peer) -> None:
    peer.send(fragments(TEXT, HEARTBEAT[:10], HEARTBEAT[10:20], HEARTBEAT[20:], between=frame(PING, b"are you there")))
    assert peer.next("ack") == {"id": "after"}


def test_fragments_of_64_kib_together_are_taken(peer: Peer) -> None:
    whole = padded(LIMIT)
    peer.send(fragments(TEXT, whole[:40_000], whole[40_000:]))
    assert peer.next("ack") == {"id": "big"}


def test_fragments_over_64_kib_together_are_not(peer: Peer) -> None:
    peer.send(fragments(TEXT, *[b" " * 30_000] * 3))
    assert peer.closed() == 1009


def test_empty_fragments_without_end_are_abuse(peer: Peer) -> None:
    peer.send(frame(TEXT, b"{", fin=False) + frame(CONTINUATION, b"", fin=False) * 2_000)
    assert peer.closed() == 4429


@pytest.mark.parametrize("malformed", [b"{", b"", b"[]", b'"text"', b"{}", b'{"event":7}', b"null"])
def test_ten_malformed_messages_in_a_row_are_the_end(peer: Peer, malformed: bytes) -> None:
    peer.send(frame(TEXT, malformed) * 9)
    for _ in range(9):
        assert peer.next("error")["code"] == "validation_error"
    peer.send(frame(TEXT, HEARTBEAT))
    peer.next("ack")
    peer.send(frame(TEXT, malformed) * 10)
    assert peer.closed() == 4400


def test_a_binary_frame_is_the_end(peer: Peer) -> None:
    peer.send(frame(BINARY, HEARTBEAT))
    assert peer.closed() == 1003


def test_a_binary_message_in_fragments_is_the_end(peer: Peer) -> None:
    peer.send(fragments(BINARY, b"a", b"b"))
    assert peer.closed() == 1003


ODD_JSON = {
    "deep": b'{"event":"heartbeat","id":"odd","data":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    "deep objects": b'{"event":"heartbeat","id":"odd","data":' + b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"}",
    "huge integer": b'{"event":"heartbeat","id":"odd","data":{"battery":' + b"9" * 60_000 + b"}}",
    "huge ts": b'{"event":"heartbeat","id":"odd","data":{},"ts":' + b"9" * 400 + b"}",
    "NaN": b'{"event":"location_update","id":"odd","data":{"lat":NaN,"lng":1}}',
    "Infinity": b'{"event":"location_update","id":"odd","data":{"lat":-Infinity,"lng":1}}',
    "1e999": b'{"event":"location_update","id":"odd","data":{"lat":1e999,"lng":1}}',
    "lone surrogate": b'{"event":"register","id":"odd","data":{"vehicleId":"abc","driverName":"\\ud800"}}',
    "surrogate as event": b'{"event":"\\udfff","id":"odd","data":{}}',
    "NUL in a name": b'{"event":"register","id":"odd","data":{"vehicleId":"abc","driverName":"\\u0000"}}',
    "twice the same key": b'{"event":"heartbeat","event":"x","id":"odd","data":{}}',
    "a number for text": b'{"event":"register","id":"odd","data":{"vehicleId":5}}',
    "a list for data": b'{"event":"heartbeat","id":"odd","data":[]}',
    "an unknown event": b'{"event":"self_destruct","id":"odd","data":{}}',
    "an unknown key": b'{"event":"heartbeat","id":"odd","data":{"__class__":1}}',
    "something behind it": b'{"event":"heartbeat","id":"odd","data":{}} {}',
}


@pytest.mark.parametrize("name", ODD_JSON)
def test_odd_json_gets_a_coded_error_and_the_connection_goes_on(peer: Peer, name: str) -> None:
    peer.send(frame(TEXT, ODD_JSON[name]))
    assert peer.next("error")["code"] in {"validation_error", "invalid_location", "invalid_register", "unknown_event"}
    peer.send(frame(TEXT, HEARTBEAT))
    assert peer.next("ack") == {"id": "after"}


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xfe",
        b'{"event":"heartbeat","data":{},"id":"\xc3\x28"}',
        b'{"event":"register","data":{"vehicleId":"abc","driverName":"\xed\xa0\x80"}}',
        b'{"event":"heartbeat","data":{"\xf0\x28\x8c\x28":1}}',
    ],
)
@pytest.mark.parametrize("in_fragments", [False, True])
def test_invalid_utf8_is_the_end(peer: Peer, payload: bytes, in_fragments: bool) -> None:
    peer.send(fragments(TEXT, payload[:1], payload[1:]) if in_fragments else frame(TEXT, payload))
    assert peer.closed() == 1007


def test_a_character_that_a_fragment_cuts_in_two_is_valid(peer: Peer) -> None:
    whole = '{"event":"heartbeat","data":{},"id":"Ж"}'.encode()
    cut = whole.index("Ж".encode()) + 1
    peer.send(fragments(TEXT, whole[:cut], whole[cut:]))
    assert peer.next("ack") == {"id": "Ж"}


BROKEN = {
    "unmasked": frame(TEXT, HEARTBEAT, mask=None),
    "unmasked ping": frame(PING, b"", mask=None),
    "unknown opcode": frame(3, b"x"),
    "unknown control opcode": frame(11, b"x"),
    "reserved bit 1": frame(TEXT, HEARTBEAT, rsv=0x40),
    "reserved bit 2": frame(TEXT, HEARTBEAT, rsv=0x20),
    "reserved bit 3": frame(PING, b"", rsv=0x10),
    "continuation of nothing": frame(CONTINUATION, HEARTBEAT),
    "a message inside a message": frame(TEXT, b"{", fin=False) + frame(TEXT, HEARTBEAT),
    "ping in fragments": frame(PING, b"a", fin=False),
    "ping too long": frame(PING, b"x" * 126),
    "close code of one byte": frame(CLOSE, b"\x03"),
    "close code 999": frame(CLOSE, (999).to_bytes(2)),
    "close code 1005": frame(CLOSE, (1005).to_bytes(2)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_frame_against_the_rules_is_the_end_and_what_is_behind_it_is_not_read(peer: Peer, name: str) -> None:
    peer.send(BROKEN[name] + frame(TEXT, HEARTBEAT))
    messages, code = peer.everything()
    assert code == 1002
    assert messages == []


def test_a_close_reason_that_is_not_utf8_is_the_end(peer: Peer) -> None:
    peer.send(frame(CLOSE, (1000).to_bytes(2) + b"\xff"))
    assert peer.closed() in {1002, 1007}


def test_what_is_behind_a_close_frame_in_the_same_segment_is_not_read(peer: Peer) -> None:
    peer.send(frame(TEXT, HEARTBEAT) + frame(CLOSE, (1000).to_bytes(2)) + frame(TEXT, HEARTBEAT))
    messages, code = peer.everything()
    assert code == 1000
    assert [message["event"] for message in messages] == ["heartbeat_ack", "ack"]


def test_frames_that_come_byte_by_byte_are_understood(peer: Peer) -> None:
    for byte in frame(TEXT, HEARTBEAT) + fragments(TEXT, HEARTBEAT[:9], HEARTBEAT[9:], between=frame(PING, b"p")):
        peer.send(bytes([byte]))
    assert peer.next("ack") == peer.next("ack") == {"id": "after"}


def test_many_frames_in_one_segment_are_all_taken_in_order(peer: Peer) -> None:
    time.sleep(1.0)  # the limit of heartbeats is full again
    numbers = [str(number) for number in range(15)]
    peer.send(b"".join(frame(TEXT, json.dumps({"event": "heartbeat", "data": {}, "id": n}).encode()) for n in numbers))
    assert [peer.next("ack")["id"] for _ in numbers] == numbers


def test_an_announced_frame_that_never_comes_harms_nobody(peer: Peer) -> None:
    peer.send(frame(TEXT, padded(LIMIT))[:1_000])
    with Peer(peer.server) as other:
        assert other.upgrade() == 101
