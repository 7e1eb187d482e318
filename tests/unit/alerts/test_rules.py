"""What can become of an alert."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from v2v.alerts import rules
from v2v.alerts.rules import (
    Acknowledged,
    Assigned,
    Cancelled,
    Deed,
    Displayed,
    Escalated,
    Negated,
    Resolved,
    Standing,
    State,
    Updated,
    after,
)
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
WAIT = timedelta(seconds=30)
OPEN = rules.opened(severity="medium", now=NOW, escalate_after=WAIT)
TAKEN = after(OPEN, Acknowledged("amina"), NOW)
GIVEN = after(OPEN, Assigned("amina", "unit 3"), NOW)
RESOLVED = after(TAKEN, Resolved("amina", "valid"), NOW)
NEGATED = after(OPEN, Negated("amina"), NOW)
CANCELLED = after(OPEN, Cancelled("truck-7"), NOW)

REFUSED = None
DEEDS: dict[str, Deed] = {
    "ack": Acknowledged("boris"),
    "assign": Assigned("boris", "unit 4"),
    "resolve": Resolved("boris", "valid"),
    "negate": Negated("boris"),
    "cancel": Cancelled("truck-8"),
    "worsen": Updated("critical", WAIT),
}
TABLE = {
    "ack": (State.ACKNOWLEDGED, REFUSED, REFUSED, REFUSED, REFUSED, REFUSED),
    "assign": (State.ASSIGNED, State.ASSIGNED, REFUSED, REFUSED, REFUSED, REFUSED),
    "resolve": (State.RESOLVED, State.RESOLVED, State.RESOLVED, REFUSED, REFUSED, REFUSED),
    "negate": (State.NEGATED, State.NEGATED, State.NEGATED, REFUSED, REFUSED, REFUSED),
    "cancel": (State.CANCELLED, State.CANCELLED, State.CANCELLED, REFUSED, REFUSED, REFUSED),
    "worsen": (State.OPEN, State.OPEN, State.OPEN, REFUSED, REFUSED, REFUSED),
}
ROWS = [
    (deed, standing, expected)
    for deed, row in TABLE.items()
    for standing, expected in zip((OPEN, TAKEN, GIVEN, RESOLVED, NEGATED, CANCELLED), row, strict=True)
]


@pytest.mark.parametrize(("deed", "standing", "expected"), ROWS, ids=lambda value: getattr(value, "state", value))
def test_each_deed_in_each_state(deed: str, standing: Standing, expected: State | None) -> None:
    if expected is not REFUSED:
        assert after(standing, DEEDS[deed], NOW).state is expected
        return
    with pytest.raises(Refusal) as caught:
        after(standing, DEEDS[deed], NOW)
    assert caught.value.code is ErrorCode.CONFLICT
    assert caught.value.details is not None
    assert caught.value.details["by"] in ("amina", "unit 3", "truck-7")


@pytest.mark.parametrize(
    ("standing", "again"),
    [
        (TAKEN, Acknowledged("amina")),
        (GIVEN, Assigned("boris", "unit 3")),
        (RESOLVED, Resolved("amina", "valid")),
        (NEGATED, Negated("amina")),
        (CANCELLED, Cancelled("truck-7")),
    ],
)
def test_the_same_again_changes_nothing(standing: Standing, again: Deed) -> None:
    assert after(standing, again, NOW + WAIT) == standing


def test_it_is_taken_from_somebody_only_by_naming_them() -> None:
    given = after(GIVEN, Assigned("boris", "unit 4", replaces="unit 3"), NOW)
    assert (given.assigned_to, given.acked_by) == ("unit 4", "amina")
    with pytest.raises(Refusal):
        after(given, Assigned("amina", "unit 5", replaces="unit 3"), NOW)


def test_a_false_alert_needs_a_note() -> None:
    with pytest.raises(Refusal) as caught:
        after(TAKEN, Resolved("amina", "false", "  "), NOW)
    assert caught.value.code is ErrorCode.VALIDATION_ERROR
    assert after(TAKEN, Resolved("amina", "false", "a child"), NOW).disposition == "false"


def test_worse_than_when_it_was_taken_is_nobodys_again_and_its_first_answer_stays() -> None:
    later = NOW + timedelta(minutes=5)
    again = after(GIVEN, Updated("high", WAIT), later)
    assert (again.state, again.acked_by, again.assigned_to, again.acked_at) == (State.OPEN, "", "", None)
    assert (again.answered_at, again.escalate_at, again.severity) == (NOW, later + WAIT, "high")
    assert after(GIVEN, Updated("low", WAIT), later) == GIVEN


def test_the_first_display_counts() -> None:
    shown = after(OPEN, Displayed("amina"), NOW)
    assert after(shown, Displayed("boris"), NOW + WAIT) == shown


def test_it_escalates_when_due_up_to_a_bound_and_stays_open() -> None:
    assert after(OPEN, Escalated(WAIT), NOW + WAIT - timedelta(milliseconds=1)) == OPEN
    standing, now = OPEN, NOW
    for level in range(1, rules.MAX_ESCALATIONS + 1):
        now += WAIT
        standing = after(standing, Escalated(WAIT), now)
        assert standing.escalation_level == level
    assert (standing.state, standing.escalate_at) == (State.OPEN, None)
    assert after(TAKEN, Escalated(WAIT), now) == TAKEN


def test_a_position_is_stale_after_ten_minutes() -> None:
    assert not rules.position_is_stale(NOW, NOW + timedelta(seconds=600))
    assert rules.position_is_stale(NOW, NOW + timedelta(seconds=601))
    assert not rules.position_is_stale(None, NOW)


NAMES = st.sampled_from(["amina", "boris", "chen"])


class AlertLife(RuleBasedStateMachine):
    """Anything in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.standing = OPEN
        self.answered_at: datetime | None = None

    def do(self, deed: Deed) -> None:
        before = self.standing
        try:
            self.standing = after(before, deed, self.now)
        except Refusal:
            return
        if not before.is_active:
            assert self.standing == before

    @rule(seconds=st.integers(0, 100))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)
        self.do(Escalated(WAIT))

    @rule(by=NAMES)
    def ack(self, by: str) -> None:
        self.do(Acknowledged(by))

    @rule(by=NAMES, to=NAMES, replaces=st.one_of(st.just(""), NAMES))
    def assign(self, by: str, to: str, replaces: str) -> None:
        self.do(Assigned(by, to, replaces))

    @rule(severity=st.sampled_from(["low", "medium", "high", "critical"]))
    def update(self, severity: str) -> None:
        before = self.standing
        self.do(Updated(severity, WAIT))
        assert not rules.is_worse(before.severity, self.standing.severity)

    @rule(by=NAMES)
    def display(self, by: str) -> None:
        self.do(Displayed(by))

    @precondition(lambda self: self.standing.escalation_level > 0 or self.standing.acked_at)
    @rule(by=NAMES, how=st.sampled_from(["resolve", "negate", "cancel"]))
    def close(self, by: str, how: str) -> None:
        deeds: dict[str, Deed] = {"resolve": Resolved(by, "valid"), "negate": Negated(by), "cancel": Cancelled(by)}
        self.do(deeds[how])

    @invariant()
    def who_has_it_is_known(self) -> None:
        standing = self.standing
        assert (standing.acked_at is None) == (standing.acked_by == "")
        if standing.state is State.OPEN:
            assert not standing.acked_by
            assert not standing.assigned_to
            assert standing.escalate_at or standing.escalation_level == rules.MAX_ESCALATIONS
        else:
            assert standing.escalate_at is None
        if standing.state is State.ASSIGNED:
            assert standing.assigned_to
        assert standing.is_active == (standing.closed_at is None)

    @invariant()
    def the_first_answer_is_never_lost(self) -> None:
        if self.answered_at is None:
            self.answered_at = self.standing.answered_at
        assert self.standing.answered_at == self.answered_at


TestAlertLife = AlertLife.TestCase
