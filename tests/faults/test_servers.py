"""How a server stops, and that the sockets also work under the development server."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.client import HTTPConnection

import pytest

from tests.faults.conftest import RecordFigure
from tests.faults.peer import Peer, vehicle_peer
from tests.servers.run import free_port
from tests.servers.v2v import ROOT, V2VServer

LAST_STATES = """
import json
from v2v.vehicles.models import VehicleStatus
print(json.dumps(list(VehicleStatus.objects.values_list("vehicle__vehicle_id", "status", "lat"))))
"""


def test_on_sigterm_clients_are_told_when_to_come_back_and_what_is_known_is_stored(
    start_server: Callable[..., V2VServer], record_figure: RecordFigure
) -> None:
    server = start_server()
    who = [server.vehicle() for _ in range(20)]
    with ExitStack() as stack:
        peers = [stack.enter_context(vehicle_peer(server, vehicle)) for vehicle in who]
        for number, peer in enumerate(peers):
            peer.event("location_update", {"lat": number, "lng": 1}, id="fix")
            peer.next("ack")
        time.sleep(0.5)  # the next tick makes them live
        began = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        answers = [peer.everything() for peer in peers]
        _wait_for_end(server.pid)
        took = time.monotonic() - began
    assert {code for _, code in answers} == {1012}
    waits = [m["data"]["reconnectInMs"] for messages, _ in answers for m in messages if m["event"] == "server_shutdown"]
    assert len(waits) == len(peers)
    assert max(waits) - min(waits) > 1_000
    assert took < 10
    stored = {row[0]: row[1:] for row in json.loads(server.manage("shell", "-v0", "-c", LAST_STATES))}
    assert [stored[vehicle_id] for vehicle_id, _ in who] == [["offline", float(number)] for number in range(20)]
    assert "Traceback" not in server.log()
    record_figure(
        "SIGTERM with 20 vehicles", "told, 1012, exit <= 10 s, last states stored", f"{took:.1f} s, 20 of 20 stored"
    )


def _wait_for_end(pid: int) -> None:
    until = time.monotonic() + 12
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise AssertionError("the server has not ended")


@dataclass(frozen=True)
class Runserver:
    url: str


@pytest.fixture
def runserver(target: V2VServer) -> Iterator[Runserver]:
    """`manage.py runserver`, which is Daphne, on the database of another server."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"],
        cwd=ROOT, env=target.environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        _wait_for(port)
        yield Runserver(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        _, log = process.communicate(timeout=15)
    assert b"Traceback" not in log, log.decode()[-3000:]


def _wait_for(port: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(OSError):
            connection = HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/login/")
            assert connection.getresponse().status == 200
            return
        time.sleep(0.1)
    raise AssertionError("runserver does not answer")


def test_the_development_server_serves_vehicles_and_dispatchers(runserver: Runserver, target: V2VServer) -> None:
    one, other = target.vehicle(), target.vehicle()
    cookie = target.login("alpha_dispatcher")
    with vehicle_peer(runserver, one) as a, vehicle_peer(runserver, other) as b, Peer(runserver) as console:
        assert console.upgrade("/ws/dispatch/", Origin=runserver.url, Cookie=cookie) == 101
        assert {vehicle["vehicleId"] for vehicle in console.next("registered")["vehicles"]} >= {one[0], other[0]}
        a.event("location_update", {"lat": -60.0, "lng": 20.0}, id="a1")
        assert a.next("ack")["id"] == "a1"
        b.event("location_update", {"lat": -60.001, "lng": 20.0})
        assert b.next("peer_locations")["peers"][0]["vehicleId"] == one[0]
        assert a.next("proximity_event")["peerVehicleId"] == other[0]
        assert console.next("locations")["peers"]
        with vehicle_peer(runserver, one):
            assert a.closed() == 4409
        b.send(b"\x82\x80\x00\x00\x00\x00")
        assert b.closed() == 1000  # Daphne cannot send 1003


def test_the_development_server_refuses_as_the_real_one_does(runserver: Runserver, target: V2VServer) -> None:
    vehicle_id, _ = target.vehicle()
    with Peer(runserver) as page, Peer(runserver, source="127.0.3.1") as guest:
        assert page.upgrade(Origin="https://evil.example") == 403
        guest.upgrade()
        guest.event("register", {"vehicleId": vehicle_id, "token": "wrong"})
        assert guest.next("error")["code"] == "auth_failed"
        assert guest.closed() == 4401
