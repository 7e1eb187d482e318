"""Floods of alerts and of messages: the sender is told how long to wait, and nobody else notices."""

import threading
import time
from collections import Counter

import pytest

from tests.faults.conftest import RecordFigure
from tests.faults.peer import Peer, vehicle_peer
from tests.faults.pulse import Pulse
from tests.frames import TEXT, frame
from tests.servers.v2v import V2VServer

pytestmark = [pytest.mark.usefixtures("still_serves"), pytest.mark.timeout(180)]

P99_MS = 500  # as in test_abuse
# What is sent again and again, how many of it may be stored, and how to find those.
FLOODS = {
    "alerts": (
        b'{"event":"emergency_alert","data":{"type":"other"},"id":"%d"}',
        1,
        "from v2v.alerts.models import Alert as Kept; sender = 'sender'",
    ),
    "messages": (
        b'{"event":"send_message","data":{"recipientId":"dispatch","content":"x"},"id":"%d"}',
        12,
        "from v2v.messaging.models import Message as Kept; sender = 'sender_vehicle'",
    ),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_is_limited_with_the_time_to_wait_and_the_honest_are_served(
    target: V2VServer, record_figure: RecordFigure, kind: str
) -> None:
    text, most_stored, kept = FLOODS[kind]
    behaved = [target.vehicle() for _ in range(3)]
    honest, flooding = target.vehicle(), target.vehicle()
    cookie = target.login("alpha_dispatcher")
    with (
        Pulse(target, behaved) as pulse,
        Peer(target) as desk,
        vehicle_peer(target, honest, source="127.0.0.7") as good,
        vehicle_peer(target, flooding, source="127.0.0.8") as flooder,
    ):
        assert desk.upgrade("/ws/dispatch/", Origin=target.url, Cookie=cookie) == 101
        payload = b"".join(frame(TEXT, text % number) for number in range(20_000))
        sender = threading.Thread(target=flooder.send, args=(payload,))
        sender.start()
        began = time.monotonic()
        good.event("emergency_alert", {"type": "medical", "message": "real"}, id="real")
        good.next("ack", id="real")
        desk.next("emergency_alert", senderId=honest[0])
        took_ms = (time.monotonic() - began) * 1000
        messages, code = flooder.everything()
        sender.join()
        time.sleep(1)
    assert code in {4429, 1006}  # a reset by what it goes on sending may overtake the close frame
    assert pulse.p99_ms < P99_MS
    limited = [message["data"] for message in messages if message["data"].get("code") == "rate_limited"]
    assert limited
    assert all(0 < error["details"]["retryAfterMs"] <= 10_000 for error in limited)
    acked = [message["data"]["id"] for message in messages if message["event"] == "ack"]
    mine = f"Kept.objects.filter(**{{sender + '__vehicle_id': '{flooding[0]}'}})"
    stored = target.shell(f"{kept}; print(*{mine}.values_list('client_id', flat=True))").split()
    assert len(stored) <= most_stored  # none when it was closed before its first had its turn
    assert set(acked) <= set(stored)
    counted = Counter(message["event"] for message in messages)
    record_figure(
        f"flood of {kind}",
        "limited with the time to wait, others unharmed",
        f"{len(stored)} stored, {counted['error']} refused, p99 of others {pulse.p99_ms:.0f} ms, "
        f"an honest alert at the console after {took_ms:.0f} ms",
    )


def test_whoever_waits_for_as_long_as_it_is_told_is_taken(target: V2VServer) -> None:
    with vehicle_peer(target, target.vehicle()) as peer:
        waited: float = 0
        for number in range(9):  # three more than the burst
            peer.event("send_message", {"recipientId": "dispatch", "content": "x"}, id=f"m{number}")
            event, data = peer.either("ack", "error")
            if event == "error":
                assert data["code"] == "rate_limited"
                time.sleep(data["details"]["retryAfterMs"] / 1000)
                waited += data["details"]["retryAfterMs"]
                peer.event("send_message", {"recipientId": "dispatch", "content": "x"}, id=f"m{number}")
                assert peer.next("ack", id=f"m{number}")
        assert 0 < waited < 3_000
