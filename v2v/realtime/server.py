"""uvicorn's WebSocket protocol with a short way for nearly all traffic: whole, unfragmented text frames.

Those are unmasked here and handed over at once, and frames out are written with a header made here. Everything else
(handshake, control frames, fragments, what is too large or wrong) goes to the `websockets` library, as whole frames.
Measured at 5 reports a second and 20 neighbors: parsing in the library took 40 % of the server's time.
"""

import asyncio
import logging
import socket
import sys
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from v2v.protocol.codes import CLOSES, CloseCode
from v2v.protocol.fields import MAX_FRAME_BYTES
from v2v.realtime.http import BoundedHttpProtocol
from v2v.realtime.ratelimit import Bucket, Limit
from v2v.realtime.wire import DIRECT, Receiver
from v2v.realtime.workers import shared_socket

try:
    from websockets.speedups import apply_mask
except ImportError:  # a platform without the compiled part
    from websockets.utils import apply_mask

_FIN, _OPCODE, _MASKED, _SIZE = 0x80, 0x0F, 0x80, 0x7F
_WHOLE_TEXT = _FIN | Opcode.TEXT
_TWO_BYTES, _EIGHT_BYTES = 126, 127  # a length that does not fit in 7 bits follows in so many bytes
_SMALL_HEADERS = [bytes((_WHOLE_TEXT, size)) for size in range(_TWO_BYTES)]
_MEDIUM_HEADER = bytes((_WHOLE_TEXT, _TWO_BYTES))
_LARGE_HEADER = bytes((_WHOLE_TEXT, _EIGHT_BYTES))
_LONG_WAY = Limit(rate=50.0, burst=1_000)  # pings, fragments and the like of one connection
_LINGER_S = 3.0
# A thread that computes keeps the interpreter for so long once the event loop asks for it; Python's own 5 ms is a
# fortieth of a tick, and it is waited for anew after each frame that is written.
_SWITCH_INTERVAL_S = 0.0005


def text_frame(payload: bytes) -> bytes:
    """A server's text frame (RFC 6455, 5.2: unmasked)."""
    size = len(payload)
    if size < _TWO_BYTES:
        return _SMALL_HEADERS[size] + payload
    if size < 1 << 16:
        return _MEDIUM_HEADER + size.to_bytes(2) + payload
    return _LARGE_HEADER + size.to_bytes(8) + payload


def _payload_of(data: bytes, position: int, size: int) -> tuple[int, int]:
    """Where the payload of the frame at `position` begins and ends.

    An end past `size` means that more must come; an end of 0 that the frame's head breaks the rules (unmasked, over
    64 KiB), which the library answers at once by closing the connection.
    """
    if size - position < 2:
        return 0, size + 1
    second = data[position + 1]
    length = second & _SIZE
    if not second & _MASKED:
        return 0, 0
    if length < _TWO_BYTES:
        return position + 6, position + 6 + length
    width = 2 if length == _TWO_BYTES else 8
    if size - position < 2 + width:
        return 0, size + 1
    length = int.from_bytes(data[position + 2 : position + 2 + width])
    if length > MAX_FRAME_BYTES:
        return 0, 0
    start = position + 6 + width
    return start, start + length


