"""Readers that do not read, floods, sockets that say nothing: what they get, and what others notice of it."""

import os
import resource
import socket
import statistics
import threading
import time
from collections import Counter
from contextlib import ExitStack

import pytest

from tests.faults.conftest import LONG, RecordFigure, descriptors, memory_mb
from tests.faults.peer import Peer, vehicle_peer
from tests.faults.pulse import Pulse
from tests.frames import TEXT, frame
from tests.servers.v2v import V2VServer

pytestmark = pytest.mark.usefixtures("still_serves")

P99_MS = 500  # generous: the machine has two cores, and the tests use one of them
FIX = b'{"event":"location_update","data":{"lat":50,"lng":8}}'


@pytest.fixture(scope="module")
def behaved(target: V2VServer) -> list[tuple[str, str]]:
    return [target.vehicle() for _ in range(5)]


def test_a_reader_that_never_reads_is_closed_and_costs_nobody(
    target: V2VServer, behaved: list[tuple[str, str]], record_figure: RecordFigure
) -> None:
    cookie = target.login("alpha_dispatcher")
    moving = [target.vehicle() for _ in range(60)]
    logged = len(target.log())
    with ExitStack() as stack:
        vehicles = [stack.enter_context(vehicle_peer(target, who, source="127.0.0.4")) for who in moving]
        before = memory_mb(target.pid)
        slow = stack.enter_context(Peer(target, segment=536, buffer=4096))
        slow.upgrade("/ws/dispatch/", Origin=target.url, Cookie=cookie)
        began = full_at = time.monotonic()
        came = most = 0.0
        with Pulse(target, behaved) as pulse:
            while "closed slow reader" not in target.log()[logged:]:
                assert time.monotonic() - began < 40
                for number, vehicle in enumerate(vehicles):
                    vehicle.event("location_update", {"lat": number, "lng": time.monotonic() % 1, "battery": 50})
                most = max(most, memory_mb(target.pid) - before)
                if slow.waiting() != came:
                    came, full_at = slow.waiting(), time.monotonic()
                time.sleep(0.22)
            took = time.monotonic() - full_at
    assert took < 25  # the buffers on the way fill up first
    assert most < 20
    assert pulse.p99_ms < P99_MS
    figure = f"{took:.1f} s after its window was full, memory + {most:.1f} MB, p99 of others {pulse.p99_ms:.0f} ms"
    record_figure("reader that never reads", "closed, memory <= 20 MB", figure)


def test_a_flood_of_valid_frames_is_limited_and_then_closed(
    target: V2VServer, behaved: list[tuple[str, str]], record_figure: RecordFigure
) -> None:
    with Pulse(target, behaved) as pulse, vehicle_peer(target, target.vehicle()) as flooder:
        began = time.monotonic()
        sender = threading.Thread(target=flooder.send, args=(frame(TEXT, FIX) * 100_000,))
        sender.start()
        messages, code = flooder.everything()
        took = time.monotonic() - began
        sender.join()
        time.sleep(1)
    assert code in {4429, 1006}  # a reset by what it goes on sending may overtake the close frame
    assert any(message["data"].get("code") == "rate_limited" for message in messages)
    assert len(messages) < 50
    assert pulse.p99_ms < P99_MS
    record_figure("flood of valid frames", "limited, closed", f"{took:.2f} s, p99 of others {pulse.p99_ms:.0f} ms")


def test_a_flood_of_garbage_over_many_sockets_is_closed(
    target: V2VServer, behaved: list[tuple[str, str]], record_figure: RecordFigure
) -> None:
    codes: Counter[int] = Counter()
    with Pulse(target, behaved) as pulse:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            with ExitStack() as stack:
                peers = [stack.enter_context(Peer(target, source="127.0.0.5")) for _ in range(20)]
                for peer in peers:
                    assert peer.upgrade() == 101
                    peer.send(frame(TEXT, b"{garbage") * 1_000)
                codes.update(peer.closed() for peer in peers)
    assert set(codes) <= {4400, 1006}
    assert codes[4400] > 0
    assert pulse.p99_ms < P99_MS
    record_figure("flood of garbage", "closed", f"{codes.total()} sockets, p99 of others {pulse.p99_ms:.0f} ms")


def test_a_flood_of_pings_is_closed(target: V2VServer, behaved: list[tuple[str, str]]) -> None:
    with Pulse(target, behaved) as pulse, vehicle_peer(target, target.vehicle()) as flooder:
        flooder.send(frame(9, b"x" * 100) * 5_000)
        assert flooder.closed() in {4429, 1006}
        time.sleep(1)
    assert pulse.p99_ms < P99_MS


def test_sockets_that_never_register_are_capped_by_address_and_closed(
    target: V2VServer, good_vehicle: tuple[str, str], record_figure: RecordFigure
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    addresses = 20 if LONG in os.environ else 5
    before = memory_mb(target.pid)
    try:
        with ExitStack() as stack:
            began = time.monotonic()
            silent, surplus = [], []
            for address in range(addresses):
                peers = [stack.enter_context(Peer(target, source=f"127.0.2.{address + 1}")) for _ in range(105)]
                assert [peer.upgrade() for peer in peers] == [101] * 105
                silent += peers[:100]
                surplus += peers[100:]
            per_socket_kb = (memory_mb(target.pid) - before) * 1024 / len(silent)
            assert {peer.closed() for peer in surplus} == {1013}
            connects = []
            for _ in range(20):
                connecting = time.monotonic()
                with vehicle_peer(target, good_vehicle, source="127.0.0.2"):
                    connects.append(time.monotonic() - connecting)
            assert {peer.closed() for peer in silent} == {4408}
            took = time.monotonic() - began
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    p95 = statistics.quantiles(connects, n=20)[18]
    assert p95 < 2
    assert per_socket_kb < 100
    figure = f"{per_socket_kb:.0f} KB a socket, all closed in {took:.0f} s, p95 of a good connect {p95 * 1000:.0f} ms"
    record_figure(f"{len(silent)} sockets that never register", "100 an address, closed in 10 s", figure)


def test_connects_and_disconnects_leave_nothing_behind(target: V2VServer, record_figure: RecordFigure) -> None:
    rounds = 10_000 if LONG in os.environ else 1_000
    _connect_and_go(target, 200)
    files, before = descriptors(target.pid), memory_mb(target.pid)
    _connect_and_go(target, rounds)
    until = time.monotonic() + 10
    while descriptors(target.pid) > files and time.monotonic() < until:
        time.sleep(0.1)
    more_files, grown = descriptors(target.pid) - files, memory_mb(target.pid) - before
    assert more_files <= 2  # the database's
    assert grown < 8
    record_figure(
        f"{rounds} connects and disconnects", "descriptors and memory flat", f"{more_files:+d} files, {grown:+.1f} MB"
    )


def _connect_and_go(server: V2VServer, times: int) -> None:
    for number in range(times):
        with Peer(server, source="127.0.0.6") as peer:
            assert peer.upgrade() == 101
            if number % 3 == 0:
                peer.send(frame(8, (1000).to_bytes(2)))
                assert peer.closed() == 1000
            elif number % 3 == 1:
                peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")  # a reset
