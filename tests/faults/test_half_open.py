"""A peer that is still there for the network, and says and does nothing any more."""

import time

from tests.faults.conftest import RecordFigure
from tests.faults.peer import Peer, vehicle_peer
from tests.servers.v2v import V2VServer


def test_a_half_open_peer_is_silent_then_closed_then_offline(hasty: V2VServer, record_figure: RecordFigure) -> None:
    who = hasty.vehicle()
    cookie = hasty.login("alpha_dispatcher")
    with Peer(hasty) as console:
        console.upgrade("/ws/dispatch/", Origin=hasty.url, Cookie=cookie)
        console.next("registered")
        with vehicle_peer(hasty, who):  # its kernel acknowledges what comes, it never answers
            began = time.monotonic()
            assert console.next("presence_update", vehicleId=who[0])["status"] == "online"
            console.event("heartbeat")
            timeout = console.next("presence_update", vehicleId=who[0])
            silent_s = time.monotonic() - began
            assert timeout["status"] == "timeout"
            console.event("heartbeat")
            assert console.next("presence_update", vehicleId=who[0])["status"] == "offline"
            gone_s = time.monotonic() - began
    assert 1.2 < silent_s < 5
    assert 3.2 < gone_s < 10
    figure = f"silent after {silent_s:.1f} s, offline after {gone_s:.1f} s (limits 1.5 s and 3.5 s)"
    record_figure("half-open peer", "reaped by its deadlines", figure)


def test_who_comes_back_from_silence_is_online_again(hasty: V2VServer) -> None:
    who = hasty.vehicle()
    cookie = hasty.login("alpha_dispatcher")
    with Peer(hasty) as console:
        console.upgrade("/ws/dispatch/", Origin=hasty.url, Cookie=cookie)
        console.next("registered")
        with vehicle_peer(hasty, who) as peer:
            assert console.next("presence_update", vehicleId=who[0], status="timeout")
            peer.event("heartbeat")
            assert console.next("presence_update", vehicleId=who[0])["status"] == "online"


def test_a_socket_that_never_registers_is_closed(hasty: V2VServer) -> None:
    with Peer(hasty) as peer:
        peer.upgrade()
        assert peer.closed() == 4408
