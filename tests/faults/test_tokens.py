"""Tokens that are missing, wrong, another's, revoked, expired, or run out in mid-session."""

import time
from itertools import count

import pytest

from tests.faults.conftest import RecordFigure
from tests.faults.peer import Peer, heartbeat_s, vehicle_peer
from tests.faults.rest import Rest
from tests.servers.v2v import V2VServer

_addresses = count(20)


@pytest.fixture
def source() -> str:
    """An address of the test's own: failed attempts are counted by address."""
    return f"127.0.1.{next(_addresses)}"


@pytest.fixture(scope="module")
def admin(hasty: V2VServer) -> Rest:
    return Rest(hasty, "alpha_fleet_admin")


@pytest.mark.parametrize("token", [None, "wrong", "x" * 4096, "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."])
def test_a_token_that_is_none_is_refused(hasty: V2VServer, source: str, token: str | None) -> None:
    vehicle_id, _ = hasty.vehicle()
    with Peer(hasty, source=source) as peer:
        peer.upgrade()
        peer.event("register", {"vehicleId": vehicle_id} | ({"token": token} if token else {}), id="r1")
        error = peer.next("error")
        assert (error["code"], error["id"]) == ("auth_failed", "r1")
        assert peer.closed() == 4401


def test_the_token_may_come_with_the_upgrade(hasty: V2VServer, source: str) -> None:
    vehicle_id, token = hasty.vehicle()
    with Peer(hasty, source=source) as peer:
        peer.upgrade(Authorization=f"Bearer {token}")
        peer.event("register", {"vehicleId": vehicle_id})
        assert peer.next("registered")["vehicleId"] == vehicle_id


def test_anothers_token_is_no_way_to_its_id(hasty: V2VServer, source: str) -> None:
    mine, token = hasty.vehicle()
    other, other_token = hasty.vehicle()
    with vehicle_peer(hasty, (other, other_token)) as owner:
        with Peer(hasty, source=source) as thief:
            thief.upgrade()
            thief.event("register", {"vehicleId": other, "token": token})
            assert thief.next("error")["code"] == "auth_failed"
            assert thief.closed() == 4401
        with vehicle_peer(hasty, (mine, token), source=source) as thief:
            thief.event("register", {"vehicleId": other, "token": token}, id="r2")
            assert thief.next("error", id="r2")["code"] == "conflict"
        heartbeat_s(owner)


def test_before_register_nothing_else_is_taken(hasty: V2VServer) -> None:
    with Peer(hasty) as peer:
        peer.upgrade()
        peer.event("location_update", {"lat": 1, "lng": 1}, id="l")
        assert peer.next("error", id="l")["code"] == "not_registered"


def test_a_device_that_is_revoked_is_out_at_once_and_stays_out(hasty: V2VServer, admin: Rest, source: str) -> None:
    vehicle_id, token = hasty.vehicle()
    with vehicle_peer(hasty, (vehicle_id, token)) as peer:
        admin.post(f"devices/{admin.device_of(vehicle_id)}/revoke")
        assert peer.closed() == 4410
    with Peer(hasty, source=source) as peer:
        peer.upgrade()
        peer.event("register", {"vehicleId": vehicle_id, "token": token})
        assert peer.closed() == 4401


def test_a_vehicle_that_is_deleted_is_out_at_once_with_all_its_devices(
    hasty: V2VServer, admin: Rest, source: str
) -> None:
    vehicle_id, token = hasty.vehicle()
    with vehicle_peer(hasty, (vehicle_id, token)) as phone, Peer(hasty) as tablet:
        tablet.upgrade()
        tablet.register(vehicle_id, token, deviceId="tablet")
        admin.delete(f"vehicles/{vehicle_id}")
        assert phone.closed() == tablet.closed() == 4410
    with Peer(hasty, source=source) as peer:
        peer.upgrade()
        peer.event("register", {"vehicleId": vehicle_id, "token": token})
        assert peer.closed() == 4401


