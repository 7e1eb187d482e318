"""Verified tokens are remembered, but never beyond the right."""

from datetime import timedelta

import pytest

from tests.integration.people import NOW, device_of, fleet_make, token_for, vehicle_make
from v2v.realtime.notices import RightLost
from v2v.vehicles import notices
from v2v.vehicles.identity import Authenticated, AuthRefusal, token_authenticate
from v2v.vehicles.models import Vehicle
from v2v.vehicles.services import device_revoke, device_token_issue, vehicle_disable
from v2v.vehicles.verified import FRESH_S, VerifiedTokens, token_verify, verified


@pytest.fixture
def truck(db: None) -> Vehicle:
    return vehicle_make(fleet_make())


@pytest.fixture
def who(truck: Vehicle) -> Authenticated:
    return token_authenticate(token=token_for(truck), now=NOW)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_token_is_fresh_for_a_while_and_known_after_it(who: Authenticated) -> None:
    clock = Clock()
    tokens = VerifiedTokens(clock=clock)
    assert tokens.get("a", now=NOW) is None
    tokens.keep("a", who, notices=tokens.notices)
    assert tokens.get("a", now=NOW) == (who, True)
    clock.now = FRESH_S
    assert tokens.get("a", now=NOW) == (who, False)


def test_a_token_that_expires_is_not_known_any_more(truck: Vehicle) -> None:
    token = device_token_issue(device=device_of(truck), now=NOW, ttl=timedelta(seconds=60))
    tokens = VerifiedTokens()
    tokens.keep(token, token_authenticate(token=token, now=NOW), notices=0)
    assert tokens.get(token, now=NOW + timedelta(seconds=59)) is not None
    assert tokens.get(token, now=NOW + timedelta(seconds=60)) is None


def test_only_so_many_tokens_are_remembered(who: Authenticated) -> None:
    tokens = VerifiedTokens(limit=3)
    for token in "abcd":
        tokens.keep(token, who, notices=0)
    assert len(tokens) == 3
    assert tokens.get("a", now=NOW) is None
    assert tokens.get("d", now=NOW) is not None


def test_a_right_that_is_lost_while_its_token_is_looked_up_is_not_remembered(who: Authenticated) -> None:
    tokens = VerifiedTokens()
    before = tokens.notices
    tokens.forget(RightLost(None, who.device_pk, "device_revoked"))
    tokens.keep("a", who, notices=before)
    assert tokens.get("a", now=NOW) is None


def test_a_token_that_is_not_good_any_more_is_dropped(truck: Vehicle) -> None:
    token = token_for(truck)
    token_verify(token=token, now=NOW)
    vehicle_disable(vehicle=truck, now=NOW)  # told to nobody: the transaction of the test never ends
    assert verified.get(token, now=NOW) is not None
    with pytest.raises(AuthRefusal):
        token_verify(token=token, now=NOW)
    assert verified.get(token, now=NOW) is None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("take_away", ["device", "vehicle"])
def test_services_that_take_a_right_away_end_it_at_once(take_away: str) -> None:
    truck, other = vehicle_make(fleet_make()), vehicle_make(fleet_make("south"), "van-1")
    tokens = VerifiedTokens()

    def lost(*, vehicle_pk: int | None, device_pk: int | None, reason: notices.Reason) -> None:
        tokens.forget(RightLost(vehicle_pk, device_pk, reason))

    notices.listen(lost)
    try:
        for vehicle in (truck, other):
            token = token_for(vehicle)
            tokens.keep(vehicle.vehicle_id, token_authenticate(token=token, now=NOW), notices=0)
        if take_away == "device":
            device_revoke(device=device_of(truck), now=NOW)
        else:
            vehicle_disable(vehicle=truck, now=NOW)
    finally:
        notices.unlisten(lost)
    assert tokens.get("truck-1", now=NOW) is None
    assert tokens.get("van-1", now=NOW) is not None