class DirectWebSocketProtocol(WebSocketsSansIOProtocol):
    """A `Wire`: the application finds it among its scope's extensions and attaches itself before it accepts."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.can_write = True
        self._receiver: Receiver | None = None
        self._rest = b""  # the beginning of a frame whose end has not come yet
        self._in_fragments = False  # the library holds the first fragments of a message
        self._long_way = Bucket(_LONG_WAY, self.loop.time())

    # ---- Wire

    def attach(self, receiver: Receiver) -> None:
        """Tell `receiver` from now on."""
        self._receiver = receiver

    def send_frame(self, payload: bytes) -> None:
        """Send one text frame."""
        if not self.close_sent and not self.disconnected:
            self.transport.write(text_frame(payload))

    def close_with(self, code: int, reason: str, *, linger_s: float) -> None:
        """Send a close frame; drop the connection after `linger_s` seconds whatever the peer does."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        with suppress(InvalidState):  # the peer's close frame is being answered already
            self.conn.send_close(code, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        # `abort`, not `close`: the latter waits for ever for a peer that does not read.
        self.close_timer = self.loop.call_later(linger_s, self.transport.abort)

    # ---- uvicorn

    def handle_connect(self, event: Request) -> None:
        """Offer the short way to the application, which runs in a task that has not begun yet."""
        super().handle_connect(event)
        if self.response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            self.scope["extensions"][DIRECT] = self  # type: ignore[assignment]

    async def run_asgi(self) -> None:
        """Serve the connection. Once the application is done, a peer that does not read cannot keep it open."""
        try:
            await super().run_asgi()
        finally:
            if not self.disconnected and self.close_timer is None:
                self.close_timer = self.loop.call_later(_LINGER_S, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        """Take whole text frames the short way, all else the long one."""
        if self._receiver is None or not self.handshake_complete:
            self._handshake_received(data)
            return
        if self._rest:
            data = self._rest + data
        position, size = 0, len(data)
        while position < size:
            start, end = _payload_of(data, position, size)
            if end > size:
                break
            if data[position] == _WHOLE_TEXT and not self._in_fragments and end:
                if not self.close_sent:
                    self._receiver.frame_received(apply_mask(data[start:end], data[start - 4 : start]))
            else:
                self._to_library(data[position : end or size])
                if self.transport.is_closing():
                    self._rest = b""  # what comes behind a close frame, or a broken one, is nobody's
                    return
            position = end
        self._rest = data[position:]

    def _handshake_received(self, data: bytes) -> None:
        if self.handshake_initiated and not self.handshake_complete:
            self.transport.abort()  # frames before the answer to the handshake
            return
        super().data_received(data)
        if not self.handshake_initiated:  # the head came whole, and is too long for the library: it has an answer
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    def _to_library(self, frames: bytes) -> None:
        """Take a frame the long way. It costs 30 times as much as the short one, so its use is limited."""
        if self._long_way.take(self.loop.time()) and not self.close_sent and self._receiver is not None:
            self._receiver.abused()
        if (opcode := frames[0] & _OPCODE) < Opcode.CLOSE:
            self._in_fragments = not frames[0] & _FIN
            if opcode == Opcode.TEXT and self._in_fragments:
                self.curr_msg_data_type = "text"
        super().data_received(frames)

    def handle_ping(self) -> None:
        """Answer, unless the peer does not read: its pongs would pile up in memory."""
        if self.can_write:
            super().handle_ping()
        else:
            self.conn.data_to_send()

    def handle_close(self, event: Frame) -> None:
        """The peer closes, or answers our close frame: nothing is sent behind the answer."""
        super().handle_close(event)
        self.close_sent = True
        self.close_timer = self.loop.call_later(_LINGER_S, self.transport.abort)

    def keepalive_timeout(self) -> None:
        """The peer answers no ping. uvicorn would wait until it has read all that is on the way to it."""
        self.close_with(CloseCode.TIMED_OUT, CLOSES[CloseCode.TIMED_OUT].reason, linger_s=_LINGER_S)

    def send_receive_event_to_app(self) -> None:
        """A message that took the long way: fragmented, or binary."""
        if self._receiver is None:
            super().send_receive_event_to_app()
            return
        payload = b"".join(self.frames)
        self.frames = []
        if self.close_sent:
            return
        if self.curr_msg_data_type == "text":
            self._receiver.frame_received(payload)
        else:
            self._receiver.binary_received()

    def pause_writing(self) -> None:
        """The transport's buffer is over its high-water mark."""
        self.can_write = False
        super().pause_writing()

    def resume_writing(self) -> None:
        """The buffer is under its low-water mark again."""
        self.can_write = True
        super().resume_writing()
        if self._receiver is not None and not self.disconnected:
            self._receiver.writing_resumed()

    def shutdown(self) -> None:
        """The server stops. uvicorn would close at once, and lose what was said last when the peer is still sending."""
        if self._receiver is None or not self.handshake_complete:
            super().shutdown()
        elif not self.close_sent:
            self.stop_keepalive()
            self._receiver.server_stopping()


def server_config(app: Any, *, host: str, port: int, **options: Any) -> uvicorn.Config:
    """uvicorn with the settings that the measurements chose."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        ws=DirectWebSocketProtocol,
        ws_max_size=MAX_FRAME_BYTES,
        ws_per_message_deflate=False,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        loop="uvloop",
        http=BoundedHttpProtocol,
        lifespan="on",
        log_config=None,
        access_log=False,
        backlog=4096,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=8,
        server_header=False,
        **options,
    )


class _Server(uvicorn.Server):
    """Tells the process that started it that it serves, and stops when that is gone."""

    parent: socket.socket | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.parent is not None and self.started:
            self.parent.setblocking(False)
            self.parent.send(b"1")
            asyncio.get_running_loop().add_reader(self.parent, self._parent_gone)  # it says nothing: this is its end

    def _parent_gone(self) -> None:
        if self.parent is not None:
            asyncio.get_running_loop().remove_reader(self.parent)
        self.should_exit = True


def serve(config: uvicorn.Config, *, parent_fd: int | None = None) -> None:
    """Run until SIGTERM or SIGINT; with a parent, until its end, on a port that it shares with other children."""
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    logging.getLogger(__name__).info("listening on http://%s:%s/", config.host, config.port)
    server = _Server(config)
    if parent_fd is None:
        server.run()
        return
    server.parent = socket.socket(fileno=parent_fd)
    server.run(sockets=[shared_socket(config.host, config.port)])
