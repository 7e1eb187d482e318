"""Calls in the database: one winner, one call at a time, one end, whoever is at it at the same moment."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.calls import services, upkeep
from v2v.calls.models import CallEvent, CallSession
from v2v.calls.parties import Party
from v2v.calls.sweep import CallSweep
from v2v.fleets.models import Role
from v2v.fleets.policy import actor_of_user, actor_of_vehicle
from v2v.protocol.decode import Refusal
from v2v.vehicles import live
from v2v.vehicles.models import Vehicle
from v2v.vehicles.services import vehicle_delete, vehicle_disable

pytestmark = pytest.mark.django_db(transaction=True)
SECOND = timedelta(seconds=1)


class EverybodyIsThere(live.StoredLive):
    """An engine to which all are connected."""

    def is_connected(self, vehicle_id: str) -> bool:
        return True

    def dispatchers(self, fleet_pk: int) -> frozenset[str]:
        return frozenset({"dora", "dan"})


class North:
    """A fleet with trucks and two dispatchers."""

    def __init__(self) -> None:
        self.fleet = fleet_make("north")
        self.trucks = [vehicle_make(self.fleet, f"truck-{n}") for n in range(4)]
        self.users = [user_make(name, fleet=self.fleet, role=Role.DISPATCHER) for name in ("dora", "dan")]

    def truck(self, number: int, device_id: str = "default") -> Party:
        vehicle: Vehicle = self.trucks[number]
        actor = actor_of_vehicle(vehicle_pk=vehicle.pk, vehicle_id=vehicle.vehicle_id, fleet_pk=vehicle.fleet_id)
        return Party(actor, device_id)

    def desk(self, number: int, device_id: str = "page") -> Party:
        return Party(actor_of_user(self.users[number]), device_id)


@pytest.fixture
def north() -> Iterator[North]:
    before = live.engine_get()
    live.engine_set(EverybodyIsThere())
    yield North()
    live.engine_set(before)


def begin(party: Party, callee_id: str, client_id: str = "1", now: datetime = NOW) -> CallSession:
    return services.call_initiate(party=party, callee_id=callee_id, media="audio", client_id=client_id, now=now)


def answer(party: Party, call: CallSession, now: datetime = NOW) -> CallSession:
    return services.call_answer(party=party, call_id=str(call.pk), now=now)


def end(party: Party, call: CallSession, now: datetime = NOW) -> CallSession:
    return services.call_end(party=party, call_id=str(call.pk), reason="hangup", now=now)


def together(*works: Callable[[], Any]) -> list[Any]:
    """Do them on threads at the same moment; what each gave, refusals too."""
    barrier = Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        barrier.wait()
        try:
            return work()
        except Refusal as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return list(threads.map(one, works))


def kinds(call: CallSession) -> list[str]:
    return list(CallEvent.objects.filter(call=call).values_list("kind", flat=True))


def test_the_history_has_every_step_and_who_did_it(north: North) -> None:
    call = begin(north.truck(0), "truck-1")
    answer(north.truck(1, "cab"), call, NOW + SECOND)
    end(north.truck(1, "phone"), call, NOW + 9 * SECOND)
    history = list(CallEvent.objects.filter(call=call).values_list("kind", "by", "reason"))
    assert history == [
        ("initiated", "truck-0", ""),
        ("ringing", "", ""),
        ("answered", "truck-1", ""),
        ("ended", "truck-1", "hangup"),
    ]
    call.refresh_from_db()
    assert (call.callee_name, call.ended_by, call.ended_at) == ("cab", "truck-1", NOW + 9 * SECOND)


def test_history_is_only_added_to(north: North) -> None:
    event = begin(north.truck(0), "truck-1").history.all()[0]
    for change in (event.save, event.delete):
        with pytest.raises(TypeError):
            change()


def test_the_same_command_at_once_is_one_call(north: North) -> None:
    for number in range(5):
        calls = together(*[partial(begin, north.truck(0), "truck-1", f"same-{number}")] * 4)
        assert len({call.pk for call in calls}) == 1
        end(north.truck(0), calls[0])
    assert CallSession.objects.count() == 5


def test_two_that_ring_each_other_at_once_have_one_call(north: North) -> None:
    for number in range(10):
        calls = together(
            partial(begin, north.truck(0), "truck-1", f"a{number}"),
            partial(begin, north.truck(1), "truck-0", f"b{number}"),
        )
        assert calls[0].pk == calls[1].pk
        [call] = CallSession.objects.filter(state="active")
        assert kinds(call) == ["initiated", "ringing", "answered"]
        end(north.truck(0), call)


def test_a_ring_of_three_at_once_leaves_nobody_in_two_calls(north: North) -> None:
    for number in range(10):
        results = together(
            *[
                partial(begin, north.truck(caller), f"truck-{callee}", f"{number}")
                for caller, callee in ((0, 1), (1, 2), (2, 0))
            ]
        )
        assert all(isinstance(result, CallSession) or result.code == "conflict" for result in results)
        live_calls = CallSession.objects.filter(state__in=("ringing", "active"))
        sides = [pk for call in live_calls for pk in (call.caller_vehicle_id, call.callee_vehicle_id)]
        assert len(sides) == len(set(sides)) > 0
        for call in live_calls:
            services.call_close(call=call, by="admin", now=NOW)


def test_of_many_devices_at_once_one_answers(north: North) -> None:
    for number in range(5):
        call = begin(north.truck(0), "truck-1", f"{number}")
        answers = together(*[partial(answer, north.truck(1, f"d{n}"), call) for n in range(4)])
        [won] = [each for each in answers if isinstance(each, CallSession)]
        assert all(each is won or each.details["by"] == won.callee_device for each in answers)
        end(north.truck(0), call)


def test_a_dispatcher_who_answers_two_calls_at_once_has_one(north: North) -> None:
    for number in range(5):
        calls = [begin(north.truck(n), "dispatch", f"{number}") for n in (0, 1)]
        answers = together(*[partial(answer, north.desk(0, str(call.pk)), call) for call in calls])
        assert [isinstance(each, CallSession) for each in answers].count(True) == 1
        for call in calls:
            services.call_close(call=call, by="admin", now=NOW)


def reject(party: Party, call: CallSession) -> CallSession:
    return services.call_reject(party=party, call_id=str(call.pk), reason="declined", now=NOW)


def test_the_last_two_dispatchers_who_reject_at_once_end_it(north: North) -> None:
    for number in range(5):
        call = begin(north.truck(0), "dispatch", f"{number}")
        together(*[partial(reject, north.desk(n), call) for n in range(2)])
        call.refresh_from_db()
        assert (call.state, kinds(call)) == ("rejected", ["initiated", "ringing", "declined", "declined", "rejected"])


def test_a_dispatcher_without_a_microphone_ends_nobody_elses_ringing(north: North) -> None:
    call = begin(north.truck(0), "dispatch")
    services.call_end(party=north.desk(0), call_id=str(call.pk), reason="media_failure", now=NOW)
    call.refresh_from_db()
    assert (call.state, kinds(call)) == ("ringing", ["initiated", "ringing", "declined"])


def test_an_answer_and_a_hang_up_at_once_have_one_order(north: North) -> None:
    for number in range(10):
        call = begin(north.truck(0), "truck-1", f"{number}")
        answered, _ = together(partial(answer, north.truck(1), call), partial(end, north.truck(0), call))
        call.refresh_from_db()
        expected = ["initiated", "ringing", "answered", "ended"]
        if isinstance(answered, Refusal):
            expected = ["initiated", "ringing", "missed"]
        assert (kinds(call), call.state) == (expected, expected[-1])


def test_sweeps_at_once_end_a_call_once(north: North) -> None:
    calls = [begin(north.truck(n), "dispatch", "1") for n in range(3)]
    together(*[lambda: upkeep.calls_lapse(now=NOW + 31 * SECOND)] * 4)
    for call in calls:
        assert kinds(call) == ["initiated", "ringing", "missed"]
    assert not upkeep.calls_lapse(now=NOW + 31 * SECOND)


def test_after_a_time_without_sweeps_both_sides_have_their_whole_grace_again(north: North) -> None:
    call = answer(north.truck(1), begin(north.truck(0), "truck-1"))
    sweep = CallSweep()
    sweep.step(NOW + 60 * SECOND)  # the first of a server that was away for a minute
    for second in range(61, 75):
        sweep.step(NOW + second * SECOND)
    call.refresh_from_db()
    assert call.state == "active"
    sweep.step(NOW + 75 * SECOND)
    call.refresh_from_db()
    assert (call.state, call.end_reason) == ("failed", "connection_lost")


def test_who_is_noted_as_connected_goes_on(north: North) -> None:
    call = answer(north.truck(1), begin(north.truck(0), "truck-1"))
    later = NOW + 14 * SECOND
    assert upkeep.calls_seen([(call.pk, "caller"), (call.pk, "callee")], now=later) == {call.pk}
    upkeep.calls_lapse(now=later + 14 * SECOND)
    upkeep.calls_seen([(call.pk, "caller")], now=later + 14 * SECOND)
    upkeep.calls_lapse(now=later + 15 * SECOND)
    call.refresh_from_db()
    assert call.state == "failed"
    assert upkeep.calls_seen([(call.pk, "caller")], now=later) == frozenset()


@pytest.mark.parametrize("side", [0, 1], ids=["caller", "callee"])
@pytest.mark.parametrize(
    "remove", [vehicle_disable, partial(vehicle_delete, version=None)], ids=["disabled", "deleted"]
)
def test_a_call_of_a_vehicle_that_is_removed_is_over_at_the_next_sweep(
    north: North, side: int, remove: Callable[..., object]
) -> None:
    removed = answer(north.truck(1), begin(north.truck(0), "truck-1"))
    other = answer(north.truck(3), begin(north.truck(2), "truck-3"))
    remove(vehicle=north.trucks[side], now=NOW)
    CallSweep().step(NOW + SECOND)
    for call in (removed, other):
        call.refresh_from_db()
    assert (removed.state, removed.end_reason, other.state) == ("ended", "closed", "active")
    assert kinds(removed) == ["initiated", "ringing", "answered", "ended"]


def test_a_note_that_comes_late_takes_no_grace_back(north: North) -> None:
    call = answer(north.truck(1), begin(north.truck(0), "truck-1"))
    upkeep.calls_grace_again(now=NOW + 20 * SECOND)
    assert upkeep.calls_seen([(call.pk, "caller"), (call.pk, "callee")], now=NOW + SECOND) == {call.pk}
    upkeep.calls_lapse(now=NOW + 21 * SECOND)
    call.refresh_from_db()
    assert call.state == "active"


def test_the_database_itself_keeps_a_vehicle_from_two_calls(north: North) -> None:
    call = begin(north.truck(0), "truck-1")
    call.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        call.save(force_insert=True)