def brief_token(server: V2VServer, vehicle_id: str, ttl_s: int) -> str:
    """A token that is good for so long, which is less than the API gives."""
    return server.manage("shell", "-v0", "-c", BRIEF_TOKEN.format(vehicle_id=vehicle_id, ttl_s=ttl_s)).strip()


BRIEF_TOKEN = """
from datetime import timedelta
from django.utils import timezone
from v2v.vehicles.models import Device
from v2v.vehicles.services import device_token_issue
device = Device.objects.filter(vehicle__vehicle_id="{vehicle_id}").first()
print(device_token_issue(device=device, now=timezone.now(), ttl=timedelta(seconds={ttl_s})))
"""


def test_a_token_that_runs_out_is_foretold_and_ends_the_session(
    hasty: V2VServer, source: str, record_figure: RecordFigure
) -> None:
    vehicle_id, _ = hasty.vehicle()
    token = brief_token(hasty, vehicle_id, ttl_s=8)
    with vehicle_peer(hasty, (vehicle_id, token)) as peer:
        expires_at = peer.next("token_expiring")["expiresAt"]
        ended = None
        while ended is None:
            peer.event("heartbeat")
            ended = _error_or_none(peer)
        assert ended == "auth_failed"
        assert peer.closed() == 4401
        late_s = time.time() - expires_at / 1000
    assert late_s < 5
    record_figure("token runs out in mid-session", "told, then closed within 30 s", f"closed after {late_s:.2f} s")
    with Peer(hasty, source=source) as peer:
        peer.upgrade()
        peer.event("register", {"vehicleId": vehicle_id, "token": token})
        assert peer.closed() == 4401


def _error_or_none(peer: Peer) -> str | None:
    """The code of the next error, or None when a heartbeat's answer came first; half a second is let pass."""
    time.sleep(0.5)
    event, data = peer.either("heartbeat_ack", "error")
    return data["code"] if event == "error" else None


def test_registering_again_with_a_fresh_token_keeps_the_connection(hasty: V2VServer) -> None:
    vehicle_id, lasting = hasty.vehicle()
    brief = brief_token(hasty, vehicle_id, ttl_s=6)
    with vehicle_peer(hasty, (vehicle_id, brief)) as peer:
        expires_at = peer.next("token_expiring")["expiresAt"]
        session = peer.register(vehicle_id, lasting)["sessionId"]
        while time.time() < expires_at / 1000 + 1:
            heartbeat_s(peer)
            time.sleep(0.4)
        assert peer.register(vehicle_id, lasting)["sessionId"] == session


def test_the_same_device_again_replaces_its_older_connection_and_another_device_does_not(hasty: V2VServer) -> None:
    who = hasty.vehicle()
    with vehicle_peer(hasty, who) as first, Peer(hasty) as tablet:
        tablet.upgrade()
        tablet.register(*who, deviceId="tablet")
        with vehicle_peer(hasty, who) as second:
            assert first.closed() == 4409
            heartbeat_s(tablet)
            heartbeat_s(second)


def test_failed_attempts_are_limited_by_address(hasty: V2VServer, source: str) -> None:
    vehicle_id, token = hasty.vehicle()
    codes = []
    for _ in range(14):
        with Peer(hasty, source=source) as peer:
            peer.upgrade()
            peer.event("register", {"vehicleId": vehicle_id, "token": "guess"}, id="g")
            error = peer.next("error")
            assert error["id"] == "g"
            codes.append((error["code"], peer.closed()))
    assert codes[:10] == [("auth_failed", 4401)] * 10
    assert codes[-3:] == [("rate_limited", 4429)] * 3
    with Peer(hasty, source=source) as peer:  # the right token does not help this address now
        peer.upgrade()
        peer.event("register", {"vehicleId": vehicle_id, "token": token})
        assert peer.next("error")["details"]["retryAfterMs"] <= 6_000
    with vehicle_peer(hasty, (vehicle_id, token), source=f"127.0.1.{next(_addresses)}") as peer:
        heartbeat_s(peer)


def test_no_refusal_has_left_a_traceback(hasty: V2VServer) -> None:
    assert "Traceback" not in hasty.log()
