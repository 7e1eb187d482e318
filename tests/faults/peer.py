"""A client that does what no library does: any bytes, at any time, from any loopback address."""

import fcntl
import json
import socket
import sys
import termios
import time
from contextlib import suppress
from typing import Any, Protocol, Self

from tests.frames import CLOSE, PING, TEXT, frame

WAIT_S = 15.0  # on two busy cores
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HOME = "127.0.0.1"


class Served(Protocol):
    """A server and where it answers: http://127.0.0.1:PORT."""

    @property
    def url(self) -> str: ...


class Peer:
    """One TCP connection. `source` is the loopback address that it comes from."""

    def __init__(self, server: Served, *, source: str = HOME, segment: int = 0, buffer: int = 0) -> None:
        self.server = server
        self.socket = socket.socket()
        self.socket.settimeout(WAIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if segment:  # as on the road: the kernel's buffers on loopback are made for segments of 64 KiB
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
        if buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.socket.bind((source, 0))
        self.socket.connect((HOME, port_of(server)))
        self._rest = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    # ---- Out

    def send(self, data: bytes) -> None:
        """Send bytes; that the server has hung up is seen when reading."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)

    def event(self, name: str, data: dict[str, Any] | None = None, **envelope: Any) -> None:
        self.send(frame(TEXT, json.dumps({"event": name, "data": data or {}, **envelope}).encode()))

    def waiting(self) -> int:
        """How many bytes have come that were not read."""
        return int.from_bytes(fcntl.ioctl(self.socket, termios.FIONREAD, bytes(4)), sys.byteorder)

    # ---- In

    def upgrade(self, path: str = "/ws/vehicle/", **headers: str) -> int:
        """Ask for a socket; the HTTP status of the answer. A header given as empty is left out."""
        lines = {
            "Host": f"{HOME}:{port_of(self.server)}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": KEY,
            "Sec-WebSocket-Version": "13",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
        self.send(f"GET {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
        return self.status()

    def status(self) -> int:
        """The status of the next HTTP answer; 0 when the server hung up."""
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                return 0
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        return int(head.split()[1])

    def next(self, event: str, **wanted: Any) -> dict[str, Any]:
        """The data of the next event of that name, with `wanted` in its data; what comes before is passed over."""
        while True:
            _, data = self.either(event)
            if wanted.items() <= data.items():
                return data

    def either(self, *events: str) -> tuple[str, dict[str, Any]]:
        """The next event of one of these names."""
        while True:
            opcode, payload = self._frame()
            if opcode == TEXT:
                message = json.loads(payload)
                if message["event"] in events:
                    return message["event"], message["data"]
            assert opcode != CLOSE, f"closed with {payload!r} before {events}"

    def message(self) -> dict[str, Any]:
        """The next event, whole."""
        while True:
            opcode, payload = self._frame()
            if opcode == TEXT:
                return dict(json.loads(payload))
            assert opcode != CLOSE, f"closed with {payload!r}"

    def closed(self) -> int:
        """Wait for the end: the close code, or 1006 when there was no close frame."""
        code = 1006
        with suppress(ConnectionError):
            while True:
                opcode, payload = self._frame()
                if opcode == CLOSE:
                    code = int.from_bytes(payload[:2])
                    self.send(frame(CLOSE, payload[:2]))
        return code

    def everything(self) -> tuple[list[dict[str, Any]], int]:
        """All events until the end, and the close code."""
        messages: list[dict[str, Any]] = []
        code = 1006
        with suppress(ConnectionError):
            while True:
                opcode, payload = self._frame()
                if opcode == TEXT:
                    messages.append(json.loads(payload))
                elif opcode == CLOSE:
                    code = int.from_bytes(payload[:2])
                    self.send(frame(CLOSE, payload[:2]))
        return messages, code

    def register(self, vehicle_id: str, token: str, **data: Any) -> dict[str, Any]:
        self.event("register", {"vehicleId": vehicle_id, "token": token, **data})
        return self.next("registered")

    def _frame(self) -> tuple[int, bytes]:
        head = self._take(2)
        size = head[1] & 0x7F
        if size > 125:
            size = int.from_bytes(self._take(2 if size == 126 else 8))
        payload = self._take(size)
        opcode = head[0] & 0x0F
        if opcode == PING:
            self.send(frame(10, payload))
        return opcode, payload

    def _take(self, size: int) -> bytes:
        while len(self._rest) < size:
            if not self._more():
                raise ConnectionError("the server hung up")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _more(self) -> bytes:
        try:
            data = self.socket.recv(65_536)
        except ConnectionResetError:
            return b""
        self._rest += data
        return data


def port_of(server: Served) -> int:
    return int(server.url.rpartition(":")[2])


def vehicle_peer(server: Served, who: tuple[str, str], **options: Any) -> Peer:
    """A vehicle's socket that has registered; `who` is id and token."""
    peer = Peer(server, **options)
    assert peer.upgrade() == 101
    peer.register(*who)
    return peer


def heartbeat_s(peer: Peer) -> float:
    """Seconds from a sign of life to its answer."""
    began = time.perf_counter()
    peer.event("heartbeat")
    peer.next("heartbeat_ack")
    return time.perf_counter() - began
