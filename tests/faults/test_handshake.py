"""Handshakes that are wrong, slow, without an end, or from where they should not come."""

import socket
import time
from contextlib import ExitStack, closing

import pytest

from tests.faults.conftest import RecordFigure, memory_mb
from tests.faults.peer import HOME, KEY, Peer, port_of, vehicle_peer
from tests.servers.v2v import V2VServer

pytestmark = pytest.mark.usefixtures("still_serves")


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/ws/vehicle/", {}, 101),
        ("/ws/vehicle/?a=b", {}, 101),
        ("/ws/nowhere/", {}, 403),
        ("/ws/vehicle", {}, 403),
        ("/", {}, 403),
        ("/ws/vehicle/%00%ff", {}, 403),
        ("/ws/vehicle/", {"Sec_WebSocket_Key": "short"}, 400),
        ("/ws/vehicle/", {"Sec_WebSocket_Key": ""}, 400),
        ("/ws/vehicle/", {"Sec_WebSocket_Version": "8"}, 426),
        ("/ws/vehicle/", {"Sec_WebSocket_Version": ""}, 426),
        ("/ws/vehicle/", {"Authorization": "Bearer \xff\xfe"}, 101),
        ("/ws/vehicle/", {"Cookie": "\x7f=;;=\xff"}, 400),
    ],
)
def test_a_handshake_is_answered_by_what_is_right_or_wrong_with_it(
    target: V2VServer, path: str, headers: dict[str, str], status: int
) -> None:
    with Peer(target) as peer:
        assert peer.upgrade(path, **headers) in ({400, 426} if status in {400, 426} else {status})


UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
SECRET = f"Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
MANY = "".join(f"X-{number}: y\r\n" for number in range(500))
NO_REQUESTS = {
    "a path that is not ASCII": f"GET /ws/vehicle/\xff HTTP/1.1\r\nHost: a\r\n{UPGRADE}{SECRET}",
    "a full address": f"GET http://a/ws/vehicle/ HTTP/1.1\r\nHost: a\r\n{UPGRADE}{SECRET}",
    "POST": f"POST /ws/vehicle/ HTTP/1.1\r\nHost: a\r\n{UPGRADE}{SECRET}",
    "500 headers": f"GET /ws/vehicle/ HTTP/1.1\r\nHost: a\r\n{UPGRADE}{MANY}{SECRET}",
    "a header of 20 KB": f"GET /ws/vehicle/ HTTP/1.1\r\nX: {'y' * 20_000}\r\n{UPGRADE}{SECRET}",
    "TLS": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "zeros": "\x00" * 100,
    "no path": "GET\r\n\r\n",
}


@pytest.mark.parametrize("name", NO_REQUESTS)
def test_a_request_that_is_none_is_refused_or_hung_up_on(target: V2VServer, name: str) -> None:
    with Peer(target) as peer:
        peer.send(NO_REQUESTS[name].encode("latin-1"))
        assert peer.status() in {0, 400, 403, 405, 414, 426, 431, 505}


def test_frames_that_come_before_the_server_agreed_are_nobodys(target: V2VServer) -> None:
    with Peer(target) as peer:
        peer.send(
            b"GET /ws/vehicle/ HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: "
            b"dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x83\x01\x02\x03\x04abc"
        )
        assert peer.status() in {0, 101}


def test_a_head_without_an_end_is_cut_off(target: V2VServer, record_figure: RecordFigure) -> None:
    before = memory_mb(target.pid)
    with Peer(target) as peer:
        peer.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
        for _ in range(200):
            peer.send(b"y" * 100_000)
        assert peer.status() in {0, 400}
    grown = memory_mb(target.pid) - before
    assert grown < 10
    record_figure("20 MB of header", "refused, memory <= 10 MB", f"{grown:.1f} MB")


def test_handshakes_that_trickle_in_are_ended_and_keep_nobody_out(
    target: V2VServer, good_vehicle: tuple[str, str], record_figure: RecordFigure
) -> None:
    began = time.monotonic()
    with ExitStack() as stack:
        slow = [stack.enter_context(closing(socket.create_connection((HOME, port_of(target))))) for _ in range(200)]
        for trickle in slow:
            trickle.settimeout(0.5)
            trickle.sendall(b"GET /ws/vehicle/ HTTP/1.1\r\n")
        connecting = time.monotonic()
        with vehicle_peer(target, good_vehicle):
            connect_s = time.monotonic() - connecting
        open_still = list(slow)
        while open_still and time.monotonic() - began < 20:
            open_still = [trickle for trickle in open_still if not _is_ended(trickle)]
            time.sleep(0.5)
        took = time.monotonic() - began
        assert not open_still
    assert connect_s < 3
    record_figure(
        "200 handshakes, a header line at a time", "ended in 15 s", f"{took:.1f} s; others connect in {connect_s:.2f} s"
    )


def _is_ended(trickle: socket.socket) -> bool:
    try:
        trickle.sendall(b"X-Slow: 1\r\n")
        trickle.settimeout(0.001)
        return trickle.recv(100) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


ORIGINS = {
    "another site": "https://evil.example",
    "null": "null",
    "another port": "http://127.0.0.1:1",
    "https for http": "https://127.0.0.1:{port}",
    "another name of the host": "http://localhost:{port}",
    "a longer host": "http://127.0.0.1:{port}.evil.example",
    "nothing like one": "a b c",
}


@pytest.mark.parametrize("socket_path", ["/ws/vehicle/", "/ws/dispatch/"])
@pytest.mark.parametrize("name", ORIGINS)
def test_a_page_from_elsewhere_opens_no_socket(target: V2VServer, socket_path: str, name: str) -> None:
    with Peer(target) as peer:
        assert peer.upgrade(socket_path, Origin=ORIGINS[name].format(port=port_of(target))) == 403


def test_its_own_page_does_and_a_device_without_origin_does(target: V2VServer) -> None:
    with Peer(target) as page, Peer(target) as device:
        assert page.upgrade(Origin=target.url) == 101
        assert device.upgrade() == 101


def test_a_dispatchers_socket_needs_an_origin_and_a_log_in(target: V2VServer) -> None:
    cookie = target.login("alpha_dispatcher")
    with Peer(target) as no_origin, Peer(target) as nobody, Peer(target) as stranger, Peer(target) as dispatcher:
        assert no_origin.upgrade("/ws/dispatch/", Cookie=cookie) == 403
        assert nobody.upgrade("/ws/dispatch/", Origin=target.url) == 101
        assert nobody.closed() == 4401
        assert stranger.upgrade("/ws/dispatch/", Origin=target.url, Cookie="sessionid=forged0123456789") == 101
        assert stranger.closed() == 4401
        assert dispatcher.upgrade("/ws/dispatch/", Origin=target.url, Cookie=cookie) == 101
        assert dispatcher.next("registered")["fleets"][0]["slug"] == "alpha"
