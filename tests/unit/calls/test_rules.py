"""What can become of a call."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from v2v.calls.rules import (
    LIVE,
    Answered,
    Closed,
    Deed,
    HungUp,
    Lapsed,
    Limits,
    NotReached,
    Rang,
    Reason,
    Rejected,
    Standing,
    State,
    after,
    initiated,
)
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIMITS = Limits(ring=30 * SECOND, grace=15 * SECOND, longest=3600 * SECOND)
CAB, PHONE = Answered(None, "cab", "cab"), Answered(None, "phone", "phone")
INITIATED = initiated(now=NOW, limits=LIMITS)
RINGING = after(INITIATED, Rang(), NOW)
ACTIVE = after(RINGING, CAB, NOW + SECOND)
OVER = {
    State.ENDED: after(ACTIVE, HungUp("truck-1"), NOW),
    State.MISSED: after(RINGING, HungUp("truck-1"), NOW),
    State.REJECTED: after(RINGING, Rejected("truck-2"), NOW),
    State.FAILED: after(ACTIVE, HungUp("truck-1", Reason.MEDIA_FAILURE), NOW),
}

REFUSED = None
TABLE: list[tuple[Deed, tuple[State, Reason] | State | None, tuple[State, Reason] | State | None]] = [
    (Rang(), State.RINGING, State.ACTIVE),
    (NotReached(Reason.OFFLINE), State.RINGING, State.ACTIVE),
    (PHONE, State.ACTIVE, REFUSED),
    (Rejected("b"), (State.REJECTED, Reason.DECLINED), REFUSED),
    (Rejected("b", Reason.BUSY), (State.REJECTED, Reason.BUSY), REFUSED),
    (HungUp("a"), (State.MISSED, Reason.CANCELLED), (State.ENDED, Reason.HANGUP)),
    (HungUp("a", Reason.MEDIA_FAILURE), (State.FAILED, Reason.MEDIA_FAILURE), (State.FAILED, Reason.MEDIA_FAILURE)),
    (Closed("admin"), (State.MISSED, Reason.CLOSED), (State.ENDED, Reason.CLOSED)),
    (Lapsed(LIMITS), State.RINGING, State.ACTIVE),
]
ROWS = [
    (deed, standing, expected)
    for deed, if_ringing, if_active in TABLE
    for standing, expected in ((RINGING, if_ringing), (ACTIVE, if_active))
]


@pytest.mark.parametrize(("deed", "standing", "expected"), ROWS, ids=lambda value: getattr(value, "state", None))
def test_each_deed_while_it_rings_and_while_they_talk(deed: Deed, standing: Standing, expected: object) -> None:
    if expected is REFUSED:
        with pytest.raises(Refusal) as caught:
            after(standing, deed, NOW)
        assert caught.value.code is ErrorCode.CONFLICT
        assert caught.value.details == {"state": "active", "by": "cab"}
        return
    became = after(standing, deed, NOW)
    assert expected in (became.state, (became.state, Reason(became.end_reason) if became.end_reason else None))


@pytest.mark.parametrize("state", OVER)
def test_what_is_over_stays_so_and_an_answer_is_told_how(state: State) -> None:
    over = OVER[state]
    assert over.state is state
    for deed, _, _ in TABLE:
        if isinstance(deed, Answered):
            with pytest.raises(Refusal) as caught:
                after(over, deed, NOW + SECOND)
            assert caught.value.details is not None
            assert caught.value.details["endReason"] == over.end_reason
        else:
            assert after(over, deed, NOW + 9999 * SECOND) == over


@pytest.mark.parametrize(
    ("reason", "state"), [(Reason.OFFLINE, State.MISSED), (Reason.BUSY, State.REJECTED)], ids=["offline", "busy"]
)
def test_who_cannot_be_reached_is_never_rung(reason: Reason, state: State) -> None:
    over = after(INITIATED, NotReached(reason), NOW)
    assert (over.state, over.end_reason, over.ended_at) == (state, reason, NOW)


def test_nobody_answers_before_it_rings() -> None:
    with pytest.raises(Refusal):
        after(INITIATED, CAB, NOW)


def test_the_same_device_answers_twice_and_has_it_once() -> None:
    assert after(ACTIVE, CAB, NOW + 5 * SECOND) == ACTIVE


@pytest.mark.parametrize(
    ("standing", "seconds", "seen", "expected"),
    [
        (RINGING, 29, 28, (State.RINGING, "")),
        (RINGING, 30, 29, (State.MISSED, "timeout")),
        (RINGING, 14.9, 0, (State.RINGING, "")),
        (RINGING, 15, 0, (State.MISSED, "connection_lost")),
        (ACTIVE, 15.9, 5, (State.ACTIVE, "")),
        (ACTIVE, 16, 5, (State.FAILED, "connection_lost")),
        (INITIATED, 30, 29, (State.MISSED, "timeout")),
    ],
)
def test_time_ends_what_nobody_does(
    standing: Standing, seconds: float, seen: float, expected: tuple[State, str]
) -> None:
    seen_standing = replace(standing, caller_seen_at=NOW + seen * SECOND)
    became = after(seen_standing, Lapsed(LIMITS), NOW + seconds * SECOND)
    assert (became.state, became.end_reason) == expected


def test_a_call_is_not_longer_than_the_longest() -> None:
    late = NOW + 3601 * SECOND
    talking = replace(ACTIVE, caller_seen_at=late, callee_seen_at=late)
    assert after(talking, Lapsed(LIMITS), late - SECOND).state is State.ACTIVE
    became = after(talking, Lapsed(LIMITS), late)
    assert (became.state, became.end_reason) == (State.ENDED, "max_duration")


WHO = st.sampled_from(["a", "b", "c"])


class CallLife(RuleBasedStateMachine):
    """Anything in any order, by anybody, at any time: one end, which is final, and always one."""

    @initialize()
    def begin(self) -> None:
        self.now = NOW
        self.standing = INITIATED
        self.states = [State.INITIATED]
        self.talkers: set[str] = set()

    def do(self, deed: Deed) -> None:
        before = self.standing
        try:
            self.standing = after(before, deed, self.now)
        except Refusal:
            return
        if self.standing.state is not before.state:
            self.states.append(self.standing.state)
        if self.standing.state is State.ACTIVE:
            self.talkers.add(self.standing.callee_device)

    @rule(reached=st.sampled_from([None, Reason.OFFLINE, Reason.BUSY]))
    def ring(self, reached: Reason | None) -> None:
        self.do(Rang() if reached is None else NotReached(reached))

    @rule(device=WHO)
    def answer(self, device: str) -> None:
        self.do(Answered(None, device, device))

    @rule(by=WHO, reason=st.sampled_from([Reason.DECLINED, Reason.BUSY]))
    def reject(self, by: str, reason: Reason) -> None:
        self.do(Rejected(by, reason))

    @rule(by=WHO, reason=st.sampled_from([Reason.HANGUP, Reason.MEDIA_FAILURE]))
    def hang_up(self, by: str, reason: Reason) -> None:
        self.do(HungUp(by, reason))

    @rule(by=WHO)
    def close(self, by: str) -> None:
        self.do(Closed(by))

    @rule(seconds=st.sampled_from([0, 1, 10, 40]), caller=st.booleans(), callee=st.booleans())
    def time_passes(self, seconds: int, caller: bool, callee: bool) -> None:
        self.now += seconds * SECOND
        if self.standing.is_live and caller:
            self.standing = replace(self.standing, caller_seen_at=self.now)
        if self.standing.state is State.ACTIVE and callee:
            self.standing = replace(self.standing, callee_seen_at=self.now)
        self.do(Lapsed(LIMITS))

    @invariant()
    def each_state_comes_at_most_once_and_none_is_left_out(self) -> None:
        live = [state for state in self.states if state in LIVE]
        assert live == list(LIVE[: len(live)])
        assert len(self.states) - len(live) <= 1, "two ends"
        assert len(self.talkers) <= 1

    @invariant()
    def it_has_an_end_when_it_is_over(self) -> None:
        standing = self.standing
        assert standing.is_live == (standing.ended_at is None) == (standing.end_reason == "")
        assert (standing.answered_at is not None) == (State.ACTIVE in self.states)

    def teardown(self) -> None:
        """Nobody does anything any more: it is not stuck."""
        if not hasattr(self, "standing"):
            return
        self.now += max(LIMITS.ring, LIMITS.grace)
        self.do(Lapsed(LIMITS))
        assert not self.standing.is_live


TestCallLife = CallLife.TestCase
