"""The short way for frames and the `websockets` library's own parser understand every byte alike.

The protocol is fed as the event loop feeds it, through a transport that keeps what is written; the library is fed the
same bytes in one piece. Messages, answers (pongs, close frames) and the end must be the same.
"""

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from tests.frames import frame
from v2v.protocol.fields import MAX_FRAME_BYTES
from v2v.realtime.server import DirectWebSocketProtocol, server_config, text_frame
from v2v.realtime.wire import DIRECT

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Pipe(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_ended = False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.is_ended = True

    abort = close

    def is_closing(self) -> bool:
        return self.is_ended

    def pause_reading(self) -> None:
        raise AssertionError("the short way never stops reading")


@dataclass
class Heard:
    """A `Receiver` that keeps what it is told."""

    messages: list[bytes | None] = field(default_factory=list)
    abused_count: int = 0

    def frame_received(self, payload: bytes) -> None:
        self.messages.append(bytes(payload))

    def binary_received(self) -> None:
        self.messages.append(None)

    def abused(self) -> None:
        self.abused_count += 1

    def writing_resumed(self) -> None: ...

    def server_stopping(self) -> None: ...


@dataclass
class Server:
    """One connection: the protocol under test, past its handshake."""

    protocol: DirectWebSocketProtocol
    pipe: Pipe
    heard: Heard


async def open_connection() -> Server:
    heard = Heard()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"][DIRECT].attach(heard)
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    config = server_config(application, host="", port=0)
    config.load()
    pipe = Pipe()
    protocol = DirectWebSocketProtocol(config, ServerState(), {}, asyncio.get_running_loop())
    protocol.connection_made(pipe)
    protocol.data_received(HANDSHAKE)
    await asyncio.sleep(0)
    assert pipe.written.startswith(b"HTTP/1.1 101 ")
    pipe.written = b""
    return Server(protocol, pipe, heard)


def by_library(stream: bytes) -> tuple[list[bytes | None], bytes]:
    """The messages (None for a binary one) and the answers, as the library alone has them."""
    library = ServerProtocol(max_size=MAX_FRAME_BYTES)
    library.receive_data(HANDSHAKE)
    (request,) = library.events_received()
    assert isinstance(request, Request)
    library.send_response(library.accept(request))
    library.data_to_send()
    library.receive_data(stream)
    messages: list[bytes | None] = []
    parts: list[bytes] = []
    kind = Opcode.TEXT
    for received in library.events_received():
        assert isinstance(received, Frame)
        if received.opcode in (Opcode.TEXT, Opcode.BINARY, Opcode.CONT):
            if received.opcode is not Opcode.CONT:
                kind, parts = received.opcode, []
            parts.append(bytes(received.data))
            if received.fin:
                messages.append(b"".join(parts) if kind is Opcode.TEXT else None)
    return messages, b"".join(library.data_to_send())


PAYLOADS = st.one_of(st.binary(max_size=20), st.sampled_from([b"x" * size for size in (125, 126, 127, 300)]))
MASKS = st.binary(min_size=4, max_size=4)
TEXTS = st.builds(lambda payload, mask: frame(1, payload, mask=mask), PAYLOADS, MASKS)
CONTROLS = st.builds(lambda opcode, payload: frame(opcode, payload), st.sampled_from([9, 10]), st.binary(max_size=125))


@st.composite
def fragmented(draw: st.DrawFn) -> bytes:
    """A message in fragments, with pings and pongs between them."""
    payloads = draw(st.lists(PAYLOADS, min_size=2, max_size=5))
    stream = b""
    for index, payload in enumerate(payloads):
        opcode = draw(st.sampled_from([1, 2])) if index == 0 else 0
        stream += frame(opcode, payload, fin=index == len(payloads) - 1)
        stream += b"".join(draw(st.lists(CONTROLS, max_size=2)))
    return stream


WELL_FORMED = st.one_of(TEXTS, TEXTS, TEXTS, CONTROLS, fragmented(), st.builds(lambda data: frame(2, data), PAYLOADS))
BROKEN = st.one_of(
    st.builds(lambda opcode: frame(opcode, b"abc"), st.sampled_from([3, 7, 11, 15])),
    st.builds(
        lambda rsv, opcode: frame(opcode, b"x" * 90, rsv=rsv), st.sampled_from([16, 32, 64]), st.sampled_from([1, 2, 9])
    ),
    st.builds(lambda opcode: frame(opcode, b"abc", mask=None), st.sampled_from([1, 2, 8, 9])),
    st.just(frame(0, b"continues nothing")),
    st.just(frame(1, b"begins", fin=False) + frame(1, b"begins again")),
    st.just(frame(9, b"x" * 126)),
    st.just(frame(9, b"in two", fin=False)),
    st.just(b"\x81\xff" + (MAX_FRAME_BYTES + 1).to_bytes(8) + b"mask"),
    st.just(b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
    st.just(b"".join(frame(int(not index), b"x" * 30_000, fin=False) for index in range(3))),
    st.builds(
        lambda payload: frame(8, payload),
        st.sampled_from([b"", b"\x03\xe8", b"\x03\xe8bye", b"\x03", b"\x00\x00", b"\x03\xe8\xff"]),
    ),
)


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[int]]:
    """A connection's bytes, and where the network cuts them."""
    stream = b"".join(draw(st.lists(WELL_FORMED, max_size=8)))
    if draw(st.booleans()):
        stream += draw(BROKEN) + b"".join(draw(st.lists(WELL_FORMED, max_size=3)))
    cuts = draw(st.lists(st.integers(0, len(stream)), max_size=10))
    return stream, sorted({0, len(stream), *cuts})


def run(check: Callable[[Server], None]) -> None:
    async def inside() -> None:
        check(await open_connection())

    asyncio.run(inside())


@settings(max_examples=300, deadline=None)
@given(streams())
def test_any_cut_of_any_frames_is_understood_as_the_library_does(case: tuple[bytes, list[int]]) -> None:
    stream, cuts = case

    def check(server: Server) -> None:
        for begin, end in itertools.pairwise(cuts):
            if not server.pipe.is_closing():
                server.protocol.data_received(stream[begin:end])
        messages, answers = by_library(stream)
        assert server.heard.messages == messages
        assert server.pipe.written == answers

    run(check)


def test_a_cut_at_every_byte_is_understood() -> None:
    stream = (
        frame(1, b'{"a":1}') + frame(1, b"y" * 130) + frame(9, b"p") + frame(1, b"be", fin=False) + frame(0, b"gin")
    )

    def check(server: Server) -> None:
        for byte in stream:
            server.protocol.data_received(bytes([byte]))
        assert server.heard.messages == [b'{"a":1}', b"y" * 130, b"begin"]

    run(check)


def test_64_kib_are_taken_and_one_byte_more_is_not() -> None:
    def check(server: Server) -> None:
        server.protocol.data_received(frame(1, b"x" * MAX_FRAME_BYTES))
        assert [len(message or b"") for message in server.heard.messages] == [MAX_FRAME_BYTES]
        server.protocol.data_received(frame(1, b"x" * (MAX_FRAME_BYTES + 1)))
        assert server.pipe.written[2:4] == (1009).to_bytes(2)
        assert len(server.heard.messages) == 1
        assert server.pipe.is_closing()

    run(check)


def test_after_our_close_frame_messages_are_dropped_and_the_answer_is_still_understood() -> None:
    def check(server: Server) -> None:
        half = frame(1, b"cut in two")
        server.protocol.data_received(half[:5])
        server.protocol.close_with(4429, "abuse", linger_s=5)
        server.protocol.data_received(half[5:] + frame(1, b"late") * 3)
        assert not server.pipe.is_closing()
        server.protocol.send_frame(b"nothing goes out any more")
        server.protocol.data_received(frame(8, b"\x11\x4d"))
        assert server.pipe.is_closing()
        assert server.heard.messages == []
        assert server.pipe.written == frame(8, (4429).to_bytes(2) + b"abuse", mask=None)

    run(check)


def test_frames_before_the_answer_to_the_handshake_end_it() -> None:
    async def never_accepts(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(60)

    async def inside() -> bytes:
        config = server_config(never_accepts, host="", port=0)
        config.load()
        pipe = Pipe()
        protocol = DirectWebSocketProtocol(config, ServerState(), {}, asyncio.get_running_loop())
        protocol.connection_made(pipe)
        protocol.data_received(HANDSHAKE)
        protocol.data_received(frame(1, b"impatient")[:4])
        assert pipe.is_closing()
        return pipe.written

    assert asyncio.run(inside()) == b""


@pytest.mark.parametrize("flood", [frame(9, b""), frame(10, b""), frame(0, b"", fin=False)])
def test_pings_and_empty_fragments_without_end_are_abuse(flood: bytes) -> None:
    def check(server: Server) -> None:
        server.protocol.data_received(frame(1, b"begins", fin=False) + flood * 900)
        assert server.heard.abused_count == 0
        server.protocol.data_received(flood * 200)
        assert server.heard.abused_count > 0

    run(check)


def test_a_peer_that_does_not_read_gets_no_pongs_to_keep() -> None:
    def check(server: Server) -> None:
        server.protocol.pause_writing()
        server.protocol.data_received(frame(9, b"a"))
        assert server.pipe.written == b""
        server.protocol.resume_writing()
        server.protocol.data_received(frame(9, b"b"))
        assert server.pipe.written == frame(10, b"b", mask=None)

    run(check)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 70_000])
def test_frames_out_are_as_the_library_makes_them(size: int) -> None:
    payload = b"x" * size
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False)
