"""How many neighbors a frame tells of in a crowd."""

import numpy as np

from v2v.proximity.crowd import FEWEST, MOST, deliveries_bound
from v2v.proximity.engine import Deliveries


def deliveries_of(*senders: list[int]) -> Deliveries:
    """Deliveries to the receivers 0, 1, and so on."""
    starts = np.concatenate(([0], np.cumsum([len(each) for each in senders])))
    return Deliveries(np.arange(len(senders)), starts, np.concatenate([np.array(each, np.int64) for each in senders]))


def parts(deliveries: Deliveries) -> list[list[int]]:
    return [
        deliveries.senders[begin:end].tolist()
        for begin, end in zip(deliveries.starts[:-1], deliveries.starts[1:], strict=True)
    ]


def test_what_fits_is_left_as_it_is() -> None:
    deliveries = deliveries_of([1, 2], list(range(MOST)))
    assert deliveries_bound(deliveries, turn=7) is deliveries
    nobody = deliveries_of([])
    assert (
        deliveries_bound(Deliveries(nobody.receivers[:0], nobody.starts[:1], nobody.senders), turn=1).senders.size == 0
    )


def test_a_frame_tells_of_500_at_the_most_and_the_parts_go_round_until_all_were_told() -> None:
    deliveries = deliveries_of([7, 9], list(range(1_300)))
    told = [parts(deliveries_bound(deliveries, turn=turn)) for turn in range(3)]
    assert [part[0] for part in told] == [[7, 9]] * 3
    assert [len(part[1]) for part in told] == [MOST] * 3
    assert all(len(set(part[1])) == MOST for part in told)
    assert {sender for part in told for sender in part[1]} == set(range(1_300))


def test_a_tick_that_sends_too_much_in_all_gives_everybody_a_smaller_part() -> None:
    deliveries = deliveries_of(*[list(range(100))] * 50, [1, 2, 3])
    bound = deliveries_bound(deliveries, turn=0, per_tick=2_000)
    assert [len(part) for part in parts(bound)] == [2_000 // 51] * 50 + [3]
    assert bound.senders.size <= 2_000
    least = deliveries_bound(deliveries, turn=0, per_tick=10)
    assert [len(part) for part in parts(least)] == [FEWEST] * 50 + [3]


def test_in_a_tick_that_sends_too_much_all_are_told_after_a_few_turns() -> None:
    deliveries = deliveries_of(*[list(range(100))] * 50)
    told = [parts(deliveries_bound(deliveries, turn=turn, per_tick=2_000)) for turn in range(9, 12)]
    assert all({sender for part in told for sender in part[receiver]} == set(range(100)) for receiver in range(50))
