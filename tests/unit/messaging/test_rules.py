"""What may become of a message, and for how long it is good."""

import itertools

from v2v.messaging.rules import DEFAULT_TTL_MS, Status, before, conversation_key, good_until_ms, may_become
from v2v.protocol.fields import CLOCK_SKEW_MS

NOW = 1_800_000_000_000


def test_a_status_only_goes_forward() -> None:
    allowed = {pair for pair in itertools.product(Status, Status) if may_become(*pair)}
    assert allowed == {
        (Status.QUEUED, Status.DELIVERED),
        (Status.QUEUED, Status.READ),
        (Status.QUEUED, Status.EXPIRED),
        (Status.DELIVERED, Status.READ),
    }
    assert all(may_become(status, then) for then in Status for status in before(then))


def test_a_message_is_good_for_a_day_unless_it_says_otherwise() -> None:
    assert good_until_ms(now_ms=NOW, sent_ms=None, ttl_ms=None) == NOW + DEFAULT_TTL_MS
    assert good_until_ms(now_ms=NOW, sent_ms=None, ttl_ms=1_000) == NOW + 1_000


def test_clocks_may_differ_but_what_waited_has_used_up_its_time() -> None:
    for sent in (NOW - CLOCK_SKEW_MS, NOW + CLOCK_SKEW_MS):
        assert good_until_ms(now_ms=NOW, sent_ms=sent, ttl_ms=60_000) == NOW + 60_000
    hour = 3_600_000
    assert good_until_ms(now_ms=NOW, sent_ms=NOW - hour, ttl_ms=2 * hour) == NOW + hour


def test_two_vehicles_have_one_conversation_whoever_writes() -> None:
    assert conversation_key(["truck-9", "truck-7"]) == conversation_key(["truck-7", "truck-9"]) == "truck-7:truck-9"
    assert conversation_key(["truck-7"]) == "truck-7"
    assert conversation_key([]) == "*"
